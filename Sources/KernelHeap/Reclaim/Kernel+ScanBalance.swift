/// How much of which list is looked at: `get_scan_count()`, `mm/vmscan.c`, 6.1.
extension Kernel {
    /// Pages to look at, by list.
    typealias ScanTargets = InlineArray<4, Int>

    /// `prepare_scan_count()`.
    func prepareScan(node: Int, _ groups: [Int], _ scan: inout ScanControl) {
        scan.mayDeactivate = (
            isInactiveLow(node, groups, isFile: false), isInactiveLow(node, groups, isFile: true)
        )
        let file = lruSize(node: node, .inactiveFile, groups)
        scan.trimsCache = file >> scan.priority > 0 && !scan.mayDeactivate.file
        // Whether the machine has few pages of files says nothing of a group.
        guard scan.group == 0 else { return }
        var free = 0
        var high = 0
        for zone in pages.zones.indices where pages.zones[zone].node == node {
            free += pages.zones[zone].free
            high += pages.zones[zone].watermarks.high + pages.zones[zone].watermarks.boost
        }
        let files = file + lruSize(node: node, .activeFile)
        let anon = lruSize(node: node, .inactiveAnon)
        scan.isFileTiny =
            files + free <= high && !scan.mayDeactivate.anon && anon >> scan.priority > 0
    }

    /// `get_scan_count()`.
    func scanTargets(node: Int, _ group: Int, _ scan: ScanControl) -> ScanTargets {
        let lists: [LRUList] = [.inactiveAnon, .activeAnon, .inactiveFile, .activeFile]
        let (anon, file) = scanShares(node: node, scan)
        var targets = ScanTargets(repeating: 0)
        for list in lists {
            let size = lruSize(node: node, list, upTo: scan.highestZone, group: group)
            let part = list.rawValue < 2 ? anon : file
            targets[list.rawValue] = (size >> scan.priority) * part / max(anon + file, 1)
            if anon == 1, file == 1 { targets[list.rawValue] = size >> scan.priority }
        }
        return targets
    }

    /// The parts of anonymous memory and of files: 0 leaves a kind alone, both 1 take all.
    private func scanShares(node: Int, _ scan: ScanControl) -> (anon: Int, file: Int) {
        guard scan.maySwap, swap.freePages > 0 else { return (0, 200) }
        if scan.priority == 0, tuning.swappiness > 0 { return (1, 1) }
        if scan.isFileTiny { return (200, 0) }
        if scan.trimsCache { return (0, 200) }
        let state = reclaimState(node)
        let total = state.anonCost + state.fileCost
        let anonCost = total + state.anonCost
        let fileCost = total + state.fileCost
        let sum = anonCost + fileCost + 1
        let anon = tuning.swappiness * sum / (anonCost + 1)
        let file = (200 - tuning.swappiness) * sum / (fileCost + 1)
        return (anon, file)
    }

    /// Whether too few of a kind are inactive: `inactive_is_low()`.
    ///
    /// The larger the lists, the smaller the inactive part may be: half in little memory, a tenth in
    /// 10 GiB.
    func isInactiveLow(_ node: Int, _ groups: [Int], isFile: Bool) -> Bool {
        let inactive = lruSize(node: node, isFile ? .inactiveFile : .inactiveAnon, groups)
        let active = lruSize(node: node, isFile ? .activeFile : .activeAnon, groups)
        let gigabytes = (inactive + active) >> (30 - 12)
        let ratio = gigabytes > 0 ? Int(Double(10 * gigabytes).squareRoot()) : 1
        return inactive * ratio < active
    }

    private func lruSize(node: Int, _ list: LRUList, _ groups: [Int]) -> Int {
        groups.reduce(0) { $0 + lruSize(node: node, list, group: $1) }
    }

    func reclaimState(_ node: Int) -> NodeReclaimState {
        nodeReclaim.indices.contains(node) ? nodeReclaim[node] : NodeReclaimState()
    }

    /// Changes reclaim's memory of a node.
    mutating func changeReclaimState(_ node: Int, _ change: (inout NodeReclaimState) -> Void) {
        while nodeReclaim.count <= node, nodeReclaim.count < Self.maximumNodes {
            nodeReclaim.append(NodeReclaimState())
        }
        if nodeReclaim.indices.contains(node) { change(&nodeReclaim[node]) }
    }

    /// Pages were looked at or brought back in vain: `lru_note_cost()`.
    mutating func noteCost(_ node: Int, isFile: Bool, pages count: Int) {
        let size = [LRUList.inactiveAnon, .activeAnon, .inactiveFile, .activeFile]
            .reduce(0) { $0 + lruSize(node: node, $1) }
        changeReclaimState(node) { state in
            if isFile { state.fileCost += count } else { state.anonCost += count }
            if state.fileCost + state.anonCost > size / 4 {
                state.fileCost /= 2
                state.anonCost /= 2
            }
        }
    }
}
