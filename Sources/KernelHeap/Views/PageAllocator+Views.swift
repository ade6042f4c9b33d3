extension PageAllocator {
    /// The zone types that a machine's texts list, empty ones included.
    static let typesWithoutHighMemory: [ZoneType] = [.dma, .dma32, .normal, .movable, .device]
    static let typesWithHighMemory: [ZoneType] = [.dma, .normal, .highMem, .movable]

    /// Pages of a section of sparse memory, 128 MiB.
    private static let sectionPages: UInt64 = 1 << 15

    /// What every node and zone has at this moment.
    ///
    /// Counters that belong to other subsystems are left at 0. Costs the length of the free lists
    /// and the number of pageblocks, as reading the kernel's files does.
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
            let stats = NodeStats { hasNUMA || !$0.needsNUMA }
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
        guard let place else { return view }
        let zone = zones[place]
        view.startPFN = zone.startPFN
        view.spanned = zone.spanned
        view.present = zone.present
        view.managed = zone.managed
        view.free = pages(zone.free)
        view.boost = pages(zone.watermarks.boost)
        view.min = pages(zone.watermarks.min &+ zone.watermarks.boost)
        view.low = pages(zone.watermarks.low &+ zone.watermarks.boost)
        view.high = pages(zone.watermarks.high &+ zone.watermarks.boost)
        view.protection = types.map { pages(zone.lowmemReserve[Int($0.rawValue)]) }
        view.highAtomicReserved = pages(zone.highAtomicReserved)
        view.stats[.freePages] = view.free
        if hasNUMA {
            view.stats[.numaHit] = zone.hits
            view.stats[.numaMiss] = zone.misses
            view.stats[.numaForeign] = zone.foreign
            // Every request comes from a CPU of its own node, unless it was a miss.
            view.stats[.numaLocal] = zone.hits
            view.stats[.numaOther] = zone.misses
        }
        view.pageSets = (0..<cpuCount).map { pageSet(zone: place, cpu: $0) }
        view.freeBlocks = (0..<Zone.orderCount).map { order in
            MigrateType.allCases.map { pages(freeBlockCount(zone: place, order: order, type: $0)) }
        }
        view.pageblocks = pageblockCounts(of: zone)
        return view
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

    private func pageblockCounts(of zone: Zone) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: MigrateType.allCases.count)
        // A hole as large as a memory section has no pages to look at. The machines that boot from
        // a memory size have theirs at the end of DMA32.
        let sections = (zone.startPFN + zone.present + Self.sectionPages - 1) / Self.sectionPages
        let end = min(zone.endPFN, sections * Self.sectionPages)
        for pfn in stride(from: zone.startPFN, to: end, by: Self.pageblockPages) {
            counts[Int(pageblockType(of: UInt32(truncatingIfNeeded: pfn)).rawValue)] += 1
        }
        return counts
    }

    /// A count of pages as the kernel prints it: counters that lag may be below zero.
    private func pages(_ count: Int) -> UInt64 { UInt64(max(0, count)) }
}
