/// Failures on demand: `lib/fault-inject.c`, 6.1, driven by `/proc/<pid>/fail-nth`.
///
/// Every place that may be made to fail asks, in the order in which the kernel comes to it:
///
///     kmalloc           failslab, then for a new slab fail_page_alloc, and again for a smaller one
///     alloc_pages       fail_page_alloc; so do tables, pages of processes and of vmalloc areas
///     copy_to_user      fail_usercopy
struct FaultInjection: Hashable, Sendable {
    /// A place that may be made to fail, under the name of its attribute.
    enum Site: String, CaseIterable, Hashable, Sendable {
        case slab = "failslab"
        case pages = "fail_page_alloc"
        case usercopy = "fail_usercopy"
    }

    /// A failure that was forced and that the log does not tell yet.
    struct Failure: Hashable, Sendable {
        var site: Site
        /// What is left of the attribute's `times`, which is 1 at boot.
        var times: Int
    }

    /// The process whose calls count.
    private var pid = 0
    /// How many more places until the one that fails; 0 for none.
    private var remaining: UInt32 = 0
    /// Whether the code that runs now is the process's.
    private var isCounting = false
    /// Attributes that have failed before, a bit for each.
    private var spent: UInt8 = 0
    private(set) var unlogged: [Failure] = []

    var isArmed: Bool { remaining > 0 }

    /// Lets the n-th place from now on fail; 0 lets all succeed.
    mutating func arm(_ number: UInt32, pid: Int) {
        remaining = number
        self.pid = pid
    }

    /// Code of a context runs from now on; interrupts are no part of the process.
    mutating func enter(_ context: CallContext) {
        isCounting = context.pid == pid && context.kind == .process
    }

    /// `should_fail()`: counts a place.
    ///
    /// - Parameters:
    ///   - site: where.
    ///   - flags: of an allocation; one with `__GFP_NOFAIL` is left alone.
    /// - Returns: whether it is the one.
    mutating func shouldFail(_ site: Site, _ flags: GFPFlags = []) -> Bool {
        guard isArmed, isCounting, !flags.contains(.noFail) else { return false }
        remaining -= 1
        guard !isArmed else { return false }
        let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: Site.allCases.firstIndex(of: site) ?? 0)
        unlogged.append(Failure(site: site, times: spent & bit == 0 ? 1 : 0))
        spent |= bit
        return true
    }

    /// Takes the failures that are to be logged.
    mutating func takeUnlogged() -> [Failure] {
        defer { unlogged = [] }
        return unlogged
    }
}
