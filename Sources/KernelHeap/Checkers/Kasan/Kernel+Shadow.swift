/// The shadow of memory, worked out from what the allocators know.
extension Kernel {
    /// Whether the machine has the address sanitizer.
    @inline(__always)
    var isSanitized: Bool { slab.isSanitized }

    /// The end of the bytes that may be touched from an address on.
    ///
    /// - Returns: the address itself where not even its own byte may; at most the end of its object,
    ///   block, area or, where nobody follows what memory is for, page.
    func accessibleEnd(from address: UInt64) -> UInt64 {
        if let frame = frame(ofDirectMapped: address) {
            let page = pages.map[Int(frame)]
            return page.kind == .slab
                ? accessibleEnd(from: address, inSlabOf: page)
                : accessibleEnd(from: address, frame, page)
        }
        return layout.isVmalloc(address)
            ? accessibleEnd(inAreaFrom: address) : Self.pageEnd(address)
    }

    /// The first byte behind an address's page; no sum of addresses overflows here.
    private static func pageEnd(_ address: UInt64) -> UInt64 {
        let (end, overflow) = (address | 4095).addingReportingOverflow(1)
        return overflow ? .max : end
    }

    /// The object's own state decides; what lies between objects is redzone.
    private func accessibleEnd(from address: UInt64, inSlabOf page: Page) -> UInt64 {
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let start = layout.virtual(owner.pfn)
        let slot = shape.slot(of: address &- start)
        guard slot < UInt32(owner.objects) else { return address }
        let object = slab.sanitized[Int(owner.states) &+ Int(slot)]
        let begin = start &+ shape.begin(of: Int(slot))
        guard object.state == .allocated, address >= begin,
            address - begin < object.usableBytes
        else { return address }
        return begin &+ object.usableBytes
    }

    private func accessibleEnd(from address: UInt64, _ frame: UInt32, _ page: Page) -> UInt64 {
        var head = frame
        var order = page.order
        switch page.kind {
        case .buddy, .perCPU: return address
        case .allocated, .slab: break
        case .inner:
            guard let block = block(around: frame) else {
                return isFreeFrame(frame) ? address : Self.pageEnd(address)
            }
            (head, order) = block
        }
        let start = layout.virtual(head)
        let requested = UInt64(requestedBytes(ofBlockAt: head))
        guard requested > 0 else { return start &+ 4096 << UInt64(order) }
        return address &- start < requested ? start &+ requested : address
    }

    /// Whether a frame that heads nothing lies in a free block; otherwise the boot kept it.
    private func isFreeFrame(_ frame: UInt32) -> Bool {
        switch frameRun(at: UInt64(frame), limit: UInt64(frame) + 1).use {
        case .untouched: true
        case .block(let page): page.kind == .buddy || page.kind == .perCPU
        case .hole, .reserved, .slab: false
        }
    }

    /// What a large `kmalloc` was asked for, if the block at a frame is one.
    func requestedBytes(ofBlockAt head: UInt32) -> UInt32 {
        let page = pages.map[Int(head)]
        guard page.kind == .allocated, page.isCompound else { return 0 }
        let block = sanitizer.pages[Int(head)]
        return Int(block.order) == page.order ? block.requested : 0
    }

    private func accessibleEnd(inAreaFrom address: UInt64) -> UInt64 {
        let place = vmalloc.busy.containing(address)
        guard place != 0 else { return address }
        let node = vmalloc.busy[place]
        guard node.use.kind == .area else { return node.end }
        let whole = vmalloc.usable(node)
        var end = whole.upperBound
        if let area = sanitizer.areas[node.start] {
            end = min(end, node.start &+ min(area.requested, node.size))
        }
        return address < end ? end : address
    }

    /// The first byte of a range that may not be touched.
    ///
    /// Costs one step for each object, block or area that the range reaches.
    ///
    /// - Parameters:
    ///   - address: any.
    ///   - length: bytes; the range ends within the address space.
    /// - Returns: nil where all may.
    func firstPoisoned(_ address: UInt64, _ length: UInt64) -> UInt64? {
        let end = address &+ length
        var place = address
        while place < end {
            let next = accessibleEnd(from: place)
            if next <= place { return place }
            place = next
        }
        return nil
    }

    /// The byte of shadow that describes the eight bytes from a multiple of eight on.
    func shadowByte(of granule: UInt64) -> UInt8 {
        let room = accessibleEnd(from: granule) &- granule
        guard room < ShadowByte.granule else { return 0 }
        return room > 0 ? UInt8(truncatingIfNeeded: room) : poison(of: granule)
    }

    /// Why a granule may not be touched.
    private func poison(of granule: UInt64) -> UInt8 {
        guard let frame = frame(ofDirectMapped: granule) else { return ShadowByte.vmallocInvalid }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else {
            let isFree = page.kind == .buddy || page.kind == .perCPU || isFreeFrame(frame)
            return isFree ? ShadowByte.freedPage : ShadowByte.pageRedzone
        }
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let start = layout.virtual(owner.pfn)
        let slot = shape.slot(of: granule &- start)
        guard slot < UInt32(owner.objects) else { return ShadowByte.objectRedzone }
        let begin = start &+ shape.begin(of: Int(slot))
        let size = (UInt64(shape.objectSize) + 7) & ~7
        guard granule >= begin, granule - begin < size else { return ShadowByte.objectRedzone }
        switch slab.sanitized[Int(owner.states) &+ Int(slot)].state {
        case .unused, .allocated: return ShadowByte.objectRedzone
        case .free: return ShadowByte.freedObject
        case .quarantined:
            return granule == begin ? ShadowByte.freedWithTrack : ShadowByte.freedObject
        }
    }
}
