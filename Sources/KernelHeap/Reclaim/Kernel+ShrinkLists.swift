/// Pages are taken from the tails of the LRU lists: `shrink_lruvec()`, `mm/vmscan.c`, 6.1.
extension Kernel {
    /// Looks at the pages of a node and at its shrinkers: `shrink_node()`.
    mutating func shrink(node: Int, _ scan: inout ScanControl) {
        scan.counts = ScanCounts()
        // What is freed on the way explains nothing.
        let wasExplaining = pages.decisions.pause()
        defer { pages.decisions.resume(wasExplaining) }
        let reclaimedBefore = scan.reclaimed
        let groups = scannedGroups(scan)
        prepareScan(node: node, groups, &scan)
        for group in groups { shrinkLists(node: node, group, &scan) }
        // Clients' shrinkers know nothing of groups.
        if scan.group == 0 { scan.reclaimed += shrinkSlabs(node: node, scan) }
        noteState(of: node, scan)
        if scan.reclaimed > reclaimedBefore { changeReclaimState(node) { $0.failures = 0 } }
    }

    /// What the next run must know, and the waits of this one: the end of `shrink_node()`.
    private mutating func noteState(of node: Int, _ scan: ScanControl) {
        let counts = scan.counts
        if counts.unqueued > 0, counts.unqueued == counts.taken { startWriteback() }
        guard scan.isKswapd else {
            if counts.writeback > 0 || counts.immediate > 0 { endWriteback() }
            return
        }
        changeReclaimState(node) { state in
            state.isWriting = counts.writeback > 0 && counts.writeback == counts.taken
            state.isDirty = counts.unqueued > 0 && counts.unqueued == counts.filesTaken
        }
        if counts.immediate > 0 || counts.writeback > 0 { endWriteback() }
    }

    /// `shrink_lruvec()`: in turns of 32 pages, until enough were freed; then the lists' parts are
    /// kept as they were meant.
    private mutating func shrinkLists(node: Int, _ group: Int, _ scan: inout ScanControl) {
        let targets = scanTargets(node: node, group, scan)
        var left = targets
        let isProportional = !scan.isKswapd && scan.priority == ScanControl.startPriority
        var isAdjusted = isProportional
        let lists: [LRUList] = [.inactiveAnon, .activeAnon, .inactiveFile, .activeFile]
        while left[0] > 0 || left[2] > 0 || left[3] > 0 {
            for list in lists where left[list.rawValue] > 0 {
                let count = min(left[list.rawValue], ScanControl.clusterPages)
                left[list.rawValue] -= count
                shrink(list, node: node, group, count, &scan)
            }
            if scan.reclaimed < scan.wanted || isAdjusted { continue }
            guard left[0] + left[1] > 0, left[2] + left[3] > 0 else { break }
            adjust(&left, targets)
            isAdjusted = true
        }
        if swap.totalPages > 0, isInactiveLow(node, [group], isFile: false) {
            shrinkActive(.activeAnon, node: node, group, ScanControl.clusterPages, &scan)
        }
    }

    /// Enough was freed: the kind that has less left is let be, the other one in proportion.
    private func adjust(_ left: inout ScanTargets, _ targets: ScanTargets) {
        let anon = left[0] + left[1]
        let file = left[2] + left[3]
        let smaller = file > anon ? 0 : 2
        let target = targets[smaller] + targets[smaller + 1] + 1
        let percentage = min(anon, file) * 100 / target
        left[smaller] = 0
        left[smaller + 1] = 0
        for list in [2 - smaller, 3 - smaller] {
            let looked = targets[list] - left[list]
            let rest = targets[list] * (100 - min(percentage, 100)) / 100
            left[list] = max(rest - looked, 0)
        }
    }

    private mutating func shrink(
        _ list: LRUList,
        node: Int,
        _ group: Int,
        _ count: Int,
        _ scan: inout ScanControl
    ) {
        switch list {
        case .activeAnon:
            if scan.mayDeactivate.anon { shrinkActive(list, node: node, group, count, &scan) }
        case .activeFile:
            if scan.mayDeactivate.file { shrinkActive(list, node: node, group, count, &scan) }
        case .inactiveAnon, .inactiveFile: shrinkInactive(list, node: node, group, count, &scan)
        case .unevictable: break
        }
    }

    /// Takes pages from a list's tail that the reclaim may help itself with; pages of higher zones
    /// are passed over and stand at the head afterwards: `isolate_lru_pages()`.
    private mutating func oldestPages(
        _ list: LRUList,
        node: Int,
        _ group: Int,
        _ count: Int,
        _ scan: ScanControl
    ) -> [UInt32] {
        var taken: [UInt32] = []
        var skipped: [UInt32] = []
        var next = lru.oldest(node: node, group: group, list)
        while let pfn = next, taken.count < count, skipped.count < 32 * ScanControl.clusterPages {
            next = lru.younger(than: pfn)
            let zone = pages.map[Int(pfn)].zone
            if pages.zones[zone].type > scan.highestZone {
                skipped.append(pfn)
            } else {
                taken.append(pfn)
            }
        }
        for pfn in skipped { rotate(pfn, toTail: false) }
        return taken
    }

    /// Pages that were not used since they were last looked at become inactive:
    /// `shrink_active_list()`.
    mutating func shrinkActive(
        _ list: LRUList,
        node: Int,
        _ group: Int,
        _ count: Int,
        _ scan: inout ScanControl
    ) {
        let taken = oldestPages(list, node: node, group, count, scan)
        var deactivated: UInt64 = 0
        for pfn in taken {
            let references = takeReferences(of: pfn, &scan.work)
            let isKept = references.map { $0.isLocked || ($0.count > 0 && $0.isExecutable) } ?? true
            if isKept, list == .activeFile || references?.isLocked != false {
                rotate(pfn, toTail: false)
                continue
            }
            unage(pfn, .active)
            deactivated += 1
        }
        events[.pgrefill] &+= UInt64(taken.count)
        events[.pgdeactivate] &+= deactivated
    }

    /// Frees inactive pages that can be: `shrink_inactive_list()`.
    private mutating func shrinkInactive(
        _ list: LRUList,
        node: Int,
        _ group: Int,
        _ count: Int,
        _ scan: inout ScanControl
    ) {
        let taken = oldestPages(list, node: node, group, count, scan)
        guard !taken.isEmpty else { return }
        var freed = 0
        for pfn in taken where reclaim(pfn, &scan) == .freed { freed += 1 }
        scan.scanned += taken.count
        scan.reclaimed += freed
        scan.counts.taken += taken.count
        if list == .inactiveFile { scan.counts.filesTaken += taken.count }
        noteCost(node, isFile: list == .inactiveFile, pages: taken.count - freed)
        countScan(list, scanned: taken.count, freed: freed, isKswapd: scan.isKswapd)
        if group > 0 { countScan(of: group, taken.count, freed, scan) }
    }

    private mutating func countScan(
        of group: Int,
        _ scanned: Int,
        _ freed: Int,
        _ scan: ScanControl
    ) {
        var statistics = cgroups[group].statistics
        if scan.isKswapd {
            statistics.scannedByKswapd &+= UInt64(scanned)
            statistics.freedByKswapd &+= UInt64(freed)
        } else {
            statistics.scannedDirectly &+= UInt64(scanned)
            statistics.freedDirectly &+= UInt64(freed)
        }
        cgroups[group].statistics = statistics
    }

    private mutating func countScan(_ list: LRUList, scanned: Int, freed: Int, isKswapd: Bool) {
        let isFile = list == .inactiveFile
        events[isKswapd ? .pgscanKswapd : .pgscanDirect] &+= UInt64(scanned)
        events[isFile ? .pgscanFile : .pgscanAnon] &+= UInt64(scanned)
        events[isKswapd ? .pgstealKswapd : .pgstealDirect] &+= UInt64(freed)
        events[isFile ? .pgstealFile : .pgstealAnon] &+= UInt64(freed)
    }
}
