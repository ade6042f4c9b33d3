extension PageAllocator {
    /// The zone types that a machine's texts list, empty ones included.
    static let typesWithoutHighMemory: [ZoneType] = [.dma, .dma32, .normal, .movable, .device]
    static let typesWithHighMemory: [ZoneType] = [.dma, .normal, .highMem, .movable]

    static func zoneTypes(has32Bits: Bool) -> [ZoneType] {
        has32Bits ? typesWithHighMemory : typesWithoutHighMemory
    }

    /// The types of this machine's kernel.
    var zoneTypes: [ZoneType] { Self.zoneTypes(has32Bits: layout.is32Bit) }

    /// What every node and zone has at this moment.
    ///
    /// Counters that belong to other subsystems are left at 0. Costs the length of the free lists
    /// and what was touched of the pageblocks.
    ///
    /// - Parameters:
    ///   - types: the zone types to list for each node, lowest first.
    ///   - hasNUMA: whether the kernel counts NUMA events.
    /// - Returns: one view per node, in order.
    func nodeViews(
        types: [ZoneType] = typesWithoutHighMemory,
        hasNUMA: Bool = true
    ) -> [NodeView] {
        var ids: [Int] = []
        for index in zones.indices where !ids.contains(zones[index].node) {
            ids.append(zones[index].node)
        }
        return ids.sorted().map { id in
            let views = types.map { type in
                zoneView(node: id, type: type, types: types, hasNUMA: hasNUMA)
            }
            var stats = NodeStats { hasNUMA || !$0.needsNUMA }
            for view in views {
                stats[.inactiveAnon] &+= view.stats[.inactiveAnon]
                stats[.anonPages] &+= view.stats[.inactiveAnon]
            }
            return NodeView(id: id, stats: stats, zones: views)
        }
    }

    private func zoneView(
        node: Int,
        type: ZoneType,
        types: [ZoneType],
        hasNUMA: Bool
    ) -> ZoneView {
        var view = ZoneView(node: node, type: type)
        view.stats = ZoneStats { hasNUMA || !$0.needsNUMA }
        view.protection = types.map { _ in 0 }
        let place = zones.indices.first { zones[$0].node == node && zones[$0].type == type }
        guard let place else {
            // High memory's least mark goes for an empty zone of that kind too.
            let isHigh = type == .highMem || (type == .movable && hasHighZone)
            if layout.is32Bit && isHigh { (view.min, view.low, view.high) = (32, 32, 32) }
            return view
        }
        let zone = zones[place]
        view.startPFN = zone.startPFN
        view.spanned = zone.spanned
        view.present = zone.present
        view.managed = zone.managed
        view.free = pages(exactFreePages(zone: place))
        view.boost = pages(zone.watermarks.boost)
        view.min = pages(zone.watermarks.min &+ zone.watermarks.boost)
        view.low = pages(zone.watermarks.low &+ zone.watermarks.boost)
        view.high = pages(zone.watermarks.high &+ zone.watermarks.boost)
        view.protection = types.map { pages(zone.lowmemReserve[Int($0.rawValue)]) }
        view.highAtomicReserved = pages(zone.highAtomicReserved)
        view.stats[.freePages] = view.free
        // Pages that a given state has on LRU lists are nobody's here: inactive as new ones are.
        view.stats[.inactiveAnon] = lruPageCount(zone: place)
        if hasNUMA {
            view.stats[.numaHit] = zone.hits
            view.stats[.numaMiss] = zone.misses
            view.stats[.numaForeign] = zone.foreign
            view.stats[.numaLocal] = zone.hits &+ zone.misses &- zone.remote
            view.stats[.numaOther] = zone.remote
        }
        view.pageSets = (0..<cpuCount).map { pageSet(zone: place, cpu: $0) }
        view.freeBlocks = (0..<Zone.orderCount).map { order in
            MigrateType.allCases.map { pages(freeBlockCount(zone: place, order: order, type: $0)) }
        }
        view.pageblocks = pageblockCounts(zone: place)
        return view
    }

    var hasHighZone: Bool {
        zones.indices.contains { zones[$0].type == .highMem }
    }

    private func pageSet(zone: Int, cpu: Int) -> ZoneView.PageSet {
        let lists = perCPU[perCPUIndex(zone: zone, cpu: cpu)]
        return ZoneView.PageSet(
            cpu: cpu,
            count: pages(lists.count),
            high: pages(lists.high),
            batch: pages(lists.batch),
            statThreshold: zones[zone].statThreshold
        )
    }

    /// Pageblocks of a zone by class; blocks in a hole at the zone's end do not count.
    private func pageblockCounts(zone: Int) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: MigrateType.allCases.count)
        let bounds = zones[zone]
        let first = Int(bounds.startPFN) / pageblockPages
        let end = bounds.startPFN + bounds.present + UInt64(pageblockPages) - 1
        forEachPageblock(first..<max(Int(end) / pageblockPages, first)) { type, count in
            counts[Int(type.rawValue)] += UInt64(count)
        }
        return counts
    }

    /// Pages of a zone that sit on LRU lists.
    private func lruPageCount(zone: Int) -> UInt64 {
        let bounds = zones[zone]
        let first = Int(bounds.startPFN) / pageblockPages
        let end = Int(bounds.endPFN - 1) / pageblockPages
        return UInt64(lruPages.reduce(first...end, 0) { $0 + Int($1) })
    }

    /// A count of pages as the kernel prints it: counters that lag may be below zero.
    private func pages(_ count: Int) -> UInt64 { UInt64(max(0, count)) }
}
