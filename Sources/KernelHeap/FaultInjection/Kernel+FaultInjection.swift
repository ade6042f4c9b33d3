/// Failures on demand: `/proc/<pid>/fail-nth`.
struct FaultInjection: Hashable, Sendable {
    /// The process whose allocations count.
    var pid = 0
    /// How many more until the one that fails; 0 for none.
    var remaining: UInt32 = 0

    var isArmed: Bool { remaining > 0 }
}

extension Kernel {
    /// Lets the N-th allocation that a process's calls make from now on fail.
    ///
    /// - Parameters:
    ///   - number: 1 for the next one; 0 lets all succeed again.
    ///   - pid: the process.
    mutating func failAllocation(_ number: UInt32, of pid: Int) {
        faults = FaultInjection(pid: pid, remaining: number)
        slab.alwaysLeavesFastPath = faults.isArmed
    }

    /// `should_fail()`, for an allocation that may fail: whether it is the one.
    ///
    /// - Parameters:
    ///   - name: of the fault attribute: `failslab`, `fail_page_alloc`.
    ///   - flags: `__GFP_NOFAIL` is left alone.
    ///   - context: interrupts are no part of the process.
    /// - Returns: whether the allocation is to fail; the log says so then.
    @inline(never)
    mutating func injectsFault(
        _ name: String,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> Bool {
        guard faults.isArmed, faults.pid == context.pid, context.kind == .process,
            !flags.contains(.noFail)
        else { return false }
        faults.remaining -= 1
        guard !faults.isArmed else { return false }
        slab.alwaysLeavesFastPath = false
        log.append("FAULT_INJECTION: forcing a failure.")
        log.append("name \(name), interval 1, probability 0, space 0, times 0")
        logProcess(context)
        return true
    }
}
