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

    /// Counts the places that may fail, and lets one fail; the knobs that clients set are off.
    ///
    /// For forks that try out what a list of calls does when memory is short.
    ///
    /// - Parameters:
    ///   - number: 1 for the next place of whoever runs; nil only counts.
    ///   - sites: the places that count.
    package mutating func startFaultCountdown(_ number: UInt64?, sites: [FaultSite]) {
        pages.faults = FaultInjection(seed: machine.seed)
        pages.faults.startCountdown(number, sites: sites)
        slab.alwaysLeavesFastPath = pages.faults.isArmed
    }

    /// Places that were counted since `startFaultCountdown`.
    package var faultPlacesPassed: UInt64 { pages.faults.placesPassed }

    /// Turns knobs of a site.
    mutating func setFaultKnobs(_ site: FaultSite, _ change: (inout FaultAttribute) -> Void) {
        change(&pages.faults[site])
        slab.alwaysLeavesFastPath = pages.faults.isArmed
    }

    /// Takes `failslab=`, `fail_page_alloc=` and `fail_usercopy=` of the boot options, each
    /// `<interval>,<probability>,<space>,<times>`: `setup_fault_attr()`.
    mutating func setUpFaultInjection(_ options: BootOptions) {
        for site in FaultSite.allCases {
            guard let text = options.value(site.rawValue) else { continue }
            let numbers = text.split(separator: ",").map { Int32($0) }
            guard numbers.count == 4, let interval = numbers[0], let probability = numbers[1],
                let space = numbers[2], let times = numbers[3], interval >= 0, probability >= 0
            else {
                log.append("FAULT_INJECTION: failed to parse arguments")
                continue
            }
            setFaultKnobs(site) { attribute in
                attribute.interval = UInt64(interval)
                attribute.probability = UInt64(probability)
                attribute.space = space
                attribute.times = times
            }
        }
    }

    /// Asks whether a place is to fail; the log says so then.
    ///
    /// - Parameters:
    ///   - site: where.
    ///   - context: whose code runs.
    /// - Returns: whether it is.
    mutating func injectsFault(at site: FaultSite, in context: CallContext) -> Bool {
        injectsFault(FaultRequest(site: site), in: context)
    }

    /// The same for an object of a cache: `should_failslab()`.
    @inline(never)
    mutating func injectsSlabFault(
        ofCache cache: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> Bool {
        // The cache that describes caches is spared.
        guard cache != 0 else { return false }
        return injectsFault(
            FaultRequest(
                site: .slab,
                flags: flags,
                size: UInt64(slab.caches[cache].objectSize),
                isOfMarkedCache: slab.catalog.geometries[cache].flags.contains(.failSlab)
            ),
            in: context
        )
    }

    @inline(never)
    private mutating func injectsFault(
        _ request: FaultRequest,
        in context: CallContext
    ) -> Bool {
        pages.faults.enter(context)
        let isFailing = pages.faults.shouldFail(request)
        if isFailing { _ = logInjectedFaults(context) }
        return isFailing
    }

    /// Prints what failures were forced: `fail_dump()`, but for the call trace.
    ///
    /// - Returns: whether there was one.
    @inline(never)
    mutating func logInjectedFaults(_ context: CallContext) -> Bool {
        let failures = pages.faults.takeUnlogged()
        for failure in failures where !failure.isSilent && failure.attribute.verbose > 0 {
            let knobs = failure.attribute
            log.append("FAULT_INJECTION: forcing a failure.")
            log.append(
                "name \(failure.fault.site.rawValue), interval \(knobs.interval), "
                    + "probability \(knobs.probability), space \(knobs.space), "
                    + "times \(knobs.times)"
            )
            if knobs.verbose > 1 { logProcess(context) }
        }
        slab.alwaysLeavesFastPath = pages.faults.isArmed
        return !failures.isEmpty
    }
}
