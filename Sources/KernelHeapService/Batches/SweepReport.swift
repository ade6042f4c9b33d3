internal import KernelHeap

/// What a sweep found.
struct SweepReport {
    /// Findings of each kind that a run tells; the totals count all.
    static let itemLimit = 32

    let sequence: UInt64
    let calls: Int
    /// Places of the run in which nothing failed.
    let places: UInt64
    var clean: SweepRun?
    var runs: [SweepRun] = []
    var stop: FaultSweep.Stop?

    var badRuns: Int { runs.count { !$0.isOK } }

    /// Whether no run did anything wrong, the clean one among them.
    ///
    /// What that one holds at its end is no leak: a list may be the first half of something.
    var isOK: Bool { badRuns == 0 && clean?.isOK != false }
}

/// The first of many things, and how many there were: what a run keeps has a limit.
struct FirstItems<Item> {
    private(set) var items: [Item] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func add(_ item: Item) {
        count += 1
        if items.count < SweepReport.itemLimit { items.append(item) }
    }

    mutating func add(_ others: some Sequence<Item>) {
        for item in others { add(item) }
    }
}

/// One run, beside the run in which nothing failed.
struct SweepRun {
    struct Difference {
        let call: ObservedCall
        let clean: ObservedCall
    }

    struct Leak {
        let allocation: OutstandingAllocation
        /// The call of the list that allocated it; nil where the list was left before its end.
        let call: ObservedCall?
    }

    var fault: (call: ObservedCall, fault: InjectedFault)?
    var differences = FirstItems<Difference>()
    var problems = FirstItems<(item: Int, problem: Problem)>()
    var leaks = FirstItems<Leak>()
    /// What the clean run holds at its end; of the others it is no leak.
    var heldCount = 0
    /// Reports, warnings and wrong contexts that the clean run has not.
    var findings = FirstItems<VerdictItem>()
    /// Calls that used a failure as if it had succeeded.
    var unlooked = FirstItems<(call: ObservedCall, name: String)>()
    var isPanicked = false
    var hang: String?

    var isOK: Bool {
        leaks.isEmpty && findings.isEmpty && unlooked.isEmpty && !isPanicked && hang == nil
    }
}

/// Holds the clean run against the others.
struct SweepComparison {
    /// What makes an allocation of one run the same as one of another: addresses shift.
    private struct Key: Hashable {
        let kind: OutstandingAllocation.Kind
        let cache: String?
        let size: UInt64
        let call: UInt64?
    }

    private struct FindingKey: Hashable {
        let kind: String
        let call: UInt64?
    }

    private let cleanCalls: [Int: ObservedCall]
    private var cleanHeld: [Key: Int] = [:]
    private var cleanFindings: Set<FindingKey> = []

    init(clean: SweepAttempt) {
        cleanCalls = Dictionary(clean.calls.map { ($0.item, $0) }) { first, _ in first }
        for allocation in clean.held {
            cleanHeld[Self.key(allocation), default: 0] += 1
        }
        for item in Self.findings(clean) { cleanFindings.insert(Self.key(item)) }
    }

    /// What is wrong with a run.
    ///
    /// - Parameters:
    ///   - attempt: the run.
    ///   - fault: what failed in it; nil for the clean one, of which every finding is told.
    /// - Returns: what the clean run has not.
    func judge(
        _ attempt: SweepAttempt,
        _ fault: (call: ObservedCall, fault: InjectedFault)? = nil
    ) -> SweepRun {
        var run = SweepRun()
        run.fault = fault
        run.problems.add(attempt.problems)
        run.isPanicked = attempt.isPanicked
        run.hang = attempt.hang
        guard fault != nil else {
            run.findings.add(Self.findings(attempt))
            run.heldCount = attempt.held.count
            return run
        }
        for call in attempt.calls {
            guard let clean = cleanCalls[call.item] else { continue }
            if call.differs(from: clean) {
                run.differences.add(SweepRun.Difference(call: call, clean: clean))
            }
            for name in call.unlooked { run.unlooked.add((call, name)) }
        }
        let bySequence = Dictionary(attempt.calls.map { ($0.sequence, $0) }) { first, _ in first }
        var known = cleanHeld
        for allocation in attempt.held {
            let key = Self.key(allocation)
            if let left = known[key], left > 0 {
                known[key] = left - 1
                continue
            }
            let call = allocation.call.flatMap { bySequence[$0] }
            run.leaks.add(SweepRun.Leak(allocation: allocation, call: call))
        }
        run.findings.add(
            Self.findings(attempt).lazy.filter { !cleanFindings.contains(Self.key($0)) }
        )
        return run
    }

    private static func key(_ allocation: OutstandingAllocation) -> Key {
        Key(
            kind: allocation.kind,
            cache: allocation.cache,
            size: allocation.size,
            call: allocation.call
        )
    }

    private static func key(_ item: VerdictItem) -> FindingKey {
        FindingKey(kind: item.kind, call: item.call)
    }

    /// What the calls did wrong, beside what they hold.
    ///
    /// A copy that was made to fail counts where its bytes are used.
    private static func findings(_ attempt: SweepAttempt) -> [VerdictItem] {
        let names = ["reports", "warnings", "contexts", "unlooked"]
        let parts = (attempt.verdict?.parts ?? []).filter { names.contains($0.name) }
        return parts.flatMap(\.items)
    }
}
