/// Noticing misuse: looked for where calls come in, never on the allocator's own fast paths.
extension Kernel {
    /// Notes what is wrong with an address that a caller is about to free.
    mutating func checkFree(_ address: UInt64) {
        guard address > Self.zeroSizePointer else { return }
        guard let place = slabPlace(at: address) else { return checkFreeOfPages(address) }
        // The sanitizer looks for itself, and keeps what it finds from being freed.
        if isSanitized {
            if !place.isExact { checkManaged(address) }
            return
        }
        if !place.isExact {
            misuse.add(.invalidFree(place))
            checkManaged(address)
        } else if !place.isAllocated {
            misuse.add(.doubleFree(place))
        }
    }

    /// Pages belong to `kfree()` as the whole blocks that a large `kmalloc()` gives.
    private mutating func checkFreeOfPages(_ address: UInt64) {
        guard let place = pagePlace(at: address) else { return }
        let isReported = isSanitized && (place.use == .free || place.offset ?? 0 != 0)
        if isReported { return }
        if place.use != .compound || place.offset != 0 {
            misuse.add(.wrongMemory(place))
            checkManaged(address)
        }
    }

    /// Notes what is wrong with pages that a caller is about to give back, where the page allocator
    /// lets it pass or says so later.
    ///
    /// - Parameters:
    ///   - frame: the first page.
    ///   - order: of the block, as the caller says.
    mutating func checkFree(ofPages frame: UInt32, order: Int) {
        guard let place = pagePlace(at: layout.virtual(frame)) else { return }
        switch place.use {
        case .unmapped, .highMap, .reserved: return
        case .free: misuse.add(.wrongPageFree(place, .isFree))
        case .pages, .compound:
            let page = pages.map[Int(frame)]
            if place.block?.rawValue != UInt64(frame) {
                misuse.add(.wrongPageFree(place, .isInside))
            } else if order != page.order, page.word <= 1, !page.isOnLRU, !page.isPageTable {
                misuse.add(.wrongPageFree(place, .order(given: order)))
            }
        }
    }

    /// The same of a page that `put_page()` may free.
    mutating func checkFree(ofPages frame: UInt32) {
        let head = pages.compoundHead(of: frame)
        let page = pages.map[Int(head)]
        let isWhole = page.kind == .allocated && page.isCompound
        checkFree(ofPages: head, order: isWhole ? page.order : 0)
    }

    /// Notes what is wrong with an address that a caller is about to free to a cache.
    mutating func checkFree(_ address: UInt64, to cache: Int) {
        guard let place = slabPlace(at: address) else {
            if let place = pagePlace(at: address) { misuse.add(.wrongMemory(place)) }
            return
        }
        let frame = frame(ofDirectMapped: address).map { pages.map[Int($0)].slabCache }
        if frame != cache { misuse.add(.wrongCache(place, given: slab.catalog.names[cache])) }
        checkFree(address)
    }

    /// Notes that `krealloc()` was given memory that is not its caller's.
    mutating func checkOwner(_ address: UInt64) {
        guard address > Self.zeroSizePointer, !isSanitized,
            let place = slabPlace(at: address)
        else { return }
        if place.region == .object, !place.isAllocated {
            misuse.add(.useAfterFree(place, MemoryAccess(length: 0, isWrite: false)))
        }
    }

    /// Where an allocation lies that a broken freelist led to.
    func strayDetail(_ address: UInt64, requested: UInt64) -> CallDetail {
        .facts([
            Fact("stray", .boolean(true)), Fact("requested", .count(requested)),
            Fact("place", slabPlace(at: address).map { .facts($0.facts) } ?? .null),
        ])
    }

    /// Notes what is wrong with an object that an allocation took.
    @inline(__always)
    mutating func checkAllocation(_ object: SlabAllocator.Object, of cache: Int) {
        if object.slab == Slab.none || object.before.isAllocated { warn(of: object, cache) }
    }

    @inline(never)
    private mutating func warn(of object: SlabAllocator.Object, _ cache: Int) {
        guard var place = slabPlace(at: object.address), object.slab != Slab.none else {
            misuse.add(
                .strayAllocation(
                    address: LinearAddress(rawValue: object.address),
                    cache: slab.catalog.names[cache],
                    slabPlace(at: object.address)
                )
            )
            return
        }
        let requested = object.before.requested
        place.requested = requested > 0 ? requested : nil
        place.call = call(object.before.call)
        place.function = place.call.flatMap { function(ofCall: $0) }
        misuse.add(.sharedObject(place))
    }

    /// Notes a load or store that touches free objects, or leaves the object that it begins in.
    ///
    /// - Parameters:
    ///   - address: the first byte.
    ///   - length: bytes that were really moved.
    ///   - isWrite: a store.
    mutating func checkAccess(_ address: UInt64, _ length: UInt64, isWrite: Bool) {
        guard length > 0 else { return }
        checkResults(address, length, process: nil, isWrite: isWrite)
        if isWrite { noteWrite(address, length) }
        // What the sanitizer has to say it said before the access.
        if isSanitized { return }
        if isSound(address, length) { return }
        let access = MemoryAccess(length: length, isWrite: isWrite)
        guard let place = slabPlace(at: address) else {
            if let place = pagePlace(at: address), place.use == .free {
                misuse.add(.freePages(place, access))
            }
            return
        }
        if place.region == .object, !place.isAllocated {
            misuse.add(.useAfterFree(place, access))
        }
        let room = place.region == .object ? place.size - UInt64(place.offset) : 0
        guard length > room else { return }
        misuse.add(.outOfBounds(place, access, overrun(of: place, from: room, to: length)))
    }

    /// Whether an access begins in a block that is in use, or stays in an object that is: then there
    /// is nothing to say.
    private func isSound(_ address: UInt64, _ length: UInt64) -> Bool {
        guard let frame = frame(ofDirectMapped: address) else { return false }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else { return page.kind == .allocated }
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let offset = address &- layout.virtual(owner.pfn)
        let slot = shape.slot(of: offset)
        guard slot < UInt32(owner.objects) else { return false }
        let begin = shape.begin(of: Int(slot))
        let size = UInt64(shape.objectSize)
        guard offset >= begin, offset - begin < size, length <= size - (offset - begin) else {
            return false
        }
        return slab.states[Int(owner.states) + Int(slot)].isAllocated
    }

    /// What lies beyond an object's end.
    ///
    /// - Parameters:
    ///   - place: where the access begins.
    ///   - room: bytes of it that belong to the object.
    ///   - length: all its bytes; more than `room`.
    /// - Returns: how far the access went, and whom it hit first.
    private func overrun(of place: SlabPlace, from room: UInt64, to length: UInt64) -> Overrun {
        let address = place.address.rawValue
        let owner = slab.slabs[Int(pages.map[Int((address &- layout.pageOffset) >> 12)].slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let start = layout.virtual(owner.pfn)
        let end = start &+ 4096 << UInt64(owner.order)
        let last = address &+ (length - 1)
        var overrun = Overrun(
            address: LinearAddress(rawValue: address &+ room),
            length: length - room,
            objects: 0,
            leavesSlab: last >= end
        )
        // In front of its object the access may still reach that one.
        let isInFront = place.region == .padding && place.offset < 0
        let next = (place.index ?? Int(owner.objects)) + (isInFront ? 0 : 1)
        if next < Int(owner.objects), last >= start &+ shape.begin(of: next) {
            overrun.hit = slabPlace(at: start &+ shape.begin(of: next))
            let lastSlot = Int(shape.slot(of: min(last, end &- 1) &- start))
            overrun.objects = max(min(lastSlot, Int(owner.objects) - 1) - next + 1, 1)
        } else if overrun.leavesSlab {
            overrun.hit = slabPlace(at: end)
        }
        return overrun
    }
}

/// The history of objects.
extension Kernel {
    @inline(never)
    mutating func noteAllocation(
        of object: SlabAllocator.Object,
        _ requested: UInt64,
        _ context: CallContext
    ) {
        note(object.address, isAllocation: true, requested, context)
        guard object.slab != Slab.none, let place = slabPlace(at: object.address) else { return }
        // A constructor has written what it meant to, and owners leave objects as they found them.
        guard !isSanitized, !slab.caches[Int(slab.slabs[Int(object.slab)].cache)].isConstructed
        else { return }
        written.begin(object.address, size: place.size)
    }

    /// Notes a free that was just done; one that the kernel refused leaves the object as it was.
    mutating func noteFree(of address: UInt64, in page: Page, _ context: CallContext) {
        guard history != nil else { return }
        // The slab may be gone by now; its entry still says where its objects' states were.
        let owner = slab.slabs[Int(page.slabNumber)]
        if let index = slab.exactIndex(ofPhysical: address &- layout.pageOffset, in: owner) {
            let state = slab.states[Int(owner.states) + Int(index)]
            let low = UInt32(truncatingIfNeeded: sequence)
            guard !state.isAllocated, state.call == low else { return }
        }
        note(address, isAllocation: false, 0, context)
        // Under the sanitizer objects of RCU caches come back with what is known of their bytes.
        if isSanitized, slab.caches[Int(owner.cache)].isTypesafe { return }
        written.end(address)
    }

    /// Notes a free whose object waits in the quarantine.
    mutating func noteQuarantined(_ address: UInt64, _ context: CallContext) {
        guard history != nil else { return }
        note(address, isAllocation: false, 0, context)
        written.end(address)
    }

    private mutating func note(
        _ address: UInt64,
        isAllocation: Bool,
        _ requested: UInt64,
        _ context: CallContext
    ) {
        // What a broken freelist found outside memory is no object of anybody.
        guard frame(ofDirectMapped: address) != nil else { return }
        history?.note(
            ObjectEvent(
                address: LinearAddress(rawValue: address),
                isAllocation: isAllocation,
                requested: requested > 0 ? UInt16(clamping: requested) : nil,
                cpu: UInt8(clamping: context.cpu),
                call: sequence,
                pid: Int32(clamping: context.pid)
            )
        )
    }
}
