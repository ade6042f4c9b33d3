extension Kernel {
    /// `ZERO_SIZE_PTR`: what an allocation of no bytes returns.
    static let zeroSizePointer: UInt64 = 16

    /// What `kmalloc()` came to.
    enum KmallocOutcome {
        case null
        case zeroSize
        case object(SlabAllocator.Object, cache: Int)
        /// A broken freelist led to an address that is no object of the cache.
        case stray(UInt64)
        case large(UInt32, order: Int)
    }

    /// `kmalloc()`.
    ///
    /// - Parameters:
    ///   - size: bytes; 0 gives `ZERO_SIZE_PTR`, more than 4 MiB NULL.
    ///   - flags: which cache, and what the page allocator may do for a new slab.
    ///   - context: the CPU whose slab serves.
    /// - Returns: an address in the direct map, or null.
    @inline(__always)
    public mutating func kmalloc(
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext = .standard
    ) -> LinearAddress {
        // The common case: the CPU has a free object, and nobody asks why or wants it cleared.
        if size &- 1 < slab.kmalloc.largest,
            !(pages.decisions.isOn || flags.contains(.zero) || slab.leavesFastPath
                || !context.canSleep)
        {
            let cache = slab.kmalloc.cache(size: size, flags: flags)
            let place = slab.place(cache, cpu: context.cpu)
            if place < slab.cpuSlabs.count, slab.cpuSlabs[place].hasFreeObject {
                return LinearAddress(
                    rawValue: slab.take(place: place, requested: size, call: sequence)
                )
            }
        }
        return allocateFully(size: size, flags: flags, in: context)
    }

    @inline(never)
    private mutating func allocateFully(
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> LinearAddress {
        LinearAddress(rawValue: address(of: allocate(size: size, flags: flags, in: context)))
    }

    /// The address of what `kmalloc()` came to.
    @inline(__always)
    func address(of outcome: KmallocOutcome) -> UInt64 {
        switch outcome {
        case .null: 0
        case .zeroSize: Self.zeroSizePointer
        case .object(let object, _): object.address
        case .stray(let address): address
        case .large(let pfn, _): layout.virtual(pfn)
        }
    }

    @inline(__always)
    mutating func allocate(
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> KmallocOutcome {
        guard size > 0, size <= slab.kmalloc.largest else {
            return size == 0 ? .zeroSize : allocateLarge(size: size, flags: flags, in: context)
        }
        let cache = slab.kmalloc.cache(size: size, flags: flags)
        if pages.decisions.isOn { explainCache(cache, size) }
        return allocate(from: cache, requested: size, flags: flags, in: context)
    }

    /// Allocates an object of a cache: `kmem_cache_alloc()`.
    @inline(__always)
    mutating func allocate(
        from cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> KmallocOutcome {
        let taken = allocateObject(
            from: cache,
            requested: requested,
            flags: flags,
            in: context
        )
        guard let object = taken else { return .null }
        if flags.contains(.zero) || slab.leavesFastPath { clear(object, cache, flags) }
        return object.slab == Slab.none
            ? .stray(object.address) : .object(object, cache: cache)
    }

    private mutating func explainCache(_ cache: Int, _ size: UInt64) {
        pages.decisions.add(
            .cacheChosen(
                cache: slab.catalog.names[cache],
                requested: size,
                objectSize: UInt64(slab.caches[cache].objectSize)
            )
        )
    }

    /// Clears a new object as its flags and the boot options say.
    mutating func clear(
        _ object: SlabAllocator.Object,
        _ cache: Int,
        _ flags: GFPFlags
    ) {
        let shape = slab.caches[cache]
        if slab.clearsOnAllocation(cache, flags) {
            clearKernel(object.address, UInt64(shape.objectSize))
            noteWholeWritten(object.address)
        } else if slab.clearsOnFree(cache), slab.hasPointerInside(cache) {
            // Objects are cleared when they are freed: what is left is the free pointer.
            clearKernel(object.address &+ UInt64(shape.pointerOffset), layout.wordBytes)
        }
        if slab.clearsOnFree(cache) { noteWholeWritten(object.address) }
    }

    @inline(never)
    private mutating func allocateLarge(
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> KmallocOutcome {
        guard slab.kmalloc.usesPages else { return .null }
        let flags = withoutUnfitZones(flags, context)
        let order = Self.order(ofBytes: size) ?? Zone.orderCount
        if pages.decisions.isOn {
            pages.decisions.add(.largeKmalloc(requested: size, order: order))
        }
        let compound = flags.union(.compound)
        guard let pfn = allocPages(order: order, flags: compound, in: context) else {
            return .null
        }
        let frame = UInt32(truncatingIfNeeded: pfn.rawValue)
        largeObjects[frame] = LargeObject(size: size, call: sequence)
        noteLargeObject(frame, requested: size)
        return .large(frame, order: order)
    }

    /// `kmalloc_fix_flags()`: objects lie in the direct map whatever their caller asked for.
    mutating func withoutUnfitZones(_ flags: GFPFlags, _ context: CallContext) -> GFPFlags {
        let unfit = flags.intersection([.highMem, .dma32])
        guard !unfit.isEmpty else { return flags }
        let fixed = flags.subtracting(unfit)
        let texts = [unfit, fixed].map {
            "\(hexadecimal(UInt64(profile.gfp.number(of: $0)))) (\(profile.gfp.text(of: $0)))"
        }
        log.append(
            "Unexpected gfp: \(texts[0]). Fixing up to gfp: \(texts[1]). Fix your code!"
        )
        logProcess(context)
        return fixed
    }

    /// `kfree()`: NULL and `ZERO_SIZE_PTR` are ignored.
    @inline(__always)
    public mutating func kfree(_ address: LinearAddress, in context: CallContext = .standard) {
        guard address.rawValue > Self.zeroSizePointer else { return }
        // A frame beyond the map has no page; one below it that is a slab's needs no other test.
        let pfn = (address.rawValue &- pages.pageOffset) >> 12
        guard pfn < UInt64(pages.map.capacity) else {
            return freeOther(address.rawValue, in: context)
        }
        let page = pages.map[Int(truncatingIfNeeded: pfn)]
        guard page.kind == .slab else { return freeOther(address.rawValue, in: context) }
        if page.word & Page.longWayBit != 0 || slab.leavesFastPath {
            return freeSlowly(address, page, in: context)
        }
        let freed = slab.free(
            at: address.rawValue,
            of: page,
            cpu: context.cpu,
            call: sequence,
            pages: &pages
        )
        if !freed { reportDoubleFree(in: context) }
    }

    @inline(never)
    private mutating func freeSlowly(
        _ address: LinearAddress,
        _ page: Page,
        in context: CallContext
    ) {
        let function = "__kmem_cache_free+0x284/0x2a0"
        if isSanitized, endsFree(of: address.rawValue, in: page, "kfree", in: context) { return }
        release(address.rawValue, of: page, from: function, in: context)
    }

    /// Frees an address into its slab, whatever that slab is: the common part of every free.
    ///
    /// - Parameters:
    ///   - address: the object's; any address of the slab.
    ///   - page: the page that holds it.
    ///   - function: where the kernel stands when it notices a double free.
    ///   - context: whose CPU frees.
    mutating func release(
        _ address: UInt64,
        of page: Page,
        from function: String,
        in context: CallContext
    ) {
        let cache = page.slabCache
        if cgroups.isOn { cgroups.forget(address) }
        defer { noteFree(of: address, in: page, context) }
        if slab.caches[cache].isChecked {
            return freeChecked(address, slab: page.slabNumber, in: context)
        }
        if slab.clearsOnFree(cache) { clearFreed(address, cache) }
        let freed = slab.free(
            at: address,
            of: page,
            cpu: context.cpu,
            call: sequence,
            pages: &pages
        )
        if !freed { log.bug(at: "mm/slub.c:419", in: function, context) }
    }

    @inline(never)
    private mutating func freeOther(_ address: UInt64, in context: CallContext) {
        guard let pfn = frame(ofLookedUp: address) else { return oopsInPageLookup(address) }
        freeLarge(pfn, address, in: context)
    }

    /// The frame whose descriptor `virt_to_page()` finds; nil where it finds none.
    ///
    /// Beside the direct map, that is so for the kernel's image. On 32 bits the descriptors are one
    /// array, and the arithmetic takes addresses above the direct map for those of high memory.
    func frame(ofLookedUp address: UInt64) -> UInt32? {
        if let frame = frame(ofDirectMapped: address) ?? frame(ofImage: address) { return frame }
        let frame = layout.physical(of: address) >> 12
        guard layout.is32Bit, address >= layout.pageOffset, pages.isValid(frame) else { return nil }
        return UInt32(truncatingIfNeeded: frame)
    }

    /// The frame behind an address of the kernel's image, whose pages have descriptors.
    func frame(ofImage address: UInt64) -> UInt32? {
        guard !layout.is32Bit, address >= layout.imageOffset,
            address < layout.imageOffset + AddressLayout.imageBytes
        else { return nil }
        let frame = layout.physical(of: address) >> 12
        return pages.isValid(frame) ? UInt32(truncatingIfNeeded: frame) : nil
    }

    /// Looking up the page descriptor of an address outside memory faults: the recorded oops.
    @inline(never)
    mutating func oopsInPageLookup(_ address: UInt64) {
        let descriptor = layout.descriptor(layout.physical(of: address) >> 12) &+ 8
        logAccessFault(at: descriptor, isWrite: false)
    }

    @inline(never)
    private mutating func reportDoubleFree(in context: CallContext) {
        log.bug(at: "mm/slub.c:419", in: "__kmem_cache_free+0x284/0x2a0", context)
    }

    /// `free_large_kmalloc()`: an ordinary page is warned about, and freed all the same.
    @inline(never)
    private mutating func freeLarge(_ pfn: UInt32, _ address: UInt64, in context: CallContext) {
        let head = compoundHead(of: pfn)
        let page = pages.map[Int(head)]
        let order = page.kind == .allocated && page.isCompound ? page.order : 0
        if order == 0 {
            log.warnOnce(
                at: "mm/slab_common.c:904",
                in: "free_large_kmalloc+0x3c/0x70",
                context
            )
        }
        largeObjects[head] = nil
        checkLargeFree(address, head: head, in: context)
        freePages(PFN(rawValue: UInt64(head)), order: order, in: context)
    }

    /// The head of the compound block that holds a frame; the frame itself where there is none.
    func compoundHead(of pfn: UInt32) -> UInt32 {
        guard pages.map[Int(pfn)].kind == .inner else { return pfn }
        for order in 1...Zone.maxOrder {
            let head = pfn & ~UInt32((1 << order) - 1)
            let page = pages.map[Int(head)]
            if page.kind == .allocated && page.isCompound && page.order >= order { return head }
        }
        return pfn
    }

    /// `ksize()`: the bytes that an allocation really has.
    public func ksize(_ address: LinearAddress) -> UInt64 {
        guard address.rawValue > Self.zeroSizePointer,
            let pfn = frame(ofDirectMapped: address.rawValue)
        else { return 0 }
        let page = pages.map[Int(pfn)]
        if page.kind == .slab {
            return slab.usableBytes(of: Int(slab.slabs[Int(page.slabNumber)].cache))
        }
        let head = pages.map[Int(compoundHead(of: pfn))]
        return head.kind == .allocated ? 4096 << UInt64(head.order) : 4096
    }

    /// The object's place, for a call's detail.
    func detail(
        of object: SlabAllocator.Object,
        cache: Int,
        requested: UInt64
    ) -> ObjectDetail {
        let owner = slab.slabs[Int(object.slab)]
        let shape = slab.caches[cache]
        let offset = UInt64(object.index) * UInt64(shape.size) + UInt64(shape.redLeftPad)
        let zone = pages.zones[pages.map[Int(owner.pfn)].zone]
        return ObjectDetail(
            requested: requested,
            allocated: UInt64(shape.objectSize),
            slab: PFN(rawValue: UInt64(owner.pfn)),
            pfn: PFN(rawValue: UInt64(owner.pfn) + offset >> 12),
            cache: CacheID(rawValue: UInt16(truncatingIfNeeded: cache)),
            objectIndex: UInt16(truncatingIfNeeded: object.index),
            slabOrder: UInt16(owner.order),
            node: owner.node,
            zone: zone.type
        )
    }
}
