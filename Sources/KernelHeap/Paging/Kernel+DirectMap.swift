extension Kernel {
    /// Where this machine's kernel sees its memory.
    @inline(__always)
    public var layout: AddressLayout { pages.layout }

    /// The frame of a descriptor's address, or nil where it is no descriptor of this machine.
    func frame(ofDescriptor address: UInt64) -> UInt32? {
        guard address >= layout.descriptors else { return nil }
        let offset = address - layout.descriptors
        let pfn = offset / layout.descriptorBytes
        guard offset % layout.descriptorBytes == 0, pages.isValid(pfn) else { return nil }
        return UInt32(truncatingIfNeeded: pfn)
    }

    /// The frame under an address of the direct map, or nil where no memory is.
    @inline(__always)
    func frame(ofDirectMapped address: UInt64) -> UInt32? {
        pages.frame(ofDirectMapped: address)
    }

    /// How many bytes from an address on lie in mapped kernel memory.
    func readableKernelBytes(_ address: UInt64, _ count: UInt64) -> UInt64 {
        var done: UInt64 = 0
        while done < count {
            let (place, overflow) = address.addingReportingOverflow(done)
            guard !overflow, frame(ofDirectMapped: place) != nil else { return done }
            done += min(count - done, 4096 - place % 4096)
        }
        return done
    }

    /// Bytes of kernel memory; the caller has checked that they are mapped.
    func kernelBytes(_ address: UInt64, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var place = address
        while bytes.count < count, let pfn = frame(ofDirectMapped: place) {
            let offset = Int(place % 4096)
            let length = min(count - bytes.count, 4096 - offset)
            readFrame(pfn, offset: offset, count: length, into: &bytes)
            place &+= UInt64(length)
        }
        return bytes
    }

    /// Stores bytes into mapped kernel memory.
    mutating func writeKernel(_ address: UInt64, _ bytes: [UInt8]) {
        noteWrite(address, UInt64(bytes.count))
        var rest = bytes[...]
        var place = address
        while !rest.isEmpty, let pfn = frame(ofDirectMapped: place) {
            let offset = Int(place % 4096)
            let part = rest.prefix(4096 - offset)
            writeFrame(pfn, offset: offset, part)
            place &+= UInt64(part.count)
            rest = rest.dropFirst(part.count)
        }
    }

    /// Clears mapped kernel memory.
    mutating func clearKernel(_ address: UInt64, _ count: UInt64) {
        fillKernel(address, count, with: 0)
    }

    mutating func fillKernel(_ address: UInt64, _ count: UInt64, with value: UInt8) {
        var done: UInt64 = 0
        while done < count, let pfn = frame(ofDirectMapped: address &+ done) {
            let offset = (address &+ done) % 4096
            let length = min(count - done, 4096 - offset)
            fillFrame(pfn, offset: Int(offset), count: Int(length), with: value)
            done += length
        }
    }
}

extension Kernel {
    /// Appends bytes of a frame as a load would find them, free pointers of slab objects included.
    ///
    /// A page table that the boot made reads as its entries.
    func readFrame(_ pfn: UInt32, offset: Int, count: Int, into bytes: inout [UInt8]) {
        let kind = pages.map[Int(pfn)].kind
        if kind == .inner, let table = unwrittenTable(pfn) {
            bytes += table[offset..<offset + count]
            return
        }
        pages.contents.read(pfn, offset: offset, count: count, into: &bytes)
        if kind == .slab {
            slab.addPointers(to: &bytes, pfn, offset: offset, count: count, pages)
        }
    }

    /// What a store into a frame changes besides its bytes: a slab's freelist, or translations.
    @inline(__always)
    private mutating func willStore(into pfn: UInt32, offset: Int, count: Int) {
        let page = pages.map[Int(pfn)]
        if page.kind == .slab {
            slab.willWrite(pfn, offset: offset, count: count, pages: &pages)
        } else if page.kind == .inner || page.isPageTable {
            willStoreIntoTable(pfn)
        }
    }

    /// Sets bytes of a frame to one value.
    mutating func fillFrame(_ pfn: UInt32, offset: Int, count: Int, with value: UInt8) {
        willStore(into: pfn, offset: offset, count: count)
        pages.contents.fill(pfn, offset: offset, count: count, with: value)
    }

    /// Stores bytes into a frame; a store into a free slab object changes the slab's freelist.
    mutating func writeFrame(_ pfn: UInt32, offset: Int, _ bytes: ArraySlice<UInt8>) {
        willStore(into: pfn, offset: offset, count: bytes.count)
        pages.contents.write(pfn, offset: offset, bytes)
    }

    /// Copies bytes from frame to frame.
    mutating func copyFrame(
        _ source: UInt32,
        _ sourceOffset: Int,
        to target: UInt32,
        _ targetOffset: Int,
        count: Int
    ) {
        let kind = pages.map[Int(source)].kind
        if kind == .slab || (kind == .inner && unwrittenTable(source) != nil) {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count)
            readFrame(source, offset: sourceOffset, count: count, into: &bytes)
            writeFrame(target, offset: targetOffset, bytes[...])
            return
        }
        willStore(into: target, offset: targetOffset, count: count)
        pages.contents.copy(from: source, sourceOffset, to: target, targetOffset, count: count)
    }
}

extension PageAllocator {
    /// The frame under an address of the direct map, or nil where no memory is.
    @inline(__always)
    func frame(ofDirectMapped address: UInt64) -> UInt32? {
        let pfn = (address &- pageOffset) >> 12
        guard address >= pageOffset, pfn < UInt64(map.capacity), layout.isMapped(pfn),
            isValid(pfn)
        else { return nil }
        return UInt32(truncatingIfNeeded: pfn)
    }
}
