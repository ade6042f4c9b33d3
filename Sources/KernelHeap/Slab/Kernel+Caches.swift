/// Creating and destroying caches.
extension Kernel {
    /// What `kmem_cache_destroy()` came to.
    public enum CacheDestruction: String, Hashable, Sendable {
        /// The cache is gone, and its pages went back.
        case destroyed
        /// It is gone; its pages go back at the end of a grace period.
        case waiting
        /// Others still share it.
        case shared
        /// It has objects, and stays.
        case busy
        /// The machine itself needs it.
        case refused
    }

    /// `kmem_cache_create_usercopy()`.
    ///
    /// - Parameters:
    ///   - request: size, alignment, flags and window for user copies. A window outside the object
    ///     is dropped with a warning.
    ///   - constructor: what is done to each object of a new slab; it makes the cache share with
    ///     no other.
    ///   - context: whose CPU serves the cache's own structures.
    /// - Returns: the cache; nil where 6.1 answers NULL and logs why.
    public mutating func createCache(
        _ request: SlabRequest,
        constructor: CacheConstructor? = nil,
        in context: CallContext = .standard
    ) -> CacheID? {
        mightSleep(at: "kernel/locking/mutex.c:282", in: context)
        var request = request
        request.hasConstructor = constructor != nil
        guard request.flags.isSubset(of: .permitted), !request.name.isEmpty,
            request.name.utf8.count <= CacheName.limit
        else { return failToCreate(request, .EINVAL) }
        request.flags.formIntersection(.creation)
        checkWindow(&request, context)
        guard !slab.catalog.isFull else { return failToCreate(request, .ENOMEM) }
        if request.usercopySize == 0, let shared = slab.catalog.merge(request) {
            if addressCache(Int(shared.rawValue), in: context) { return shared }
            slab.catalog.records[Int(shared.rawValue)].references -= 1
            return failToCreate(request, .ENOMEM)
        }
        guard let geometry = SlabGeometry(request: request, options: slab.catalog.options) else {
            return failToCreate(request, .EINVAL)
        }
        let isNameTaken = slab.catalog.order.contains { place in
            slab.catalog.names[place] == request.name
                && slab.catalog.geometries[place].flags.contains(.storeUser)
        }
        let cache = slab.insert(request, geometry)
        if let constructor { slab.catalog.set(constructor, of: Int(cache.rawValue)) }
        guard addressCache(Int(cache.rawValue), in: context) else {
            slab.remove(Int(cache.rawValue))
            return failToCreate(request, .ENOMEM)
        }
        if geometry.flags.contains(.storeUser), isNameTaken {
            log.append(
                "debugfs: Directory '\(CacheName.escaped(request.name))' with parent 'slab' "
                    + "already present!"
            )
        }
        return cache
    }

    /// Refuses a window for user copies that does not lie in the object.
    private mutating func checkWindow(_ request: inout SlabRequest, _ context: CallContext) {
        let (size, offset) = (request.usercopySize, request.usercopyOffset)
        let isSound =
            size == 0 ? offset == 0 : size <= request.size && request.size - size >= offset
        guard !isSound else { return }
        log.warn(nil, at: "mm/slab_common.c", in: "kmem_cache_create_usercopy", context)
        request.usercopySize = 0
        request.usercopyOffset = 0
    }

    private mutating func failToCreate(_ request: SlabRequest, _ errno: Errno) -> CacheID? {
        let function = "kmem_cache_create_usercopy"
        let name = CacheName.escaped(String(request.name.prefix(CacheName.limit)))
        if request.flags.contains(.panic) {
            log.panic("\(function): Failed to create slab '\(name)'. Error -\(errno.rawValue)")
        } else {
            log.append("\(function)(\(name)) failed with error -\(errno.rawValue)")
        }
        return nil
    }

    /// Makes the `struct kmem_cache` and `kmem_cache_node`s that a new cache lives in; a cache of
    /// the boot gets them when somebody first needs its address.
    private mutating func addressCache(_ cache: Int, in context: CallContext) -> Bool {
        guard slab.catalog.records[cache].address == 0 else { return true }
        let isOfBoot = slab.catalog.records[cache].isOfBoot
        guard
            let object = allocateObject(
                from: 0,
                flags: GFPFlags.kernel.union(.zero),
                in: context
            )
        else { return false }
        if isOfBoot { giveToBoot(object) }
        var nodes: [UInt64] = []
        for _ in 0..<slab.nodeCount {
            guard let node = allocateObject(from: 1, flags: .kernel, in: context) else {
                release(object.address, nodes, in: context)
                return false
            }
            if isOfBoot { giveToBoot(node) }
            nodes.append(node.address)
        }
        slab.catalog.place(cache, at: object.address, nodes: nodes)
        return true
    }

    /// What the boot made is none of the running call's.
    private mutating func giveToBoot(_ object: SlabAllocator.Object) {
        guard object.slab != Slab.none else { return }
        let states = Int(slab.slabs[Int(object.slab)].states)
        slab.states[states + Int(object.index)].giveToBoot()
    }

    /// Gives the structures of a cache back.
    private mutating func release(_ address: UInt64, _ nodes: [UInt64], in context: CallContext) {
        for node in nodes { freeObject(at: node, to: 1, in: context) }
        freeObject(at: address, to: 0, in: context)
    }

    /// `kmem_cache_destroy()`.
    ///
    /// A cache that has objects is reported and stays; 6.1 leaves it half taken apart.
    public mutating func destroyCache(
        _ cache: CacheID,
        in context: CallContext = .standard
    ) -> CacheDestruction {
        mightSleep(at: "include/linux/percpu-rwsem.h:49", in: context)
        let place = Int(cache.rawValue)
        guard place < slab.catalog.count, slab.catalog.records[place].state == .live,
            place >= slab.kmalloc.end
        else { return .refused }
        slab.catalog.records[place].references -= 1
        guard slab.catalog.records[place].references == 0 else { return .shared }
        emptyQuarantine(of: place, in: context)
        let (remaining, isEmpty) = slab.shutDown(place, cpu: context.cpu, pages: &pages)
        guard isEmpty else {
            reportRemaining(in: remaining, of: place, context)
            let name = CacheName.escaped(slab.catalog.names[place])
            log.warn(
                "kmem_cache_destroy \(name): Slab cache still has objects when called from 0x0",
                at: "mm/slab_common.c:493",
                in: "kmem_cache_destroy+0x141/0x150",
                context
            )
            slab.catalog.records[place].references = 1
            return .busy
        }
        let record = slab.catalog.records[place]
        slab.remove(place)
        if record.address != 0 { release(record.address, record.nodes, in: context) }
        return slab.catalog.records[place].state == .dying ? .waiting : .destroyed
    }

    /// `kmem_cache_shrink()`: 0 where every slab went back, 1 otherwise.
    public mutating func shrinkCache(
        _ cache: CacheID,
        in context: CallContext = .standard
    ) -> Int {
        mightSleep(at: "include/linux/percpu-rwsem.h:49", in: context)
        emptyQuarantine(of: Int(cache.rawValue), in: context)
        return slab.shrink(Int(cache.rawValue), cpu: context.cpu, pages: &pages) ? 1 : 0
    }

    /// Ends a grace period: `synchronize_rcu()`, `rcu_barrier()`.
    ///
    /// - Returns: the slabs whose pages went back.
    public mutating func endGracePeriod(in context: CallContext = .standard) -> Int {
        slab.endGracePeriod(cpu: context.cpu, pages: &pages)
    }
}
