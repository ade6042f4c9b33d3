/// Functions built on `kmalloc()`: `mm/slab_common.c` and `mm/util.c`, 6.1.
extension Kernel {
    /// What `krealloc()` came to.
    enum ReallocationOutcome {
        /// The memory given was large enough.
        case inPlace(UInt64)
        case allocated(KmallocOutcome)
    }

    /// `krealloc()`.
    ///
    /// Memory that has room already is returned as it is, even where `__GFP_ZERO` asks for cleared
    /// bytes. Otherwise all bytes that the old memory really has are copied, and it is freed.
    mutating func reallocate(
        _ address: UInt64,
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> ReallocationOutcome {
        guard size > 0 else {
            checkFree(address)
            kfree(LinearAddress(rawValue: address), in: context)
            return .allocated(.zeroSize)
        }
        if isSanitized, isRefusedByShadow(address, "krealloc", in: context) {
            return .allocated(.null)
        }
        let room = ksize(LinearAddress(rawValue: address))
        if room >= size {
            checkOwner(address)
            if isSanitized { setUsable(address, size) }
            return .inPlace(address)
        }
        let outcome = allocate(size: size, flags: flags, in: context)
        let target = self.address(of: outcome)
        guard target != 0 else { return .allocated(outcome) }
        let unwritten = unwrittenParts(address, room)
        copyKernel(from: address, to: target, room)
        if room > 0 { noteWrite(target, room) }
        noteUnwritten(unwritten, at: target, stored: 0..<room)
        if address != 0 {
            checkFree(address)
            kfree(LinearAddress(rawValue: address), in: context)
        }
        return .allocated(outcome)
    }

    /// `kfree_sensitive()`: clears all bytes that the memory really has.
    mutating func kfreeSensitive(_ address: LinearAddress, in context: CallContext) {
        checkFree(address.rawValue)
        if checkSize(of: address.rawValue, in: context) {
            clearKernel(address.rawValue, wholeSize(address, "kfree_sensitive", in: context))
        }
        kfree(address, in: context)
    }

    /// `__ksize()`: pages that are no large `kmalloc()`'s, and addresses inside one, are warned about
    /// and have no bytes.
    ///
    /// - Returns: whether the address has a size.
    private mutating func checkSize(of address: UInt64, in context: CallContext) -> Bool {
        guard address > Self.zeroSizePointer, let frame = frame(ofLookedUp: address) else {
            return false
        }
        guard pages.map[Int(frame)].kind != .slab else { return true }
        let head = compoundHead(of: frame)
        let page = pages.map[Int(head)]
        let order = page.kind == .allocated && page.isCompound ? page.order : 0
        guard order > 1, address == layout.virtual(head) else {
            log.warn(nil, at: "mm/slab_common.c", in: "__ksize", context)
            return false
        }
        return true
    }

    /// `kmalloc_size_roundup()`: the bytes that `kmalloc()` would really give.
    ///
    /// Sizes that no allocation has are rounded all the same; beyond 2^63 the result wraps to 0.
    func kmallocSizeRoundup(_ size: UInt64) -> UInt64 {
        guard size > 0, size < .max else { return size }
        guard size <= slab.kmalloc.largest else {
            let pages = (size - 1) >> 12
            let rounded = UInt64(4096) << UInt64(UInt64.bitWidth - pages.leadingZeroBitCount)
            return slab.kmalloc.usesPages ? rounded & layout.addressMask : size
        }
        return UInt64(slab.caches[slab.kmalloc.cache(size: size, flags: [])].objectSize)
    }

    /// Copies kernel memory page by page, up to the first byte that is not mapped.
    mutating func copyKernel(from source: UInt64, to target: UInt64, _ count: UInt64) {
        var done: UInt64 = 0
        while done < count, let from = frame(ofDirectMapped: source &+ done),
            let to = frame(ofDirectMapped: target &+ done)
        {
            let sourceOffset = (source &+ done) % 4096
            let targetOffset = (target &+ done) % 4096
            let length = min(count - done, 4096 - sourceOffset, 4096 - targetOffset)
            copyFrame(
                from,
                Int(sourceOffset),
                to: to,
                Int(targetOffset),
                count: Int(length)
            )
            done += length
        }
    }
}

extension SlabAllocator {
    /// Bytes of an object that its owner may use: `slab_ksize()`, 6.1.
    func usableBytes(of cache: Int) -> UInt64 {
        let geometry = catalog.geometries[cache]
        if !geometry.flags.isDisjoint(with: [.redZone, .poison, .sanitized]) {
            return UInt64(geometry.objectSize)
        }
        let isInUse = !geometry.flags.isDisjoint(with: [.typesafeByRCU, .storeUser])
        return UInt64(isInUse ? geometry.inuse : geometry.size)
    }
}
