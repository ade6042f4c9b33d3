/// The OOM killer inside a group: `mem_cgroup_out_of_memory()`, `mm/memcontrol.c`, 6.1.
extension Kernel {
    /// Ends a process of a group at its limit.
    ///
    /// - Parameters:
    ///   - group: with the limit.
    ///   - flags: of the request.
    ///   - context: who asked.
    /// - Returns: whether one was ended, or ends with its call.
    mutating func killInCgroup(
        _ group: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> Bool {
        guard !isProbe, !isKillerOff else { return false }
        cgroups.count(\.oom, in: group)
        if dyingProcess == context.pid { return true }
        let groups = Set(cgroups.subtree(of: group))
        var victim: (place: Int, points: Int)?
        for place in processes.indices
        where isKillable(place) && groups.contains(processes[place].cgroup) {
            let points = badness(place, of: cgroups[group].limits.max)
            if points >= victim?.points ?? .min { victim = (place, points) }
        }
        logCgroupHeader(group, flags, in: context)
        if tuning.panicOnOOM == 2 {
            panic("Out of memory: compulsory panic_on_oom is enabled")
            return false
        }
        guard let victim else {
            log.append("Out of memory and no killable processes...")
            return false
        }
        killWithGroup(victim.place, in: context, constrainedTo: group)
        return true
    }

    /// Ends a process, and where `memory.oom.group` says so those of its group with it:
    /// `oom_kill_process()`.
    mutating func killWithGroup(
        _ victim: Int,
        in context: CallContext,
        constrainedTo group: Int? = nil
    ) {
        let domain = group.map { Set(cgroups.subtree(of: $0)) }
        let whole = cgroups.lineage(of: processes[victim].cgroup).last { place in
            cgroups[place].isKilledWhole && domain?.contains(place) != false
        }
        kill(victim, in: context, constrainedTo: group)
        if let whole { killWhole(whole, but: victim, in: context) }
    }

    private mutating func killWhole(_ group: Int, but victim: Int, in context: CallContext) {
        cgroups.count(\.oomGroupKill, in: group)
        log.append(
            "Tasks in \(cgroups[group].path) are going to be killed due to memory.oom.group set"
        )
        let groups = Set(cgroups.subtree(of: group))
        for place in processes.indices where place != victim && isKillable(place) {
            guard groups.contains(processes[place].cgroup) else { continue }
            kill(place, in: context, constrainedTo: group, isSummed: false)
        }
    }

    /// `dump_header()` and `mem_cgroup_print_oom_meminfo()`; the call trace is left out.
    private mutating func logCgroupHeader(
        _ group: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) {
        logOOMCaller(flags, order: 0, in: context)
        let (usage, most) = (cgroups[group].usage, cgroups[group].limits.max)
        // `PAGE_COUNTER_MAX` pages where there is no limit.
        let limit = min(most, UInt64(Int64.max) / 4096)
        log.append(
            "memory: usage \(usage &* 4)kB, limit \(limit &* 4)kB, failcnt \(cgroups[group].failures)"
        )
        log.append("swap: usage 0kB, limit \(UInt64(Int64.max) / 4096 * 4)kB, failcnt 0")
        log.append("Memory cgroup stats for \(cgroups[group].path):")
        for line in cgroupView(group).statLines { log.append(line) }
        let groups = Set(cgroups.subtree(of: group))
        if tuning.dumpsTasks != 0 {
            for line in taskLines(where: { groups.contains($0.cgroup) }) { log.append(line) }
        }
    }
}
