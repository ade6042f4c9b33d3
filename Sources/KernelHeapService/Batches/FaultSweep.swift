internal import KernelHeap
internal import Synchronization

/// Runs a list of calls on forks of a machine: once as it is, then with the first place that may
/// fail failing, then with the second, until no place is left.
///
/// Each fork begins where the machine stands; the machine itself is not changed.
struct FaultSweep: ~Copyable {
    struct Options {
        var sites = FaultSite.allCases
        var maximumRuns: Int
    }

    /// Why places were left out.
    enum Stop: String {
        case runs = "max_runs"
        case time, memory
    }

    let service: Service
    let session: Session
    let options: Options
    /// The machine that every run begins with.
    var base: Kernel
    /// When the sweep must end.
    let deadline: UInt64

    /// Runs the list, over and over.
    ///
    /// - Parameter list: a parsed array of calls.
    /// - Returns: what went wrong in which run.
    /// - Throws: the problem of the first call that cannot be run on the machine as it is.
    mutating func run(_ list: JSONValue) throws(Problem) -> SweepReport {
        let clean = rehearse(list, failing: nil)
        if let (_, problem) = clean.problems.first { throw problem }
        var report = SweepReport(
            sequence: base.sequence,
            calls: clean.calls.count,
            places: clean.places
        )
        let comparison = SweepComparison(clean: clean)
        report.clean = comparison.judge(clean)
        report.stop = clean.stop
        while report.stop == nil {
            guard report.runs.count < options.maximumRuns else {
                // Places that are left decide whether anything is missing.
                report.stop = .runs
                break
            }
            guard !isOver else {
                report.stop = .time
                break
            }
            let attempt = rehearse(list, failing: UInt64(report.runs.count + 1))
            guard let fault = attempt.fault else { break }
            report.runs.append(comparison.judge(attempt, fault))
            if attempt.stop != nil { report.stop = attempt.stop }
        }
        if report.stop == .runs, UInt64(report.runs.count) >= clean.places { settle(&report, list) }
        return report
    }

    /// The limit of runs was met exactly where the places may have ended.
    private mutating func settle(_ report: inout SweepReport, _ list: JSONValue) {
        let next = rehearse(list, failing: UInt64(report.runs.count + 1))
        if next.fault == nil { report.stop = next.stop }
    }

    private var isOver: Bool {
        Clock.monotonic() > deadline || session.isDropped
            || service.isStopping.load(ordering: .relaxed)
    }

    /// One run on a fork.
    private mutating func rehearse(_ list: JSONValue, failing number: UInt64?) -> SweepAttempt {
        var kernel = base.fork()
        kernel.startFaultCountdown(number, sites: options.sites)
        var runner = BatchRunner(
            service: service,
            session: session,
            stopsOnError: false,
            extras: [],
            expectedSequence: nil
        )
        runner.observed = []
        var attempt = SweepAttempt()
        var writer = JSONWriter(capacity: 16 << 10)
        for item in list.children {
            let before = runner.observed?.count ?? 0
            _ = runner.run(line: nil, on: &kernel, into: &writer) { () throws(Problem) in item }
            writer.removeAll()
            if runner.observed?.count == before, let problem = runner.problem {
                attempt.problems.append((runner.itemCount - 1, problem))
            }
            if kernel.isPanicked || kernel.hangReason != nil { break }
            if isOver { attempt.stop = .time }
            let last = runner.observed?.last.flatMap { CallRegistry.byName[$0.function]?.signature }
            if runner.itemCount & 31 == 0 || last?.isLarge == true,
                kernel.heldBytes > service.configuration.maximumSessionBytes
            {
                attempt.stop = .memory
            }
            if attempt.stop != nil { break }
        }
        attempt.calls = runner.observed ?? []
        attempt.places = kernel.faultPlacesPassed
        attempt.isPanicked = kernel.isPanicked
        attempt.hang = kernel.hangReason?.text
        let since = base.sequence
        attempt.verdict = kernel.verdict(VerdictScope(since: since), limit: SweepReport.itemLimit)
        attempt.held = kernel.outstandingAllocations(since: since).filter { $0.call != nil }
        return attempt
    }
}

/// What came of one run.
struct SweepAttempt {
    var calls: [ObservedCall] = []
    /// Items that could not be run, with their places.
    var problems: [(item: Int, problem: Problem)] = []
    var places: UInt64 = 0
    var isPanicked = false
    var hang: String?
    var verdict: VerdictView?
    /// What callers hold at the end, but for what they held before.
    var held: [OutstandingAllocation] = []
    var stop: FaultSweep.Stop?

    /// The failure that was forced, and by which call it was met.
    var fault: (call: ObservedCall, fault: InjectedFault)? {
        for call in calls {
            if let fault = call.injected.first(where: { $0.cause == .sweep }) {
                return (call, fault)
            }
        }
        return nil
    }
}
