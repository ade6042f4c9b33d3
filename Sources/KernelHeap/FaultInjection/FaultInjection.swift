/// Failures on demand: `lib/fault-inject.c`, 6.1, driven by `/proc/<pid>/fail-nth` and by the knobs
/// of `failslab`, `fail_page_alloc` and `fail_usercopy`.
///
/// Every place that may be made to fail asks, in the order in which the kernel comes to it:
///
///     kmalloc           failslab, then for a new slab fail_page_alloc, and again for a smaller one
///     alloc_pages       fail_page_alloc; so do tables, pages of processes and of vmalloc areas
///     copy_to_user      fail_usercopy
///
/// Random numbers come from the machine's seed, one for each that is drawn.
struct FaultInjection: Hashable, Sendable {
    /// A failure that was forced and that the log does not tell yet.
    struct Failure: Hashable, Sendable {
        var fault: InjectedFault
        /// The knobs before the failure was counted.
        var attribute: FaultAttribute
        /// The request had `__GFP_NOWARN`.
        var isSilent: Bool
    }

    /// A sweep over all places, those of interrupts and of all processes.
    private struct Countdown: Hashable {
        /// Places until the one that fails; 0 for none.
        var remaining: UInt64 = 0
        /// Places passed so far.
        var passed: UInt64 = 0
        /// A bit for each site that counts.
        var sites: UInt8 = 0
    }

    /// Failures of one call that are remembered; further ones only happen.
    static let limit = 64
    /// Processes with `make-it-fail` at a time.
    static let taskLimit = 1_024

    /// Whether anything can fail: all that requests look at, most of the time.
    private(set) var isArmed = false
    /// A request that is tried again was asked about when it first came.
    var isSuspended = false
    private var attributes = [FaultAttribute](
        repeating: FaultAttribute(),
        count: FaultSite.allCases.count
    )
    /// The process whose calls `fail_nth` counts.
    private var nthProcess = 0
    /// How many more places until the one that fails; 0 for none.
    private var nth: UInt32 = 0
    private var countdown = Countdown()
    /// Processes with `make-it-fail`.
    private(set) var tasks: [Int] = []
    /// The process whose code runs now; nil in an interrupt.
    private var running: Int?
    private let seed: UInt64
    private var draws: UInt64 = 0
    private(set) var unlogged: [Failure] = []
    /// What the running call was made to fail at.
    private(set) var injected: [InjectedFault] = []

    init(seed: UInt64 = 0) { self.seed = mixed(seed ^ 0x6661_756c_7400) }

    /// The knobs of a site.
    subscript(_ site: FaultSite) -> FaultAttribute {
        get { attributes[site.index] }
        set {
            attributes[site.index] = newValue
            settle()
        }
    }

    /// What `fail_nth` still has to count, and for whom; nil where it counts nothing.
    var failNth: (pid: Int, remaining: UInt32)? { nth > 0 ? (nthProcess, nth) : nil }

    /// Places that a sweep has counted.
    var placesPassed: UInt64 { countdown.passed }

    /// Lets the n-th place from now on fail; 0 lets all succeed.
    mutating func arm(_ number: UInt32, pid: Int) {
        nth = number
        nthProcess = pid
        settle()
    }

    /// Counts places of all processes and interrupts from now on.
    ///
    /// - Parameters:
    ///   - number: the place that fails; nil counts only.
    ///   - sites: which places count.
    mutating func startCountdown(_ number: UInt64?, sites: [FaultSite]) {
        let mask = sites.reduce(UInt8(0)) { $0 | 1 << UInt8(truncatingIfNeeded: $1.index) }
        countdown = Countdown(remaining: number ?? .max, sites: mask)
        settle()
    }

    /// Marks a process, or takes the mark back: `/proc/<pid>/make-it-fail`.
    ///
    /// - Returns: false where too many are marked.
    mutating func mark(_ pid: Int, _ isMarked: Bool) -> Bool {
        tasks.removeAll { $0 == pid }
        guard isMarked else { return true }
        guard tasks.count < Self.taskLimit else { return false }
        tasks.append(pid)
        return true
    }

    /// Forgets the marks of processes that have ended.
    mutating func keepTasks(_ lives: (Int) -> Bool) { tasks.removeAll { !lives($0) } }

    /// Code of a context runs from now on; interrupts are no part of the process.
    mutating func enter(_ context: CallContext) {
        running = context.kind == .process ? context.pid : nil
    }

    /// Whether a request is to fail.
    mutating func shouldFail(_ request: FaultRequest) -> Bool {
        guard isArmed, !isSuspended, !request.flags.contains(.noFail) else { return false }
        guard let cause = cause(for: request) else { return false }
        let fault = InjectedFault(site: request.site, cause: cause, size: request.size)
        if unlogged.count < Self.limit {
            unlogged.append(
                Failure(
                    fault: fault,
                    attribute: self[request.site],
                    isSilent: request.flags.contains(.noWarn)
                )
            )
        }
        if injected.count < Self.limit { injected.append(fault) }
        attributes[request.site.index].spend()
        settle()
        return true
    }

    /// Takes the failures that are to be logged.
    mutating func takeUnlogged() -> [Failure] {
        defer { unlogged = [] }
        return unlogged
    }

    /// Takes what the call was made to fail at; the next call begins with nothing.
    mutating func takeInjected() -> [InjectedFault] {
        defer { injected = [] }
        return injected
    }

    private mutating func cause(for request: FaultRequest) -> InjectedFault.Cause? {
        let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: request.site.index)
        if countdown.remaining > 0, countdown.sites & bit != 0 {
            countdown.passed &+= 1
            countdown.remaining -= 1
            if countdown.remaining == 0 { return .sweep }
        }
        let own = attributes[request.site.index]
        if nth > 0, running == nthProcess, !own.skips(request, by: own.chosenFilters) {
            nth -= 1
            if nth == 0 { return .failNth }
            return nil
        }
        let place = request.site.index
        guard attributes[place].isArmed, !attributes[place].skips(request) else { return nil }
        let isMarked = running.map(tasks.contains) ?? false
        let (seed, drawn) = (seed, draws)
        var hasDrawn = false
        let fails = attributes[place].decides(size: request.size, isTaskMarked: isMarked) {
            hasDrawn = true
            return mixed(seed &+ drawn &* 0x9e37_79b9_7f4a_7c15) % 100
        }
        if hasDrawn { draws &+= 1 }
        return fails ? .attribute : nil
    }

    private mutating func settle() {
        isArmed = nth > 0 || countdown.remaining > 0 || attributes.contains(where: \.isArmed)
    }
}
