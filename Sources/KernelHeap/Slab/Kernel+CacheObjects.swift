/// Objects of caches that are named by their callers.
extension Kernel {
    /// Takes an object of a cache as the slab has it.
    ///
    /// - Parameters:
    ///   - cache: the cache's number.
    ///   - requested: bytes that `kmalloc()` was asked for; 0 elsewhere.
    ///   - flags: what the page allocator may do for a new slab.
    ///   - context: whose CPU and process get it.
    /// - Returns: the object; nil where there is no memory.
    @inline(never)
    mutating func allocateObject(
        from cache: Int,
        requested: UInt64 = 0,
        flags: GFPFlags,
        in context: CallContext
    ) -> SlabAllocator.Object? {
        let flags = gfpContext(flags, in: context)
        mightAllocate(flags, isObject: true, in: context)
        if pages.faults.isArmed, injectsSlabFault(ofCache: cache, flags, in: context) {
            return nil
        }
        if cgroups.isOn {
            return makeCharged(from: cache, requested: requested, flags: flags, in: context)
        }
        return makeObject(from: cache, requested: requested, flags: flags, in: context)
    }

    /// The same where a group may have to pay.
    @inline(never)
    private mutating func makeCharged(
        from cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> SlabAllocator.Object? {
        guard case .success(let charge) = chargeObject(of: cache, flags, in: context) else {
            return nil
        }
        let made = makeObject(from: cache, requested: requested, flags: flags, in: context)
        if let charge { finishCharge(charge, of: made) }
        return made
    }

    /// Inlined by hand: the compiler leaves this call in the way of every object.
    @inline(__always)
    private mutating func makeObject(
        from cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> SlabAllocator.Object? {
        var flags = flags
        let isUnfit = !flags.isDisjoint(with: [.highMem, .dma32])
        if isUnfit { flags = fixedFlags(flags, for: cache, context) }
        let request = withReserves(flags, in: context)
        let isConstructed = slab.caches[cache].isConstructed
        let slabsBefore = isConstructed ? slab.slabCount(of: cache) : 0
        do {
            var taken = try take(from: cache, requested: requested, flags: request, in: context)
            if taken == nil, flags.contains(.directReclaim) {
                taken = takeUnderPressure(from: cache, requested, request, in: context)
            }
            guard let object = taken else {
                if !logInjectedFaults(context) {
                    warnAboutFailure(order: Int(slab.caches[cache].minOrder), flags, context)
                }
                warnAboutSlabs(of: cache, flags)
                return nil
            }
            if isConstructed, object.slab != Slab.none, slab.slabCount(of: cache) > slabsBefore {
                construct(object.slab, of: cache, flags, context)
            }
            checkAllocation(object, of: cache)
            if isSanitized {
                noteSanitized(object, requested: requested, flags: flags, in: context)
            }
            if history != nil { noteAllocation(of: object, requested, context) }
            return object
        } catch {
            logAccessFault(at: error.address, isWrite: false)
            return nil
        }
    }

    private mutating func take(
        from cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) throws(FreePointerFault) -> SlabAllocator.Object? {
        if slab.caches[cache].isChecked {
            return try takeChecked(cache, requested: requested, flags: flags, in: context)
        }
        return try slab.allocate(
            cache,
            requested: requested,
            flags: flags,
            cpu: context.cpu,
            call: sequence,
            pages: &pages
        )
    }

    /// Frees memory for a new slab of the smallest order, and asks again.
    @inline(never)
    private mutating func takeUnderPressure(
        from cache: Int,
        _ requested: UInt64,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> SlabAllocator.Object? {
        let shape = slab.caches[cache]
        let request = AllocationRequest(
            order: Int(shape.minOrder),
            flags: flags.union(shape.flags).subtracting([.zero, .highMem, .movable]),
            cpu: context.cpu,
            node: slab.node(ofCPU: context.cpu),
            zones: pages.gfpZones
        )
        return allocateUnderPressure(request, in: context) { kernel in
            // A freelist that is broken now was broken before: that was reported.
            try? kernel.take(from: cache, requested: requested, flags: flags, in: context)
        }
    }

    /// Leaves out flags that no slab can have; they are warned about only when pages for a new slab
    /// are needed.
    @inline(never)
    private mutating func fixedFlags(
        _ flags: GFPFlags,
        for cache: Int,
        _ context: CallContext
    ) -> GFPFlags {
        let isServed = slab.hasObject(of: cache, cpu: context.cpu)
        return isServed ? flags.subtracting([.highMem, .dma32]) : withoutUnfitZones(flags, context)
    }

    /// Allocates and clears as the flags and the boot options say.
    mutating func allocateCleared(
        from cache: Int,
        flags: GFPFlags,
        in context: CallContext
    ) -> SlabAllocator.Object? {
        guard let object = allocateObject(from: cache, flags: flags, in: context) else {
            return nil
        }
        clear(object, cache, flags)
        return object
    }

    /// Runs the constructor on every object of a new slab: `setup_object()`.
    private mutating func construct(
        _ number: UInt32,
        of cache: Int,
        _ flags: GFPFlags,
        _ context: CallContext
    ) {
        if flags.contains(.zero) {
            log.warnOnce(at: "mm/slub.c:2001", in: "___slab_alloc+0x365/0x990", context)
        }
        guard let constructor = slab.catalog.records[cache].constructor else { return }
        let owner = slab.slabs[Int(number)]
        let shape = slab.caches[cache]
        let room = UInt64(shape.objectSize)
        guard constructor.offset < room else { return }
        let length = min(UInt64(constructor.bytes.count), room - constructor.offset)
        let bytes = Array(constructor.bytes.prefix(Int(length)))
        guard !bytes.isEmpty else { return }
        let first = layout.virtual(owner.pfn) &+ constructor.offset
        for index in 0..<Int(owner.objects) {
            writeKernel(first &+ shape.begin(of: index), bytes)
        }
    }

    /// `kmem_cache_alloc_bulk()`: all objects or none.
    ///
    /// - Returns: the addresses; empty where memory ran out.
    mutating func allocateObjects(
        _ count: Int,
        from cache: Int,
        flags: GFPFlags,
        in context: CallContext
    ) -> [UInt64] {
        var objects: [SlabAllocator.Object] = []
        for _ in 0..<count {
            guard let object = allocateObject(from: cache, flags: flags, in: context) else {
                freeObjects(objects.map(\.address), to: cache, in: context)
                return []
            }
            objects.append(object)
        }
        for object in objects { clear(object, cache, flags) }
        return objects.map(\.address)
    }

    /// `kmem_cache_free()`.
    ///
    /// An object of another cache is warned about and goes back to its own, as in a kernel with
    /// hardened freelists; an address of no slab is warned about and left alone.
    mutating func freeObject(at address: UInt64, to cache: Int, in context: CallContext) {
        checkFree(address, to: cache)
        guard let frame = frame(ofLookedUp: address) else {
            return oopsInPageLookup(address)
        }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else {
            log.warnOnce(
                "virt_to_cache: Object is not a Slab page!",
                at: "mm/slab.h",
                in: "cache_from_obj",
                context
            )
            return
        }
        let owner = page.slabCache
        if owner != cache {
            let names = [cache, owner].map { CacheName.escaped(slab.catalog.names[$0]) }
            log.warn(
                "cache_from_obj: Wrong slab cache. \(names[0]) but object is from \(names[1])",
                at: "mm/slab.h:665",
                in: "cache_from_obj+0xa1/0x120",
                context
            )
            logTracks(address, checkedLayout(ofCache: owner))
        }
        if isSanitized, endsFree(of: address, in: page, "kmem_cache_free", in: context) { return }
        release(address, of: page, from: "kmem_cache_free+0x2f7/0x310", in: context)
    }

    /// Clears an object and what SLUB keeps behind it, red zones left alone: `slab_free_hook()`.
    mutating func clearFreed(_ address: UInt64, _ cache: Int) {
        let geometry = slab.catalog.geometries[cache]
        clearKernel(address, UInt64(geometry.objectSize))
        let behind = geometry.size - geometry.inuse - geometry.redLeftPad
        if behind > 0 { clearKernel(address &+ UInt64(geometry.inuse), UInt64(behind)) }
    }

    /// `kmem_cache_free_bulk()`: from the last object to the first.
    ///
    /// Objects of one slab that stand close to each other are freed together: the kernel looks at
    /// most three others ahead, which decides the order of the freelists.
    mutating func freeObjects(_ objects: [UInt64], to cache: Int, in context: CallContext) {
        var rest = objects
        while let last = rest.popLast() {
            freeObject(at: last, to: cache, in: context)
            guard let slab = slabNumber(at: last) else { continue }
            var lookahead = 3
            var index = rest.count
            var end = rest.count
            while index > 0 {
                index -= 1
                if slabNumber(at: rest[index]) == slab {
                    let object = rest[index]
                    end -= 1
                    rest.swapAt(index, end)
                    freeObject(at: object, to: cache, in: context)
                } else {
                    lookahead -= 1
                    if lookahead == 0 { break }
                }
            }
            rest.removeLast(rest.count - end)
        }
    }

    private func slabNumber(at address: UInt64) -> UInt32? {
        guard let frame = frame(ofDirectMapped: address) else { return nil }
        let page = pages.map[Int(frame)]
        return page.kind == .slab ? page.slabNumber : nil
    }
}
