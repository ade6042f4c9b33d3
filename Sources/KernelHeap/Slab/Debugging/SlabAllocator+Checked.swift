extension SlabAllocator {
    /// Takes pages for a slab whose objects are linked by their bytes; it is on no list yet.
    mutating func makeCheckedSlab(
        _ cache: Int,
        flags: GFPFlags,
        cpu: Int,
        pages: inout PageAllocator
    ) -> UInt32? {
        let number = makeSlab(cache, flags: flags, cpu: cpu, pages: &pages)
        if let number {
            for index in 0..<Int(slabs[Int(number)].objects) {
                states[Int(slabs[Int(number)].states) + index].isWritten = true
            }
            markByteLists(number, pages: &pages)
        }
        return number
    }

    /// Which of the nodes' lists a slab belongs on.
    func nodeIndex(of number: UInt32) -> Int {
        Int(slabs[Int(number)].cache) * nodeCount + Int(slabs[Int(number)].node)
    }

    /// The object behind another in a new slab's freelist; 0 at its end.
    func nextAddress(of index: Int, slab number: UInt32) -> UInt64 {
        let slab = slabs[Int(number)]
        return address(of: states[Int(slab.states) + index].next, in: slab)
    }

    /// Notes an allocated object's owner.
    mutating func noteAllocated(
        _ address: UInt64,
        slab number: UInt32,
        requested: UInt64,
        call: UInt64
    ) -> Object {
        let slab = slabs[Int(number)]
        guard let index = exactIndex(ofPhysical: address &- Kernel.pageOffset, in: slab) else {
            return Object(slab: Slab.none, index: 0, pfn: slab.pfn, address: address)
        }
        let state = Int(slab.states) + Int(index)
        _ = states[state].allocate(requested: requested, call: call)
        states[state].isWritten = true
        return Object(slab: number, index: index, pfn: slab.pfn, address: address)
    }

    /// Notes who freed an object.
    mutating func noteFreed(_ address: UInt64, slab number: UInt32, call: UInt64) {
        let slab = slabs[Int(number)]
        guard let index = exactIndex(ofPhysical: address &- Kernel.pageOffset, in: slab) else {
            return
        }
        var state = ObjectState(next: Slab.endOfList, freedBy: call)
        state.isWritten = true
        states[Int(slab.states) + Int(index)] = state
    }

    /// A checked slab has a free object more.
    ///
    /// A slab that was full goes to the end of the node's list; one that is empty goes back to the
    /// page allocator where the node has enough.
    mutating func giveBackChecked(
        _ head: UInt64,
        slab number: UInt32,
        cpu: Int,
        pages: inout PageAllocator
    ) {
        let before = slabs[Int(number)]
        // Frozen where it waits for the end of a grace period: it is on no list, and joins none.
        guard !before.isFrozen else { return }
        let cache = Int(before.cache)
        let node = cache * nodeCount + Int(before.node)
        slabs[Int(number)].freelist = listIndex(of: head, slab: number)
        slabs[Int(number)].inuse &-= 1
        let wasFull = before.freelist == Slab.endOfList
        let isSurplus =
            before.inuse == 1 && nodes[node].partial.count >= Int(caches[cache].minPartial)
        if isSurplus {
            if !wasFull { removePartial(number, node: node) }
            discard(number, cpu: cpu, pages: &pages)
        } else if wasFull {
            appendPartial(number, node: node)
        }
    }
}
