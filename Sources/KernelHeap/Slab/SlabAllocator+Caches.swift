extension SlabAllocator {
    /// Adds a cache: `kmem_cache_create_usercopy()`.
    mutating func create(_ request: SlabRequest) -> CacheID? {
        guard let (cache, isNew) = catalog.add(request, isExclusive: request.hasConstructor)
        else { return nil }
        if isNew { prepare(Int(cache.rawValue)) }
        return cache
    }

    /// Adds a cache that shares nothing.
    mutating func insert(_ request: SlabRequest, _ geometry: SlabGeometry) -> CacheID {
        let cache = catalog.insert(request, geometry, isExclusive: request.hasConstructor)
        prepare(Int(cache.rawValue))
        return cache
    }

    /// A new cache has nothing on any CPU or node.
    private mutating func prepare(_ cache: Int) {
        shuffle?.forget(cache)
        nodes.grow(toAtLeast: catalog.count * nodeCount)
        for node in 0..<nodeCount { nodes[cache * nodeCount + node] = NodeSlabs() }
        for cpu in 0..<cpuCount {
            let place = place(cache, cpu: cpu)
            if place < cpuSlabs.count { cpuSlabs[place] = CPUSlab() }
        }
    }

    /// Takes a cache without slabs off the list.
    ///
    /// One whose slabs wait for the end of a grace period keeps its place until then.
    mutating func remove(_ cache: Int) {
        catalog.remove(cache)
        let isWaiting = waitingSlabs.contains { Int(slabs[Int($0)].cache) == cache }
        if !isWaiting { catalog.release(cache) }
    }

    /// Whether objects are cleared when they are handed out: `slab_want_init_on_alloc()`, 6.1.
    func clearsOnAllocation(_ cache: Int, _ flags: GFPFlags) -> Bool {
        guard catalog.options.initOnAlloc else { return flags.contains(.zero) }
        let geometry = catalog.geometries[cache]
        if caches[cache].isConstructed { return false }
        if !geometry.flags.isDisjoint(with: [.typesafeByRCU, .poison]) {
            return flags.contains(.zero)
        }
        return true
    }

    /// Whether objects are cleared when they come back: `slab_want_init_on_free()`, 6.1.
    func clearsOnFree(_ cache: Int) -> Bool {
        catalog.options.initOnFree && !caches[cache].isConstructed
            && catalog.geometries[cache].flags.isDisjoint(with: [.typesafeByRCU, .poison])
    }

    /// Whether a free object's pointer lies among the bytes that its owner uses.
    func hasPointerInside(_ cache: Int) -> Bool {
        let geometry = catalog.geometries[cache]
        return geometry.offset < geometry.inuse
    }
}
