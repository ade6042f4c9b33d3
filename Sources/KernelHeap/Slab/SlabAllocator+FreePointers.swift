/// The free pointers in the objects' bytes.
///
/// As long as nobody meddles with them they are not stored at all: a load makes them up from the
/// objects' states, and a store into an allocated object's place notes that they are gone. The first
/// store into a free object's pointer, and the first free of an address that begins no object, turn
/// the whole slab over: its pointers are written into its bytes, and the allocator follows what
/// stands there, wherever it leads.
extension SlabAllocator {
    /// Puts the free pointers of a frame's objects over bytes that were read from it.
    ///
    /// - Parameters:
    ///   - bytes: the frame's bytes, the last `count` of them.
    ///   - pfn: the frame, of a slab.
    ///   - offset: of the first byte in the frame.
    ///   - count: bytes.
    ///   - pages: the frames.
    func addPointers(
        to bytes: inout [UInt8],
        _ pfn: UInt32,
        offset: Int,
        count: Int,
        _ pages: borrowing PageAllocator
    ) {
        let page = pages.map[Int(pfn)]
        guard count > 0 else { return }
        let slab = slabs[Int(page.slabNumber)]
        let start = UInt64(pfn - slab.pfn) << 12 + UInt64(offset)
        if page.word & Page.longWayBit != 0 {
            return addKnownBytes(
                to: &bytes,
                slab: page.slabNumber,
                start..<start + UInt64(count)
            )
        }
        let first = bytes.count - count
        forEachPointer(of: slab, in: start..<start + UInt64(count)) { index, place in
            guard !states[Int(slab.states) + index].isWritten else { return }
            var rest = storedPointer(of: index, in: slab)
            for byte in place..<place + layout.wordBytes {
                if byte >= start, byte - start < UInt64(count) {
                    bytes[first + Int(byte - start)] = UInt8(truncatingIfNeeded: rest)
                }
                rest >>= 8
            }
        }
    }

    /// Prepares a store into a frame of a slab: what it overwrites stops being made up.
    ///
    /// - Parameters:
    ///   - pfn: the frame.
    ///   - offset: of the first byte in the frame.
    ///   - count: bytes that will be stored.
    ///   - pages: the frames.
    mutating func willWrite(
        _ pfn: UInt32,
        offset: Int,
        count: Int,
        pages: inout PageAllocator
    ) {
        let page = pages.map[Int(pfn)]
        guard count > 0 else { return }
        let slab = slabs[Int(page.slabNumber)]
        let start = UInt64(pfn - slab.pfn) << 12 + UInt64(offset)
        let range = start..<start + UInt64(count)
        if page.word & Page.longWayBit != 0 {
            return willWriteChecked(page.slabNumber, range, pages: &pages)
        }
        var whole: [Int] = []
        var partly: [Int] = []
        var reachesFree = false
        forEachPointer(of: slab, in: range) { index, place in
            let state = states[Int(slab.states) + index]
            guard state.isAllocated else {
                reachesFree = true
                return
            }
            guard !state.isWritten else { return }
            let isWhole = range.contains(place) && range.contains(place + layout.wordBytes - 1)
            if isWhole { whole.append(index) } else { partly.append(index) }
        }
        if reachesFree { return useByteLists(page.word, pages: &pages) }
        for index in partly { spellOut(index, of: slab, pages: &pages) }
        for index in whole { states[Int(slab.states) + index].isWritten = true }
    }

    /// Tells the objects whose free pointers lie in a range of the slab's bytes, at least partly.
    @inline(__always)
    private func forEachPointer(
        of slab: Slab,
        in range: Range<UInt64>,
        _ body: (Int, UInt64) -> Void
    ) {
        let shape = caches[Int(slab.cache)]
        let before = UInt64(shape.redLeftPad) + UInt64(shape.pointerOffset) + layout.wordBytes - 1
        var index = Int(shape.slot(of: range.lowerBound > before ? range.lowerBound - before : 0))
        while index < Int(slab.objects) {
            let place = shape.pointer(of: index)
            if place >= range.upperBound { return }
            if place + layout.wordBytes > range.lowerBound { body(index, place) }
            index += 1
        }
    }

    /// What stands in an object's bytes for its link.
    func storedPointer(of index: Int, in slab: Slab) -> UInt64 {
        let next = states[Int(slab.states) + index].next
        let place = layout.virtual(slab.pfn) &+ caches[Int(slab.cache)].pointer(of: index)
        return pointers.code(address(of: next, in: slab), at: place, cache: Int(slab.cache))
    }

    /// An object's address; 0 for the end of a list.
    func address(of index: UInt16, in slab: Slab) -> UInt64 {
        guard index != Slab.endOfList else { return 0 }
        return layout.virtual(slab.pfn) &+ caches[Int(slab.cache)].begin(of: Int(index))
    }

    /// Writes an object's free pointer into its bytes.
    private mutating func spellOut(_ index: Int, of slab: Slab, pages: inout PageAllocator) {
        let stored = storedPointer(of: index, in: slab)
        states[Int(slab.states) + index].isWritten = true
        let place = UInt64(slab.pfn) << 12 + caches[Int(slab.cache)].pointer(of: index)
        // Pointers are aligned to their size: none crosses into the next frame.
        let bytes = stored.littleEndianBytes(count: pointers.wordBytes)
        let pfn = UInt32(truncatingIfNeeded: place >> 12)
        pages.contents.write(pfn, offset: Int(place % 4096), bytes[...])
    }

    /// From now on the slab's free objects are linked by their bytes.
    private mutating func useByteLists(_ number: UInt32, pages: inout PageAllocator) {
        let slab = slabs[Int(number)]
        for index in 0..<Int(slab.objects)
        where !states[Int(slab.states) + index].isWritten {
            spellOut(index, of: slab, pages: &pages)
        }
        for cpu in 0..<cpuCount {
            let place = place(Int(slab.cache), cpu: cpu)
            guard place < cpuSlabs.count, cpuSlabs[place].slab == number else { continue }
            let head = address(of: cpuSlabs[place].freelist, in: slab)
            byteLists[number] = ByteLists(cpu: head)
            cpuSlabs[place].freelist = Slab.endOfList
        }
        slabs[Int(number)].hasByteLists = true
        markLongWay(number, pages: &pages)
    }

    /// Marks the pages of a slab whose objects are not linked by their states alone.
    mutating func markLongWay(_ number: UInt32, pages: inout PageAllocator) {
        for offset in 0..<(1 << Int(slabs[Int(number)].order)) {
            pages.map[Int(slabs[Int(number)].pfn) + offset].word |= Page.longWayBit
        }
    }
}

extension SlabAllocator {
    /// The head of a CPU's own freelist in a slab linked by bytes; 0 where there is none.
    func byteList(ofCPUAt place: Int) -> UInt64 {
        let number = cpuSlabs[place].slab
        guard number != Slab.none, slabs[Int(number)].hasByteLists else { return 0 }
        return byteLists[number]?.cpu ?? 0
    }

    /// The head of a slab's freelist, as an address; 0 where it is empty.
    func head(of number: UInt32) -> UInt64 {
        let slab = slabs[Int(number)]
        if slab.freelist == Slab.stray { return byteLists[number]?.slab ?? 0 }
        return address(of: slab.freelist, in: slab)
    }

    /// What `Slab.freelist` says of a head; an address that is no object is noted.
    mutating func listIndex(of head: UInt64, slab number: UInt32) -> UInt16 {
        if head == 0 { return Slab.endOfList }
        let physical = head &- layout.pageOffset
        if let index = exactIndex(ofPhysical: physical, in: slabs[Int(number)]) { return index }
        byteLists[number, default: ByteLists()].slab = head
        return Slab.stray
    }

    /// The object of a slab that begins at an address.
    @inline(__always)
    func exactIndex(ofPhysical address: UInt64, in slab: Slab) -> UInt16? {
        let shape = caches[Int(slab.cache)]
        let offset = address &- UInt64(slab.pfn) << 12
        let slot = shape.slot(of: offset)
        guard slot < UInt32(slab.objects), shape.begin(of: Int(slot)) == offset else { return nil }
        return UInt16(truncatingIfNeeded: slot)
    }

    /// Takes all free objects of a slab linked by bytes; where the CPU has some left, there is nothing
    /// to do.
    mutating func takeByteList(of number: UInt32, place: Int) -> Bool {
        if cpuSlabs[place].slab == number, byteList(ofCPUAt: place) != 0 { return true }
        let head = head(of: number)
        slabs[Int(number)].handOver()
        guard head != 0 else {
            cpuSlabs[place].slab = Slab.none
            return false
        }
        let slab = slabs[Int(number)]
        cpuSlabs[place].use(slab, number: number, of: caches[Int(slab.cache)], layout)
        byteLists[number] = ByteLists(cpu: head)
        return true
    }

    /// Takes the first object of a CPU's list that is linked by bytes.
    ///
    /// - Throws: `FreePointerFault` where the list's head is no address of memory.
    @inline(never)
    mutating func takeFromBytes(
        place: Int,
        requested: UInt64,
        call: UInt64,
        pages: inout PageAllocator
    ) throws(FreePointerFault) -> Object {
        let number = cpuSlabs[place].slab
        let slab = slabs[Int(number)]
        let head = byteList(ofCPUAt: place)
        let pointer = head &+ UInt64(caches[Int(slab.cache)].pointerOffset)
        guard let stored = word(at: pointer, pages) else {
            throw FreePointerFault(address: pointer)
        }
        let next = pointers.code(stored, at: pointer, cache: Int(slab.cache))
        byteLists[number, default: ByteLists()].cpu = next
        guard let index = exactIndex(ofPhysical: head &- layout.pageOffset, in: slab) else {
            return Object(slab: Slab.none, index: 0, pfn: slab.pfn, address: head)
        }
        let state = Int(slab.states) + Int(index)
        let before = states[state]
        _ = states[state].allocate(requested: requested, call: call)
        states[state].isWritten = true
        return Object(slab: number, index: index, pfn: slab.pfn, address: head, before: before)
    }

    /// Frees an address into a slab linked by bytes; the slab becomes one if it is not yet.
    ///
    /// The address need not begin an object: without checks the kernel links what it is given.
    @inline(never)
    mutating func freeInBytes(
        at physical: UInt64,
        slab number: UInt32,
        place: Int,
        cpu: Int,
        call: UInt64,
        pages: inout PageAllocator
    ) -> Bool {
        if !slabs[Int(number)].hasByteLists { useByteLists(number, pages: &pages) }
        let slab = slabs[Int(number)]
        let isOwn = cpuSlabs[place].slab == number
        let address = layout.pageOffset &+ physical
        let head = isOwn ? byteList(ofCPUAt: place) : head(of: number)
        let pointer = address &+ UInt64(caches[Int(slab.cache)].pointerOffset)
        let isTwice = head == address && pointers.isHardened
        let next = isTwice ? 0 : head
        store(pointers.code(next, at: pointer, cache: Int(slab.cache)), at: pointer, pages: &pages)
        if isTwice { return false }
        if let index = exactIndex(ofPhysical: physical, in: slab) {
            var state = ObjectState(next: Slab.endOfList, freedBy: call)
            state.isWritten = true
            states[Int(slab.states) + Int(index)] = state
        }
        if isOwn {
            byteLists[number, default: ByteLists()].cpu = address
        } else {
            let index = listIndex(of: address, slab: number)
            takeBack(index, slab: number, before: slab, place: place, cpu: cpu, pages: &pages)
        }
        return true
    }

    /// A word of the direct map, or nil where its bytes are not all memory.
    func word(at address: UInt64, _ pages: borrowing PageAllocator) -> UInt64? {
        var bytes: [UInt8] = []
        var place = address
        while bytes.count < pointers.wordBytes {
            guard let pfn = pages.frame(ofDirectMapped: place) else { return nil }
            let offset = Int(place % 4096)
            let count = min(pointers.wordBytes - bytes.count, 4096 - offset)
            pages.contents.read(pfn, offset: offset, count: count, into: &bytes)
            if pages.map[Int(pfn)].kind == .slab {
                addPointers(to: &bytes, pfn, offset: offset, count: count, pages)
            }
            place &+= UInt64(count)
        }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Stores a word in the direct map; what is no memory is left out.
    mutating func store(_ word: UInt64, at address: UInt64, pages: inout PageAllocator) {
        var rest = word.littleEndianBytes(count: pointers.wordBytes)[...]
        var place = address
        while !rest.isEmpty, let pfn = pages.frame(ofDirectMapped: place) {
            let offset = Int(place % 4096)
            let part = rest.prefix(4096 - offset)
            if pages.map[Int(pfn)].kind == .slab {
                willWrite(pfn, offset: offset, count: part.count, pages: &pages)
            }
            pages.contents.write(pfn, offset: offset, part)
            place &+= UInt64(part.count)
            rest = rest.dropFirst(part.count)
        }
    }
}
