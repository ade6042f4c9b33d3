extension SlabAllocator {
    /// Slabs with up to so many free objects are sorted by how full they are.
    private static let promoteLimit = 32

    /// Slabs of a cache, those that wait for a grace period not counted.
    func slabCount(of cache: Int) -> Int {
        (0..<nodeCount).reduce(0) { $0 + nodes[cache * nodeCount + $1].slabCount }
    }

    /// Gives back what a cache has without use: `__kmem_cache_shrink()`, 6.1.
    ///
    /// Every CPU loses its slab and its chain. Of each node's list the empty slabs go back, and
    /// the fullest of the others come first.
    ///
    /// - Returns: whether the cache still has slabs.
    mutating func shrink(_ cache: Int, cpu: Int, pages: inout PageAllocator) -> Bool {
        flush(cache, pages: &pages)
        for node in 0..<nodeCount { sortPartial(cache, node: node, cpu: cpu, pages: &pages) }
        return slabCount(of: cache) > 0
    }

    /// Takes the slabs of a cache away from every CPU: `flush_all()`.
    mutating func flush(_ cache: Int, pages: inout PageAllocator) {
        for cpu in 0..<cpuCount {
            let place = place(cache, cpu: cpu)
            guard place < cpuSlabs.count else { return }
            deactivate(place: place, cpu: cpu, pages: &pages)
            let chain = cpuSlabs[place].partial
            cpuSlabs[place].partial = Slab.none
            cpuSlabs[place].partialCount = 0
            unfreeze(chain: chain, cpu: cpu, pages: &pages)
        }
    }

    /// Takes a CPU's slab away and gives its freelist back to the slab: `deactivate_slab()`, 6.1.
    private mutating func deactivate(place: Int, cpu: Int, pages: inout PageAllocator) {
        let number = cpuSlabs[place].slab
        guard number != Slab.none else { return }
        let hadFree = slabs[Int(number)].freelist != Slab.endOfList
        giveBackFreelist(of: number, place: place, pages: &pages)
        cpuSlabs[place].slab = Slab.none
        cpuSlabs[place].freelist = Slab.endOfList
        slabs[Int(number)].isFrozen = false
        let slab = slabs[Int(number)]
        let node = Int(slab.cache) * nodeCount + Int(slab.node)
        if slab.inuse == 0, nodes[node].partial.count >= Int(caches[Int(slab.cache)].minPartial) {
            discard(number, cpu: cpu, pages: &pages)
        } else if slab.freelist != Slab.endOfList {
            if hadFree {
                appendPartial(number, node: node)
            } else {
                prependPartial(number, node: node)
            }
        }
    }

    /// Puts the CPU's freelist in front of what others freed into the slab meanwhile.
    ///
    /// A list that a double free made run in a circle ends after as many objects as a slab has.
    private mutating func giveBackFreelist(
        of number: UInt32,
        place: Int,
        pages: inout PageAllocator
    ) {
        let slab = slabs[Int(number)]
        if slab.hasByteLists { return giveBackByteList(of: number, place: place, pages: &pages) }
        let head = cpuSlabs[place].freelist
        guard head < slab.objects else { return }
        var count: UInt16 = 1
        var last = head
        while count < slab.objects {
            let next = states[Int(slab.states) + Int(last)].next
            guard next < slab.objects else { break }
            last = next
            count += 1
        }
        states[Int(slab.states) + Int(last)].link(to: slab.freelist)
        slabs[Int(number)].takeBack(head, count: count)
    }

    /// The same for a list in the objects' bytes; it ends where it leads out of memory.
    private mutating func giveBackByteList(
        of number: UInt32,
        place: Int,
        pages: inout PageAllocator
    ) {
        let slab = slabs[Int(number)]
        let head = byteList(ofCPUAt: place)
        let cache = Int(slab.cache)
        let offset = UInt64(caches[cache].pointerOffset)
        byteLists[number]?.cpu = 0
        guard head != 0, word(at: head &+ offset, pages) != nil else { return }
        var count: UInt16 = 1
        var last = head &+ offset
        while count < slab.objects, let stored = word(at: last, pages) {
            let next = pointers.code(stored, at: last, cache: cache)
            guard next != 0, word(at: next &+ offset, pages) != nil else { break }
            last = next &+ offset
            count += 1
        }
        let rest = self.head(of: number)
        store(pointers.code(rest, at: last, cache: cache), at: last, pages: &pages)
        let first = listIndex(of: head, slab: number)
        slabs[Int(number)].takeBack(first, count: count)
    }

    /// The slabs of a node's list, head first.
    func partialSlabs(node: Int) -> [UInt32] {
        var list: [UInt32] = []
        var number = nodes[node].partial.head
        while number != Slab.none {
            list.append(number)
            number = slabs[Int(number)].next
        }
        return list
    }

    /// Makes a node's list anew in the given order.
    private mutating func relink(_ list: [UInt32], node: Int) {
        nodes[node].partial = SlabList()
        for number in list { appendPartial(number, node: node) }
    }

    /// Follows `__kmem_cache_do_shrink()`, 6.1.
    ///
    /// Each move puts a slab in front, so slabs that are equally full come out reversed.
    private mutating func sortPartial(
        _ cache: Int,
        node: Int,
        cpu: Int,
        pages: inout PageAllocator
    ) {
        let list = cache * nodeCount + node
        var buckets = [[UInt32]](repeating: [], count: Self.promoteLimit + 1)
        var empty: [UInt32] = []
        var rest: [UInt32] = []
        for number in partialSlabs(node: list) {
            let slab = slabs[Int(number)]
            let free = Int(slab.objects) - Int(slab.inuse)
            if slab.inuse == 0 {
                empty.append(number)
            } else if free > 0, free <= Self.promoteLimit {
                buckets[free].append(number)
            } else {
                rest.append(number)
            }
        }
        relink(buckets.flatMap { $0.reversed() } + rest, node: list)
        for number in empty.reversed() { discard(number, cpu: cpu, pages: &pages) }
    }

    /// Takes every slab of a cache that has no objects: `__kmem_cache_shutdown()`, 6.1.
    ///
    /// - Returns: the partial slabs that have objects, in the order in which the kernel reports
    ///   them, and whether any slab is left.
    mutating func shutDown(
        _ cache: Int,
        cpu: Int,
        pages: inout PageAllocator
    ) -> (remaining: [UInt32], isEmpty: Bool) {
        flush(cache, pages: &pages)
        var remaining: [UInt32] = []
        for node in 0..<nodeCount {
            let list = cache * nodeCount + node
            let slabs = partialSlabs(node: list)
            let kept = slabs.filter { self.slabs[Int($0)].inuse > 0 }
            relink(kept, node: list)
            for number in slabs.reversed() where self.slabs[Int(number)].inuse == 0 {
                discard(number, cpu: cpu, pages: &pages)
            }
            remaining += kept
        }
        return (remaining, slabCount(of: cache) == 0)
    }
}
