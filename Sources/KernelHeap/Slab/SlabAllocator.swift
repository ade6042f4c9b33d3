/// SLUB: caches of objects of one size, cut from blocks of pages.
///
///     CPU:   freelist → object → …          only this CPU sees it
///            slab ──────────┘               frozen: on no list
///            partial → slab → slab          the chain, frozen too
///     node:  partial ⇄ slab ⇄ slab          slabs with free objects
///
/// A full slab is on no list; the first free brings it back. Follows `mm/slub.c`, 6.1, with slab
/// merging and without debugging; `slab/slabtrace*` of the recordings shows each step.
struct SlabAllocator: ~Copyable {
    private(set) var catalog: SlabCatalog
    var caches: OwnedBuffer<SlabCache>
    /// Cache-major: cache × CPUs + CPU.
    var cpuSlabs: OwnedBuffer<CPUSlab>
    /// Cache-major: cache × nodes + node.
    var nodes: OwnedBuffer<NodeSlabs>
    var slabs = ChunkedColumn<Slab>(count: 4096)
    var states = ObjectStates()
    /// Numbers of slabs that were discarded, free for new ones.
    var freeNumbers: [UInt32] = []
    var slabLimit = 0
    let cpuCount: Int
    let nodeCount: Int

    init(_ options: SlabOptions, nodeCount: Int) {
        catalog = SlabCatalog.booted(options)
        cpuCount = options.cpus
        self.nodeCount = nodeCount
        caches = OwnedBuffer(catalog.geometries.map(SlabCache.init))
        cpuSlabs = OwnedBuffer(repeating: CPUSlab(), count: catalog.count * options.cpus)
        nodes = OwnedBuffer(repeating: NodeSlabs(), count: catalog.count * nodeCount)
    }

    private init(forkOf other: inout SlabAllocator) {
        catalog = other.catalog
        caches = other.caches.copy()
        cpuSlabs = other.cpuSlabs.copy()
        nodes = other.nodes.copy()
        slabs = other.slabs.fork()
        states = other.states.fork()
        freeNumbers = other.freeNumbers
        slabLimit = other.slabLimit
        cpuCount = other.cpuCount
        nodeCount = other.nodeCount
    }

    mutating func fork() -> SlabAllocator { SlabAllocator(forkOf: &self) }

    var heldBytes: Int {
        caches.heldBytes + cpuSlabs.heldBytes + nodes.heldBytes + slabs.heldBytes
            + states.heldBytes + freeNumbers.count * 4
    }

    /// An object: its slab and its place in it.
    struct Object {
        var slab: UInt32
        var index: UInt16
        /// Frame of the slab's first page.
        var pfn: UInt32
    }

    /// Allocates an object: `slab_alloc_node()`, 6.1.
    ///
    /// The bytes asked for and the call's sequence number are noted with the object. The result is nil
    /// where the page allocator had no slab.
    @inline(__always)
    mutating func allocate(
        _ cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        cpu: Int,
        call: UInt64,
        pages: inout PageAllocator
    ) -> Object? {
        let place = cache * cpuCount + cpu
        if cpuSlabs[place].freelist == Slab.endOfList {
            guard refill(cache, place: place, flags: flags, cpu: cpu, pages: &pages) else {
                return nil
            }
        } else if pages.decisions.isOn {
            explain(.cpuFreelist, place: place, pages: &pages)
        }
        let index = cpuSlabs[place].freelist
        let state = Int(cpuSlabs[place].states) + Int(index)
        let next = states[state].next
        states[state] = ObjectState(next: next, allocatedFor: requested, call: call)
        cpuSlabs[place].freelist = next
        return Object(slab: cpuSlabs[place].slab, index: index, pfn: cpuSlabs[place].pfn)
    }

    /// Frees the object that holds a physical address: `slab_free()`, 6.1.
    ///
    /// The result is false where the object is the head of the very list it would go to, which the
    /// kernel takes as proof of a double free; nothing changed then. An address in the slab's unused
    /// tail does nothing.
    @inline(__always)
    mutating func free(
        at physical: UInt64,
        slab number: UInt32,
        cpu: Int,
        call: UInt64,
        pages: inout PageAllocator
    ) -> Bool {
        let slab = slabs[Int(number)]
        let slot = caches[Int(slab.cache)].slot(of: physical &- UInt64(slab.pfn) << 12)
        guard slot < UInt32(slab.objects) else { return true }
        let index = UInt16(truncatingIfNeeded: slot)
        let place = Int(slab.cache) * cpuCount + cpu
        let state = Int(slab.states) + Int(index)
        if cpuSlabs[place].slab == number {
            let head = cpuSlabs[place].freelist
            guard head != index else { return false }
            states[state] = ObjectState(next: head, freedBy: call)
            cpuSlabs[place].freelist = index
            return true
        }
        guard slab.freelist != index else { return false }
        states[state] = ObjectState(next: slab.freelist, freedBy: call)
        freeSlowly(number, index: index, place: place, cpu: cpu, pages: &pages)
        return true
    }

    func explain(_ source: ObjectSource, place: Int, pages: inout PageAllocator) {
        pages.decisions.add(
            .objectTaken(
                from: source,
                slab: PFN(rawValue: UInt64(cpuSlabs[place].pfn)),
                index: Int(cpuSlabs[place].freelist)
            )
        )
    }

    /// Adds a cache: `kmem_cache_create_usercopy()`.
    mutating func create(_ request: SlabRequest) -> CacheID? {
        guard let (cache, isNew) = catalog.add(request, isExclusive: request.hasConstructor)
        else { return nil }
        if isNew {
            caches.append(SlabCache(catalog.geometries[Int(cache.rawValue)]))
            for _ in 0..<cpuCount { cpuSlabs.append(CPUSlab()) }
            for _ in 0..<nodeCount { nodes.append(NodeSlabs()) }
        }
        return cache
    }
}
