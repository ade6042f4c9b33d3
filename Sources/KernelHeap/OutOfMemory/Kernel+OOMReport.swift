/// What the log says before a process is killed: `dump_header()`, `mm/oom_kill.c`, 6.1.
///
/// The call trace is left out.
extension Kernel {
    mutating func logOOMHeader(_ request: AllocationRequest, in context: CallContext) {
        logOOMCaller(request.flags, order: request.order, in: context)
        for line in memoryReport(highestZone: .device, context).lines { log.append(line) }
        if hasMostlySlabs {
            for line in UnreclaimableSlabReport.lines(cacheViews()) { log.append(line) }
        }
        if tuning.dumpsTasks != 0 { for line in taskLines() { log.append(line) } }
    }

    /// Who was short of memory, and where.
    mutating func logOOMCaller(_ flags: GFPFlags, order: Int, in context: CallContext) {
        let place = process(context.pid)
        let name = place.map { processes[$0].name } ?? "swapper/\(context.cpu)"
        let adjustment = place.map { processes[$0].oomScoreAdjustment } ?? 0
        let mode = hexadecimal(UInt64(profile.gfp.number(of: flags)))
        log.append(
            "\(name) invoked oom-killer: gfp_mask=\(mode)(\(profile.gfp.text(of: flags))), "
                + "order=\(order), oom_score_adj=\(adjustment)"
        )
        logProcess(context)
    }

    /// `should_dump_unreclaim_slab()`: caches that cannot shrink have more than processes and files.
    private var hasMostlySlabs: Bool {
        let nodes = nodeViews()
        let lists: [NodeCounter] = [
            .activeAnon, .inactiveAnon, .activeFile, .inactiveFile, .isolatedAnon, .isolatedFile,
            .unevictable,
        ]
        let onLists = nodes.reduce(UInt64(0)) { sum, node in
            lists.reduce(sum) { $0 &+ node.stats[$1] }
        }
        return nodes.reduce(0) { $0 &+ $1.stats[.slabUnreclaimable] } > onLists
    }

    /// `dump_tasks()`: every process that could be killed.
    func taskLines(where isShown: (Process) -> Bool = { _ in true }) -> [String] {
        var lines = [
            "Tasks state (memory values in pages):",
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        ]
        for process in processes.dropFirst() where process.isAlive && isShown(process) {
            let space = process.space
            let pid = column("\(process.pid)", 7)
            let numbers = [
                column("0", 5), column("\(process.pid)", 5), column("\(space.mappedPages)", 8),
                column("\(space.residentPages)", 8), column("\(space.tableCount * 4096)", 8),
                column("\(space.swapEntries)", 8) + "        ",
                column("\(process.oomScoreAdjustment)", 5),
            ]
            lines.append("[\(pid)] " + numbers.joined(separator: " ") + " " + process.name)
        }
        return lines
    }

    private func column(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}
