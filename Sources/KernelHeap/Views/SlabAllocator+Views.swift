extension SlabAllocator {
    /// A cache as `get_slabinfo()` counts it: what lies in CPUs' slabs counts as handed out.
    func view(_ cache: Int) -> CacheView {
        let shape = caches[cache]
        var slabCount = 0
        var objects = 0
        var free = 0
        for node in 0..<nodeCount {
            let state = nodes[cache * nodeCount + node]
            slabCount += state.slabCount
            objects += state.objectCount
            free += partialObjects(of: cache, node: node).free
        }
        return CacheView(
            name: catalog.names[cache],
            activeObjects: count(objects - free),
            objects: count(objects),
            objectSize: UInt64(shape.size),
            objectsPerSlab: Int(shape.objects),
            pagesPerSlab: 1 << Int(shape.order),
            activeSlabs: count(slabCount),
            slabs: count(slabCount),
            isReclaimable: shape.flags.contains(.reclaimable)
        )
    }

    /// A cache's layout, and where its slabs are.
    func detail(_ cache: Int) -> CacheDetailView {
        let name = catalog.names[cache]
        var view = CacheDetailView(name: name, geometry: catalog.geometries[cache])
        view.aliasCount = catalog.aliasCount(cache)
        if catalog.records[cache].constructor != nil { view.constructor = "ctor+0x0/0x10" }
        view.nodes = (0..<nodeCount).map { node in
            let state = nodes[cache * nodeCount + node]
            let partial = partialObjects(of: cache, node: node)
            var view = CacheDetailView.Node(id: node)
            view.slabs = count(state.slabCount)
            view.objects = count(state.objectCount)
            view.partialSlabs = count(state.partial.count)
            view.partialObjectsInUse = count(partial.inUse)
            view.partialObjectsFree = count(partial.free)
            return view
        }
        for cpu in 0..<cpuCount {
            let place = place(cache, cpu: cpu)
            let own = place < cpuSlabs.count ? cpuSlabs[place] : CPUSlab()
            if own.slab != Slab.none { view.nodes[Int(slabs[Int(own.slab)].node)].cpuSlabs += 1 }
            let head = own.partial
            let length = UInt64(own.partialCount)
            view.cpuPartialSlabs.append(length)
            if head != Slab.none { view.nodes[Int(slabs[Int(head)].node)].cpuSlabs += length }
        }
        return view
    }

    /// Adds the pages of a node's slabs to its counters.
    func addPages(ofNode node: Int, to stats: inout NodeStats) {
        guard node < nodeCount else { return }
        for cache in 0..<catalog.count {
            let shape = caches[cache]
            let state = nodes[cache * nodeCount + node]
            // Slabs of the smallest order, made when memory was short, hold fewer objects.
            let missing = state.slabCount * Int(shape.objects) - state.objectCount
            let fewer = Int(shape.objects) - Int(shape.minObjects)
            let small = fewer > 0 ? missing / fewer : 0
            let large = (state.slabCount - small) << Int(shape.order)
            let isReclaimable = shape.flags.contains(.reclaimable)
            stats[isReclaimable ? .slabReclaimable : .slabUnreclaimable] &+=
                count(large + small << Int(shape.minOrder))
        }
        // Slabs that wait for a grace period are out of their cache, but still slabs.
        for number in waitingSlabs where Int(slabs[Int(number)].node) == node {
            let slab = slabs[Int(number)]
            let isReclaimable = caches[Int(slab.cache)].flags.contains(.reclaimable)
            stats[isReclaimable ? .slabReclaimable : .slabUnreclaimable] &+= 1 << slab.order
        }
    }

    /// Objects of a node's partial slabs: `count_partial()`.
    private func partialObjects(of cache: Int, node: Int) -> (inUse: Int, free: Int) {
        var inUse = 0
        var free = 0
        var number = nodes[cache * nodeCount + node].partial.head
        while number != Slab.none {
            let slab = slabs[Int(number)]
            inUse += Int(slab.inuse)
            free += Int(slab.objects) - Int(slab.inuse)
            number = slab.next
        }
        return (inUse, free)
    }

    private func count(_ value: Int) -> UInt64 { UInt64(max(0, value)) }
}
