/// kswapd, which keeps memory free between the low and the high marks: `balance_pgdat()`,
/// `mm/vmscan.c`, 6.1.
///
/// A request that finds its zones below low wakes it, and so does a boost of the marks. It runs when
/// the processor is next given up: before the next call that may sleep.
extension Kernel {
    /// Whether a node's kswapd or the disk has something to do.
    var hasReclaimWork: Bool { !pages.kswapdWakeups.isEmpty || !writingPages.isEmpty }

    /// What others do of reclaim when the processor is given up.
    @inline(never)
    mutating func runReclaimWork() {
        endWriteback()
        runKswapd()
    }

    /// Runs every kswapd that was woken.
    mutating func runKswapd() {
        let wakeups = pages.kswapdWakeups
        pages.kswapdWakeups = []
        for wakeup in wakeups {
            let isBoosted = isBoosted(node: wakeup.node, upTo: wakeup.highestZone)
            let order = wakeup.order
            defer { runKcompactd(node: wakeup.node, order: order, upTo: wakeup.highestZone) }
            if reclaimState(wakeup.node).isHopeless { continue }
            guard isBoosted || !isBalanced(wakeup.node, order: order, upTo: wakeup.highestZone)
            else { continue }
            _ = balance(node: wakeup.node, order: order, upTo: wakeup.highestZone)
        }
    }

    /// Works until a node is balanced, or nothing more can be done: `balance_pgdat()`.
    ///
    /// - Returns: pages freed.
    mutating func balance(node: Int, order: Int, upTo highest: ZoneType) -> Int {
        let boosts = boosts(node: node, upTo: highest)
        var boost = boosts.reduce(0) { $0 + $1.pages }
        var scan = ScanControl(
            flags: .kernel,
            order: order,
            highestZone: highest,
            cpu: firstCPU(of: node)
        )
        scan.isKswapd = true
        let highs = limitPerCPULists(node: node, upTo: highest)
        defer { for (place, high) in highs { pages.perCPU[place].high = high } }
        var isDone = false
        events[.pageoutrun] &+= 1
        while scan.priority >= 1 {
            let before = scan.reclaimed
            let isBalanced = isBalanced(node, order: scan.order, upTo: highest)
            if !isBalanced && boost > 0 {
                // Short of memory: it is about the marks now, not about the boost.
                boost = 0
                scan.priority = ScanControl.startPriority
                continue
            }
            isDone = boost == 0 && isBalanced
            if isDone { break }
            var rises = !(boost > 0 && scan.priority == ScanControl.startPriority - 2)
            scan.mayWrite = boost == 0 || scan.priority < ScanControl.startPriority - 2
            scan.maySwap = boost == 0
            ageActive(node: node, &scan)
            if shrinkForKswapd(node: node, upTo: highest, &scan) { rises = false }
            let freed = scan.reclaimed - before
            boost -= min(boost, freed)
            if boost > 0 && freed == 0 { break }
            if rises || freed == 0 { scan.priority -= 1 }
        }
        if scan.reclaimed == 0 && !isDone { changeReclaimState(node) { $0.failures += 1 } }
        for (zone, pages) in boosts {
            let left = self.pages.zones[zone].watermarks.boost
            self.pages.zones[zone].watermarks.boost = left - min(left, pages)
        }
        return scan.reclaimed
    }

    /// While kswapd works, the CPUs keep four batches at most, so that what it frees is seen to be
    /// free: `ZONE_RECLAIM_ACTIVE`.
    ///
    /// - Returns: the limits as they were, by the lists' places.
    private mutating func limitPerCPULists(
        node: Int,
        upTo highest: ZoneType
    ) -> [(place: Int, high: Int)] {
        var highs: [(place: Int, high: Int)] = []
        for zone in zones(of: node, upTo: highest) {
            for cpu in 0..<pages.cpuCount {
                let place = pages.perCPUIndex(zone: zone, cpu: cpu)
                let lists = pages.perCPU[place]
                highs.append((place, lists.high))
                pages.perCPU[place].high = min(lists.batch << 2, lists.high)
            }
        }
        return highs
    }

    /// `kswapd_shrink_node()`.
    ///
    /// - Returns: whether as much was looked at as was wanted.
    private mutating func shrinkForKswapd(
        node: Int,
        upTo highest: ZoneType,
        _ scan: inout ScanControl
    ) -> Bool {
        scan.wanted = zones(of: node, upTo: highest).reduce(0) {
            $0 + max(highMark($1), ScanControl.clusterPages)
        }
        scan.scanned = 0
        let before = scan.reclaimed
        shrink(node: node, &scan)
        // Enough single pages for a block: the rest is compaction's.
        if scan.order > 0, scan.reclaimed - before >= 2 << scan.order { scan.order = 0 }
        return scan.scanned >= scan.wanted
    }

    /// `kswapd_age_node()`.
    private mutating func ageActive(node: Int, _ scan: inout ScanControl) {
        guard swap.totalPages > 0 else { return }
        for group in cgroups.subtree(of: 0) where isInactiveLow(node, [group], isFile: false) {
            shrinkActive(.activeAnon, node: node, group, ScanControl.clusterPages, &scan)
        }
    }

    /// Whether one zone of a node could serve a block at its high mark: `pgdat_balanced()`.
    func isBalanced(_ node: Int, order: Int, upTo highest: ZoneType) -> Bool {
        let candidates = zones(of: node, upTo: highest)
        guard !candidates.isEmpty else { return true }
        return candidates.contains { zone in
            pages.hasBlock(zone: zone, order: order, above: highMark(zone), highest: highest)
        }
    }

    private func highMark(_ zone: Int) -> Int {
        pages.zones[zone].watermarks.high + pages.zones[zone].watermarks.boost
    }

    /// The zones of a node that have memory, up to one.
    private func zones(of node: Int, upTo highest: ZoneType) -> [Int] {
        pages.zones.indices.filter { place in
            let zone = pages.zones[place]
            return zone.node == node && zone.type <= highest && zone.managed > 0
        }
    }

    private func boosts(node: Int, upTo highest: ZoneType) -> [(zone: Int, pages: Int)] {
        zones(of: node, upTo: highest).compactMap { zone in
            let boost = pages.zones[zone].watermarks.boost
            return boost > 0 ? (zone, boost) : nil
        }
    }

    private func isBoosted(node: Int, upTo highest: ZoneType) -> Bool {
        !boosts(node: node, upTo: highest).isEmpty
    }

    private func firstCPU(of node: Int) -> Int { min(node, max(machine.cpus - 1, 0)) }
}
