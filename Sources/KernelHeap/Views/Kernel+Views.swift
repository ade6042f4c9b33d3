/// The machine's state as values, for text, JSON and pictures.
extension Kernel {
    /// Every node with its zones, empty zones included.
    public func nodeViews() -> [NodeView] {
        (0..<slab.nodeCount).map { node in
            NodeView(
                id: node,
                stats: nodeStats(node),
                zones: ZoneType.allCases.filter { $0 != .highMem }.map { type in
                    zoneView(node: node, type: type)
                }
            )
        }
    }

    /// The zones that have memory, in the order of their frames.
    public func zoneViews() -> [ZoneView] {
        pages.zones.indices.map { zoneView(index: $0) }
    }

    /// Every slab cache, newest first as in the kernel's own list.
    public func cacheViews() -> [CacheView] {
        slab.catalog.geometries.indices.reversed().map { cache in
            let geometry = slab.catalog.geometries[cache]
            var objects = 0
            var slabs = 0
            var free = 0
            for node in 0..<slab.nodeCount {
                let state = slab.nodes[cache * slab.nodeCount + node]
                objects += state.objectCount
                slabs += state.slabCount
                free += slab.freeObjects(onPartialListOf: cache, node: node)
            }
            return CacheView(
                name: slab.catalog.names[cache],
                activeObjects: UInt64(max(objects - free, 0)),
                objects: UInt64(objects),
                objectSize: UInt64(geometry.size),
                objectsPerSlab: geometry.objectsPerSlab,
                pagesPerSlab: 1 << geometry.order,
                activeSlabs: UInt64(slabs),
                slabs: UInt64(slabs)
            )
        }
    }

    /// The machine's memory at a glance.
    public func memInfoView() -> MemInfoView {
        var elsewhere = MemInfoView.Elsewhere()
        let bytes = processes.reduce(UInt64(0)) { sum, process in
            process.space.areas.reduce(sum) {
                $0 &+ ($1.rights.contains(.write) ? $1.length : 0)
            }
        }
        elsewhere.committed = bytes / 4096
        elsewhere.perCPU = UInt64(machine.cpus) * 62
        return MemInfoView(nodes: nodeViews(), elsewhere: elsewhere)
    }

    private func zoneView(node: Int, type: ZoneType) -> ZoneView {
        for index in pages.zones.indices
        where pages.zones[index].node == node && pages.zones[index].type == type {
            return zoneView(index: index)
        }
        var empty = ZoneView(node: node, type: type)
        empty.protection = [0, 0, 0, 0, 0]
        return empty
    }

    private func zoneView(index: Int) -> ZoneView {
        let zone = pages.zones[index]
        let marks = zone.watermarks
        var view = ZoneView(node: zone.node, type: zone.type)
        view.free = UInt64(max(pages.exactFreePages(zone: index), 0))
        view.boost = UInt64(marks.boost)
        view.min = UInt64(marks.min + marks.boost)
        view.low = UInt64(marks.low + marks.boost)
        view.high = UInt64(marks.high + marks.boost)
        view.startPFN = zone.startPFN
        view.spanned = zone.spanned
        view.present = zone.present
        view.managed = zone.managed
        view.protection = ZoneType.allCases.filter { $0 != .highMem }
            .map { UInt64(zone.lowmemReserve[Int($0.rawValue)]) }
        view.stats[.freePages] = view.free
        view.stats[.inactiveAnon] = UInt64(pages.lruPageCount(zone: index))
        view.stats[.numaHit] = zone.hits
        view.stats[.numaLocal] = zone.hits
        view.stats[.numaMiss] = zone.misses
        view.stats[.numaOther] = zone.misses
        view.stats[.numaForeign] = zone.foreign
        view.pageSets = (0..<pages.cpuCount).map { cpu in
            let lists = pages.perCPU[pages.perCPUIndex(zone: index, cpu: cpu)]
            return ZoneView.PageSet(
                cpu: cpu,
                count: UInt64(max(lists.count, 0)),
                high: UInt64(lists.high),
                batch: UInt64(lists.batch),
                statThreshold: zone.statThreshold
            )
        }
        view.freeBlocks = (0...Zone.maxOrder).map { order in
            MigrateType.allCases.map {
                UInt64(pages.freeBlockCount(zone: index, order: order, type: $0))
            }
        }
        view.pageblocks = pages.pageblockCounts(zone: index)
        return view
    }

    private func nodeStats(_ node: Int) -> NodeStats {
        var stats = NodeStats()
        for cache in slab.catalog.geometries.indices {
            let geometry = slab.catalog.geometries[cache]
            let slabs = slab.nodes[cache * slab.nodeCount + node].slabCount
            let counter: NodeCounter =
                geometry.flags.contains(.reclaimAccount) ? .slabReclaimable : .slabUnreclaimable
            stats[counter] += UInt64(slabs) << UInt64(geometry.order)
        }
        for index in pages.zones.indices where pages.zones[index].node == node {
            let anonymous = UInt64(pages.lruPageCount(zone: index))
            stats[.inactiveAnon] += anonymous
            stats[.anonPages] += anonymous
        }
        return stats
    }
}

extension PageAllocator {
    /// Pageblocks of a zone by class; blocks in a hole at the zone's end do not count.
    func pageblockCounts(zone: Int) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: MigrateType.allCases.count)
        let bounds = zones[zone]
        let first = Int(bounds.startPFN) / Self.pageblockPages
        let end = bounds.startPFN + bounds.present + UInt64(Self.pageblockPages) - 1
        forEachPageblock(first..<max(Int(end) / Self.pageblockPages, first)) { type, count in
            counts[Int(type.rawValue)] += UInt64(count)
        }
        return counts
    }

    /// Pages of a zone that sit on LRU lists.
    func lruPageCount(zone: Int) -> Int {
        let bounds = zones[zone]
        let first = Int(bounds.startPFN) / Self.pageblockPages
        let end = Int(bounds.endPFN - 1) / Self.pageblockPages
        return lruPages.reduce(first...end, 0) { $0 + Int($1) }
    }
}

extension SlabAllocator {
    /// Free objects of a node's partial slabs: `count_partial()`.
    func freeObjects(onPartialListOf cache: Int, node: Int) -> Int {
        var free = 0
        var number = nodes[cache * nodeCount + node].partial.head
        while number != Slab.none {
            let slab = slabs[Int(number)]
            free += Int(slab.objects) - Int(slab.inuse)
            number = slab.next
        }
        return free
    }
}
