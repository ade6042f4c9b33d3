/// Who is short of memory frees some himself: `try_to_free_pages()`, `mm/vmscan.c`, 6.1.
extension Kernel {
    /// Frees pages for a request.
    ///
    /// - Parameters:
    ///   - request: what is wanted; its flags say what may be done for it.
    ///   - context: who waits meanwhile.
    /// - Returns: pages freed; where a large block could already be made by compaction, 1.
    mutating func directReclaim(_ request: AllocationRequest, in context: CallContext) -> Int {
        var scan = ScanControl(
            flags: request.flags,
            order: request.order,
            highestZone: request.highestZone,
            cpu: context.cpu
        )
        events[request.highestZone.stallCounter] &+= 1
        while scan.priority >= 0 {
            scan.scanned = 0
            let (nodes, isReady) = reclaimedNodes(request)
            for node in nodes { shrink(node: node, &scan) }
            if scan.reclaimed >= scan.wanted { break }
            if isReady { return max(scan.reclaimed, 1) }
            scan.priority -= 1
        }
        if pages.decisions.isOn {
            pages.decisions.add(.reclaimed(pages: scan.reclaimed, priority: max(scan.priority, 0)))
        }
        return scan.reclaimed
    }

    /// The nodes that the request's zones belong to, in the order in which it prefers them:
    /// `shrink_zones()`.
    ///
    /// - Returns: the nodes, but for zones that compaction could help, and whether there are such.
    private func reclaimedNodes(_ request: AllocationRequest) -> (nodes: [Int], isReady: Bool) {
        let list = pages.zonelist(of: request)
        let isCostly = request.order > GFPFlags.costlyOrder
        var nodes: [Int] = []
        var isReady = false
        for position in 0..<list.count {
            if isCostly, mayCompact(request, zone: list[position]) {
                isReady = true
                continue
            }
            let node = pages.zones[list[position]].node
            if !nodes.contains(node) { nodes.append(node) }
        }
        return (nodes, isReady)
    }

    /// Pages of a zone that reclaim may find something in: `zone_reclaimable_pages()`.
    func reclaimablePages(zone: Int) -> Int {
        var count = lru.count(zone: zone, .inactiveFile) + lru.count(zone: zone, .activeFile)
        if swap.freePages > 0 {
            count += lru.count(zone: zone, .inactiveAnon) + lru.count(zone: zone, .activeAnon)
        }
        return count
    }
}

extension ZoneType {
    /// The event of a request that had to wait for reclaim.
    var stallCounter: VMEventCounter {
        switch self {
        case .dma: .allocstallDMA
        case .dma32: .allocstallDMA32
        case .normal, .highMem: .allocstallNormal
        case .movable: .allocstallMovable
        case .device: .allocstallDevice
        }
    }
}
