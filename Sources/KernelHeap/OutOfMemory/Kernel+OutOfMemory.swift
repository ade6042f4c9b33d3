/// The OOM killer: `mm/oom_kill.c`, 6.1.
extension Kernel {
    /// What became of a request that found nothing left to free.
    enum KillerOutcome {
        /// Nobody may be killed for it.
        case nothing
        /// It waits until others free memory, and there is nobody else.
        case waiting
        /// The process that asks is ended when its call is: it may have a part of the reserve.
        case killedCaller
        /// A process was ended and its memory freed.
        case killed
    }

    /// Ends a process, where the request is one that this may be done for:
    /// `__alloc_pages_may_oom()`.
    mutating func outOfMemory(
        _ request: AllocationRequest,
        in context: CallContext
    ) -> KillerOutcome {
        let isFit =
            request.order <= GFPFlags.costlyOrder && request.highestZone >= .normal
            && request.flags.isDisjoint(with: [.thisNode, .retryMayFail])
        guard isFit, !isProbe, !isKillerOff else { return .nothing }
        if dyingProcess == context.pid { return .killedCaller }
        // Without the filesystem nothing was tried in earnest: nobody is killed for it.
        guard request.flags.contains(.fs) else { return .waiting }
        if tuning.panicOnOOM > 0 {
            logOOMHeader(request, in: context)
            let kind = tuning.panicOnOOM == 2 ? "compulsory" : "system-wide"
            panic("Out of memory: \(kind) panic_on_oom is enabled")
            return .nothing
        }
        guard let victim = chooseVictim(context) else {
            logOOMHeader(request, in: context)
            log.append("Out of memory and no killable processes...")
            panic("System is deadlocked on memory")
            return .nothing
        }
        logOOMHeader(request, in: context)
        killWithGroup(victim, in: context)
        return dyingProcess == processes[victim].pid ? .killedCaller : .killed
    }

    /// The process whose end frees most, by its place: `select_bad_process()`.
    private func chooseVictim(_ context: CallContext) -> Int? {
        if tuning.killsAllocatingTask != 0, let own = process(context.pid), isKillable(own) {
            return own
        }
        var victim: (place: Int, points: Int)?
        for place in processes.indices where isKillable(place) {
            let points = badness(place)
            // Of those that are alike the last one is taken.
            if points >= victim?.points ?? .min { victim = (place, points) }
        }
        return victim?.place
    }

    func isKillable(_ place: Int) -> Bool {
        place > 0 && !startingProcesses.contains(processes[place].pid) && processes[place].isAlive
            && processes[place].oomScoreAdjustment > -1000
    }

    /// `oom_badness()`: pages in memory and in swap and of tables, and the process's own adjustment.
    ///
    /// - Parameters:
    ///   - place: the process's.
    ///   - most: pages that its group may have; nil for all memory.
    /// - Returns: points; who has most is killed.
    func badness(_ place: Int, of most: UInt64? = nil) -> Int {
        let space = processes[place].space
        let points = space.residentPages &+ space.swapEntries &+ UInt64(space.tableCount)
        let total = Int(clamping: (most ?? managedMemoryPages) &+ swap.totalPages)
        return Int(clamping: points) + processes[place].oomScoreAdjustment * (total / 1000)
    }

    /// `/proc/<pid>/oom_score`: badness in 1500ths of all memory, 1000 above nothing at all.
    ///
    /// The first process, and who must never be killed, has none.
    func oomScore(_ place: Int) -> Int {
        guard isKillable(place) else { return 0 }
        let total = Int(clamping: managedMemoryPages &+ swap.totalPages)
        return max(0, (1000 + badness(place) * 1000 / max(total, 1)) * 2 / 3)
    }

    private var managedMemoryPages: UInt64 {
        pages.zones.indices.reduce(0) { $0 &+ pages.zones[$1].managed }
    }

    /// `__oom_kill_process()`; the reaper frees what it can before anything else happens.
    ///
    /// - Parameters:
    ///   - place: the victim's.
    ///   - context: who was short of memory.
    ///   - group: the memory cgroup that is at its limit; nil where the machine is.
    ///   - isSummed: whether the log says first why it is this one.
    mutating func kill(
        _ place: Int,
        in context: CallContext,
        constrainedTo group: Int? = nil,
        isSummed: Bool = true
    ) {
        let victim = processes[place]
        let space = victim.space
        events[.oomKill] &+= 1
        cgroups.count(\.oomKill, in: victim.cgroup)
        if isSummed { log.append(killSummary(victim, group)) }
        let head = group == nil ? "Out of memory" : "Memory cgroup out of memory"
        log.append(
            "\(head): Killed process \(victim.pid) (\(victim.name)) "
                + "total-vm:\(space.mappedPages * 4)kB, anon-rss:\(space.anonymousPages * 4)kB, "
                + "file-rss:0kB, shmem-rss:\(space.filePages * 4)kB, UID:0 "
                + "pgtables:\(space.tableCount * 4)kB "
                + "oom_score_adj:\(victim.oomScoreAdjustment)"
        )
        if kills.count == ProcessKill.limit { kills.removeFirst() }
        kills.append(ProcessKill(victim, for: context.pid, at: sequence))
        if pages.decisions.isOn {
            let resident = space.residentPages
            pages.decisions.add(.processKilled(pid: victim.pid, pages: resident))
        }
        if victim.pid == context.pid || victim.pid == runningProcess {
            dyingProcess = victim.pid
            return
        }
        // A driver's release() may ask for memory: one death does not bring about the next.
        isKillerOff = true
        endProcess(place, cpu: context.cpu)
        isKillerOff = false
    }

    /// `dump_oom_summary()`.
    private func killSummary(_ victim: Process, _ group: Int?) -> String {
        let constraint = group == nil ? "CONSTRAINT_NONE" : "CONSTRAINT_MEMCG"
        let scope = group.map { "oom_memcg=\(cgroups[$0].path)" } ?? "global_oom"
        return
            "oom-kill:constraint=\(constraint),nodemask=(null),cpuset=/,mems_allowed=\(nodeMask),"
            + "\(scope),task_memcg=\(cgroups[victim.cgroup].path),task=\(victim.name),"
            + "pid=\(victim.pid),uid=0"
    }

    /// The process that ran was killed: it ends before anything else runs.
    mutating func endDyingProcess(_ pid: Int, in context: CallContext) {
        dyingProcess = nil
        guard let place = process(pid), place > 0 else { return }
        isKillerOff = true
        endProcess(place, cpu: context.cpu)
        isKillerOff = false
    }

    /// `panic()`.
    mutating func panic(_ text: String) { log.panic(text) }

    /// `0`, or `0-1` on a machine of two nodes.
    var nodeMask: String { slab.nodeCount > 1 ? "0-\(slab.nodeCount - 1)" : "0" }
}
