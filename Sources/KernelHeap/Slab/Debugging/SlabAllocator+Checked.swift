extension SlabAllocator {
    /// Takes pages for a checked slab, intact; it is on no list yet: `setup_slab_debug()`.
    mutating func makeCheckedSlab(
        _ cache: Int,
        flags: GFPFlags,
        cpu: Int,
        pages: inout PageAllocator
    ) -> UInt32? {
        guard let number = makeSlab(cache, flags: flags, cpu: cpu, pages: &pages) else {
            return nil
        }
        markLongWay(number, pages: &pages)
        let slab = slabs[Int(number)]
        if caches[cache].notesUsers {
            let end = Int(slab.states) + Int(slab.objects)
            if end > notes.capacity { notes.grow(toAtLeast: end) }
            for state in Int(slab.states)..<end { notes[state] = ObjectNotes() }
        }
        let flags = catalog.geometries[cache].flags
        if flags.contains(.poison), !flags.contains(.objectPoison) {
            // Objects that are not poisoned keep what the slab was filled with.
            let length = UInt64(4_096) << UInt64(slab.order)
            fill(0, count: length, with: SlabPoison.inUse, of: slab, pages: &pages)
        }
        return number
    }

    /// Takes the first object of an intact slab, which has one.
    mutating func takeIntact(
        from number: UInt32,
        node: Int?,
        requested: UInt64,
        call: UInt64,
        _ context: CallContext
    ) -> Object {
        let slab = slabs[Int(number)]
        let shape = caches[Int(slab.cache)]
        let state = Int(slab.states) &+ Int(slab.freelist)
        let before = states[state]
        let next = states[state].allocate(requested: requested, call: call)
        slabs[Int(number)].freelist = next
        slabs[Int(number)].inuse &+= 1
        if let node, next == Slab.endOfList { removePartial(number, node: node) }
        if shape.notesUsers {
            notes[state].noteAllocation(requested: requested, call: call, context)
        }
        let address = layout.virtual(slab.pfn) &+ shape.begin(of: Int(slab.freelist))
        return Object(
            slab: number,
            index: slab.freelist,
            pfn: slab.pfn,
            address: address,
            before: before
        )
    }

    /// Frees an allocated object of an intact slab.
    ///
    /// - Returns: false, and nothing is done, where checks would find something or must look.
    mutating func freeIntact(
        _ address: UInt64,
        slab number: UInt32,
        call: UInt64,
        _ context: CallContext,
        pages: inout PageAllocator
    ) -> Bool {
        let slab = slabs[Int(number)]
        guard !slab.hasByteLists,
            let index = exactIndex(ofPhysical: address &- layout.pageOffset, in: slab)
        else { return false }
        let state = Int(slab.states) &+ Int(index)
        guard states[state].isAllocated else { return false }
        states[state] = ObjectState(next: slab.freelist, freedBy: call)
        if caches[Int(slab.cache)].notesUsers { notes[state].noteFree(call: call, context) }
        giveBackChecked(index, slab: number, cpu: context.cpu, pages: &pages)
        return true
    }

    /// Which of the nodes' lists a slab belongs on.
    func nodeIndex(of number: UInt32) -> Int {
        Int(slabs[Int(number)].cache) * nodeCount + Int(slabs[Int(number)].node)
    }

    /// Notes an allocated object's owner.
    mutating func noteAllocated(
        _ address: UInt64,
        slab number: UInt32,
        requested: UInt64,
        call: UInt64
    ) -> Object {
        let slab = slabs[Int(number)]
        guard let index = exactIndex(ofPhysical: address &- layout.pageOffset, in: slab) else {
            return Object(slab: Slab.none, index: 0, pfn: slab.pfn, address: address)
        }
        let state = Int(slab.states) + Int(index)
        let before = states[state]
        _ = states[state].allocate(requested: requested, call: call)
        states[state].isWritten = true
        return Object(slab: number, index: index, pfn: slab.pfn, address: address, before: before)
    }

    /// Notes who freed an object.
    mutating func noteFreed(_ address: UInt64, slab number: UInt32, call: UInt64) {
        let slab = slabs[Int(number)]
        guard let index = exactIndex(ofPhysical: address &- layout.pageOffset, in: slab) else {
            return
        }
        var state = ObjectState(next: Slab.endOfList, freedBy: call)
        state.isWritten = true
        states[Int(slab.states) + Int(index)] = state
    }

    /// A checked slab has a free object more.
    ///
    /// A slab whose freelist was empty goes to the end of the node's list; one without users goes
    /// back to the page allocator where the node has enough. A freelist that a double free has cut
    /// does not say whether the slab is on the list: `remove_full()` takes it from whichever it is on.
    mutating func giveBackChecked(
        _ head: UInt16,
        slab number: UInt32,
        cpu: Int,
        pages: inout PageAllocator
    ) {
        let before = slabs[Int(number)]
        // Frozen where it waits for the end of a grace period: it is on no list, and joins none.
        guard !before.isFrozen else { return }
        let cache = Int(before.cache)
        let node = cache * nodeCount + Int(before.node)
        slabs[Int(number)].freelist = head
        slabs[Int(number)].inuse &-= 1
        let wasListed = nodes[node].partial.head == number || before.prev != Slab.none
        let isSurplus =
            before.inuse == 1 && nodes[node].partial.count >= Int(caches[cache].minPartial)
        guard isSurplus || before.freelist == Slab.endOfList else { return }
        if wasListed { removePartial(number, node: node) }
        if isSurplus {
            discard(number, cpu: cpu, pages: &pages)
        } else {
            appendPartial(number, node: node)
        }
    }
}
