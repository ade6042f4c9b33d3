/// A cache with all that is known of it: counts, layout, and where its slabs are.
public struct CacheStateView: Hashable, Sendable {
    /// A slab that a CPU or a node's list holds.
    public struct HeldSlab: Hashable, Sendable {
        public var pfn: PFN
        public var order: Int
        public var objects: Int
        /// Objects that callers hold.
        public var objectsInUse: Int
    }

    /// What one CPU keeps of the cache: `struct kmem_cache_cpu`.
    public struct CPU: Hashable, Sendable {
        public var id: Int
        /// The slab that objects come from.
        public var slab: HeldSlab?
        /// The chain of partial slabs, from its head.
        public var partial: [HeldSlab]
    }

    public var counts: CacheView
    public var detail: CacheDetailView
    /// Objects that callers hold.
    public var liveObjects: UInt64
    /// The `struct kmem_cache`; nil for a cache of the boot whose address nobody asked for.
    public var address: LinearAddress?
    /// Every name of the cache, its own first.
    public var names: [String]
    /// CPUs that keep a slab.
    public var cpus: [CPU]
    /// Each node's list of partial slabs, head to tail; its first ones where it is long.
    public var partial: [[HeldSlab]]
}

extension Kernel {
    /// The ordinal of a cache by any of its names.
    public func cache(named name: String) -> CacheID? { slab.catalog.cache(named: name) }

    /// Every name of every cache, oldest first.
    public var cacheNames: [String] { slab.catalog.aliases.map(\.name) }

    /// Every cache, newest first as in the kernel's own list.
    ///
    /// Costs the partial slabs. `partialLimit` is the most slabs of a node's list to give.
    public func cacheStates(partialLimit: Int) -> [CacheStateView] {
        var names = [[String]](repeating: [], count: slab.catalog.count)
        for alias in slab.catalog.aliases {
            names[Int(alias.cache.rawValue)].append(alias.name)
        }
        return slab.catalog.order.reversed().map { cache in
            slab.state(cache, names: names[cache], partialLimit: partialLimit)
        }
    }

    /// One cache, or nil where no cache has the name.
    public func cacheState(named name: String, partialLimit: Int) -> CacheStateView? {
        guard let cache = slab.catalog.cache(named: name) else { return nil }
        let names = slab.catalog.aliases.filter { $0.cache == cache }.map(\.name)
        return slab.state(Int(cache.rawValue), names: names, partialLimit: partialLimit)
    }
}

extension SlabAllocator {
    func state(_ cache: Int, names: [String], partialLimit: Int) -> CacheStateView {
        CacheStateView(
            counts: view(cache),
            detail: detail(cache),
            liveObjects: liveObjects(of: cache),
            address: catalog.records[cache].address == 0
                ? nil : LinearAddress(rawValue: catalog.records[cache].address),
            names: names,
            cpus: (0..<cpuCount).compactMap { cpuState(cache, $0) },
            partial: (0..<nodeCount).map { node in
                held(from: nodes[cache * nodeCount + node].partial.head, limit: partialLimit)
            }
        )
    }

    /// What a CPU keeps of a cache; nothing where the table does not reach so far yet.
    func cpuSlab(_ cache: Int, _ cpu: Int) -> CPUSlab {
        let place = place(cache, cpu: cpu)
        return place < cpuSlabs.count ? cpuSlabs[place] : CPUSlab()
    }

    private func cpuState(_ cache: Int, _ cpu: Int) -> CacheStateView.CPU? {
        let own = cpuSlab(cache, cpu)
        guard own.slab != Slab.none || own.partial != Slab.none else { return nil }
        return CacheStateView.CPU(
            id: cpu,
            slab: own.slab == Slab.none ? nil : held(slabs[Int(own.slab)]),
            partial: held(from: own.partial, limit: .max)
        )
    }

    private func held(from head: UInt32, limit: Int) -> [CacheStateView.HeldSlab] {
        var list: [CacheStateView.HeldSlab] = []
        var number = head
        while number != Slab.none, list.count < limit {
            list.append(held(slabs[Int(number)]))
            number = slabs[Int(number)].next
        }
        return list
    }

    private func held(_ slab: Slab) -> CacheStateView.HeldSlab {
        CacheStateView.HeldSlab(
            pfn: PFN(rawValue: UInt64(slab.pfn)),
            order: Int(slab.order),
            objects: Int(slab.objects),
            objectsInUse: objectsInUse(of: slab)
        )
    }
}
