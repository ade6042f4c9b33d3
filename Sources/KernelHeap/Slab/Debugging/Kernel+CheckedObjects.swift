/// Objects of caches with `slub_debug`: every one is taken and freed under checks.
///
/// Such a cache has no CPU slabs: each allocation takes one object from the node's list, and a full
/// slab is on no list. Here stands what is done in a slab whose marks stand in its bytes; in an
/// intact one no check can fail, see `SlabAllocator+KnownBytes`. Follows `alloc_single_from_partial()`, `alloc_single_from_new_slab()` and
/// `free_to_partial_list()`, `mm/slub.c`, 6.1.
extension Kernel {
    /// Takes an object from the node's first slab that passes the checks, or from a new one.
    ///
    /// - Parameters:
    ///   - cache: the cache's number.
    ///   - requested: bytes that `kmalloc()` was asked for; 0 elsewhere.
    ///   - flags: what the page allocator may do for a new slab.
    ///   - context: whose CPU and process are noted with the object.
    /// - Returns: the object; nil where there is no memory for a new slab.
    /// - Throws: `FreePointerFault` where a broken freelist leads out of memory.
    @inline(never)
    mutating func takeChecked(
        _ cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) throws(FreePointerFault) -> SlabAllocator.Object? {
        let node = cache * slab.nodeCount + slab.node(ofCPU: context.cpu)
        var number = slab.nodes[node].partial.head
        while number != Slab.none {
            let next = slab.slabs[Int(number)].next
            let object = try takeChecked(
                from: number,
                requested: requested,
                node: node,
                in: context
            )
            if let object { return object }
            number = next
        }
        let made = slab.makeCheckedSlab(cache, flags: flags, cpu: context.cpu, pages: &pages)
        guard let made else { return nil }
        let object = try takeChecked(from: made, requested: requested, node: nil, in: context)
        if slab.slabs[Int(made)].inuse < slab.slabs[Int(made)].objects {
            slab.prependPartial(made, node: slab.nodeIndex(of: made))
        }
        return object
    }

    /// Takes the first object of a slab; nil where a check failed, and the slab left its list.
    private mutating func takeChecked(
        from number: UInt32,
        requested: UInt64,
        node: Int?,
        in context: CallContext
    ) throws(FreePointerFault) -> SlabAllocator.Object? {
        guard slab.slabs[Int(number)].hasByteLists else {
            return slab.takeIntact(
                from: number,
                node: node,
                requested: requested,
                call: sequence,
                context
            )
        }
        let cache = Int(slab.slabs[Int(number)].cache)
        let layout = checkedLayout(ofCache: cache)
        let address = slab.head(of: number)
        guard let next = freePointer(of: address, number, layout) else {
            throw FreePointerFault(address: address &+ layout.pointer)
        }
        slab.slabs[Int(number)].freelist = slab.listIndex(of: next, slab: number)
        slab.slabs[Int(number)].inuse &+= 1
        let isSound =
            !layout.flags.contains(.consistencyChecks)
            || canBeAllocated(address, number, layout, in: context)
        guard isSound else {
            markAllUsed(number)
            if let node { slab.removePartial(number, node: node) }
            return nil
        }
        let word = UInt32(truncatingIfNeeded: requested)
        if let place = layout.requested { store(word, at: address &+ place) }
        mark(address, layout, with: SlabPoison.active)
        if let node, slab.slabs[Int(number)].inuse == slab.slabs[Int(number)].objects {
            slab.removePartial(number, node: node)
        }
        if layout.flags.contains(.storeUser) {
            note(address &+ layout.tracks, trackBytes: layout.trackBytes, context)
        }
        return slab.noteAllocated(address, slab: number, requested: requested, call: sequence)
    }

    /// The slab's objects are given up: what is left of its freelist cannot be trusted.
    private mutating func markAllUsed(_ number: UInt32) {
        logFix(number, "Marking all objects used")
        slab.slabs[Int(number)].inuse = slab.slabs[Int(number)].objects
        slab.slabs[Int(number)].freelist = Slab.endOfList
    }

    /// Frees an address into a slab of a checked cache.
    @inline(never)
    mutating func freeChecked(_ address: UInt64, slab number: UInt32, in context: CallContext) {
        if slab.freeIntact(address, slab: number, call: sequence, context, pages: &pages) {
            return
        }
        slab.spellOutMarks(of: number, pages: &pages)
        let cache = Int(slab.slabs[Int(number)].cache)
        let layout = checkedLayout(ofCache: cache)
        // Done before any check: an object freed twice cuts the freelist that it is on.
        setFreePointer(of: address, to: 0, number, layout)
        let isSound =
            !layout.flags.contains(.consistencyChecks)
            || canBeFreed(address, number, layout, in: context)
        guard isSound else { return logFix(number, "Object at 0x\(pointer(address)) not freed") }
        if layout.flags.contains(.storeUser) {
            let place = address &+ layout.tracks &+ layout.trackBytes
            note(place, trackBytes: layout.trackBytes, context)
        }
        mark(address, layout, with: SlabPoison.inactive)
        let head = slab.head(of: number)
        setFreePointer(of: address, to: head, number, layout)
        slab.noteFreed(address, slab: number, call: sequence)
        let index = slab.listIndex(of: address, slab: number)
        slab.giveBackChecked(index, slab: number, cpu: context.cpu, pages: &pages)
    }

    /// Writes the marks of a free or of an allocated object: `init_object()`, 6.1.
    private mutating func mark(_ address: UInt64, _ layout: CheckedLayout, with mark: UInt8) {
        if layout.flags.contains(.redZone) {
            fillKernel(address &- layout.redLeftPad, layout.redLeftPad, with: mark)
        }
        if layout.flags.contains(.objectPoison) {
            fillKernel(address, layout.objectSize - 1, with: SlabPoison.free)
            fillKernel(address &+ layout.objectSize &- 1, 1, with: SlabPoison.end)
        }
        if layout.flags.contains(.redZone) {
            let place = address &+ layout.objectSize
            fillKernel(place, layout.inuse - layout.objectSize, with: mark)
        }
    }

    /// Where the parts of a cache's slots lie.
    func checkedLayout(ofCache cache: Int) -> CheckedLayout { slab.checkedLayout(ofCache: cache) }

    private mutating func note(_ place: UInt64, trackBytes: UInt64, _ context: CallContext) {
        let track = ObjectTrack(call: sequence, cpu: context.cpu, pid: context.pid)
        writeKernel(place, track.stored(count: trackBytes))
    }

    private mutating func store(_ word: UInt32, at address: UInt64) {
        writeKernel(address, word.littleEndianBytes)
    }

    /// The ticks that a track notes: as if nothing but calls, of a microsecond each, moved the clock.
    static func jiffies(atCall call: UInt64) -> UInt64 { 0xfffe_db08 &+ call / 4_000 }

    /// The pointer that a free object holds, or nil where it lies in no memory.
    func freePointer(of address: UInt64, _ number: UInt32, _ layout: CheckedLayout) -> UInt64? {
        let place = address &+ layout.pointer
        let word = slab.pointers.wordBytes
        guard readableKernelBytes(place, UInt64(word)) == word else { return nil }
        let stored = kernelBytes(place, word).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        let cache = Int(slab.slabs[Int(number)].cache)
        return slab.pointers.code(stored, at: place, cache: cache)
    }

    mutating func setFreePointer(
        of address: UInt64,
        to next: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout
    ) {
        let place = address &+ layout.pointer
        let cache = Int(slab.slabs[Int(number)].cache)
        let stored = slab.pointers.code(next, at: place, cache: cache)
        writeKernel(place, stored.littleEndianBytes(count: slab.pointers.wordBytes))
    }
}
