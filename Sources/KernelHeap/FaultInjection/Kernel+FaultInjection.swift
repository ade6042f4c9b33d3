extension Kernel {
    /// Lets the N-th place that may fail, in what a process's calls do from now on, fail.
    ///
    /// - Parameters:
    ///   - number: 1 for the next one; 0 lets all succeed again.
    ///   - pid: the process.
    mutating func failPlace(_ number: UInt32, of pid: Int) {
        pages.faults.arm(number, pid: pid)
        slab.alwaysLeavesFastPath = pages.faults.isArmed
    }

    /// Asks whether a place is to fail; the log says so then.
    ///
    /// - Parameters:
    ///   - site: where.
    ///   - flags: of an allocation.
    ///   - context: whose code runs.
    /// - Returns: whether it is.
    @inline(never)
    mutating func injectsFault(
        at site: FaultInjection.Site,
        _ flags: GFPFlags = [],
        in context: CallContext
    ) -> Bool {
        pages.faults.enter(context)
        let isFailing = pages.faults.shouldFail(site, flags)
        if isFailing { _ = logInjectedFaults(context) }
        return isFailing
    }

    /// Prints what failures were forced: `fail_dump()`, but for the call trace.
    ///
    /// - Returns: whether there was one.
    @inline(never)
    mutating func logInjectedFaults(_ context: CallContext) -> Bool {
        let failures = pages.faults.takeUnlogged()
        for failure in failures {
            log.append("FAULT_INJECTION: forcing a failure.")
            log.append(
                "name \(failure.site.rawValue), interval 1, probability 0, space 0, "
                    + "times \(failure.times)"
            )
            logProcess(context)
        }
        slab.alwaysLeavesFastPath = pages.faults.isArmed
        return !failures.isEmpty
    }
}
