extension SlabAllocator {
    /// Finds a slab with free objects for a CPU whose freelist is empty: `___slab_alloc()`, 6.1.
    @inline(never)
    mutating func refill(
        _ cache: Int,
        place: Int,
        flags: GFPFlags,
        cpu: Int,
        pages: inout PageAllocator
    ) -> Bool {
        if place >= cpuSlabs.count { cpuSlabs.extend(to: (cache + 1) * cpuCount) }
        var source = ObjectSource.cpuSlab
        let current = cpuSlabs[place].slab
        if current == Slab.none || !takeFreelist(of: current, place: place) {
            if takeFromChain(place: place) {
                source = .cpuPartial
            } else if takeFromNode(cache, place: place, cpu: cpu) {
                source = .nodePartial
            } else if let number = makeSlab(cache, flags: flags, cpu: cpu, pages: &pages),
                takeFreelist(of: number, place: place)
            {
                // The CPU takes all objects of a new slab.
                source = .newSlab
            } else {
                return false
            }
        }
        if pages.decisions.isOn { explain(source, place: place, pages: &pages) }
        if cpuSlabs[place].freelist != Slab.endOfList { return true }
        return byteList(ofCPUAt: place) != 0
    }

    /// Whether a CPU gets an object without pages for a new slab.
    func hasObject(of cache: Int, cpu: Int) -> Bool {
        let node = cache * nodeCount + self.node(ofCPU: cpu)
        if nodes[node].partial.head != Slab.none { return true }
        let place = place(cache, cpu: cpu)
        guard place < cpuSlabs.count else { return false }
        if cpuSlabs[place].hasFreeObject || cpuSlabs[place].partial != Slab.none { return true }
        let current = cpuSlabs[place].slab
        return current != Slab.none && slabs[Int(current)].freelist != Slab.endOfList
    }

    /// Takes all free objects of the CPU's slab: `get_freelist()`.
    ///
    /// A slab without any is let go.
    private mutating func takeFreelist(of number: UInt32, place: Int) -> Bool {
        let slab = slabs[Int(number)]
        if slab.hasByteLists { return takeByteList(of: number, place: place) }
        slabs[Int(number)].handOver()
        guard slab.freelist != Slab.endOfList else {
            cpuSlabs[place].slab = Slab.none
            return false
        }
        cpuSlabs[place].use(slab, number: number, of: caches[Int(slab.cache)], layout)
        return true
    }

    private mutating func takeFromChain(place: Int) -> Bool {
        while cpuSlabs[place].partial != Slab.none {
            let number = cpuSlabs[place].partial
            cpuSlabs[place].partial = slabs[Int(number)].next
            cpuSlabs[place].partialCount &-= 1
            if takeFreelist(of: number, place: place) { return true }
        }
        return false
    }

    /// Takes the node's first partial slab, and further ones for the CPU's chain:
    /// `get_partial_node()`, 6.1.
    private mutating func takeFromNode(_ cache: Int, place: Int, cpu: Int) -> Bool {
        let node = cache * nodeCount + self.node(ofCPU: cpu)
        let first = nodes[node].partial.head
        guard first != Slab.none else { return false }
        removePartial(first, node: node)
        guard takeFreelist(of: first, place: place) else { return false }
        guard caches[cache].hasCPUPartial else { return true }
        var further = 0
        while nodes[node].partial.head != Slab.none {
            let number = nodes[node].partial.head
            removePartial(number, node: node)
            slabs[Int(number)].isFrozen = true
            pushOnChain(number, place: place)
            further += 1
            if further > Int(caches[cache].cpuPartialSlabs) / 2 { break }
        }
        return true
    }

    private mutating func pushOnChain(_ number: UInt32, place: Int) {
        slabs[Int(number)].next = cpuSlabs[place].partial
        cpuSlabs[place].partial = number
        cpuSlabs[place].partialCount &+= 1
    }

    /// CPUs are dealt to nodes in turn.
    func node(ofCPU cpu: Int) -> Int { nodeCount == 1 ? 0 : cpu % nodeCount }

    /// Frees into a slab that is not the CPU's own: `__slab_free()`, 6.1.
    @inline(never)
    mutating func freeElsewhere(
        at physical: UInt64,
        slab word: UInt32,
        place: Int,
        cpu: Int,
        call: UInt64,
        pages: inout PageAllocator
    ) -> Bool {
        guard word & Page.longWayBit == 0, cpuSlabs[place].slab != word,
            let index = exactIndex(ofPhysical: physical, in: slabs[Int(word)])
        else {
            let number = word & ~Page.longWayBit
            return freeInBytes(
                at: physical,
                slab: number,
                place: place,
                cpu: cpu,
                call: call,
                pages: &pages
            )
        }
        let before = slabs[Int(word)]
        let state = Int(before.states) &+ Int(index)
        guard before.freelist != index || !pointers.isHardened else { return cutList(at: state) }
        states[state] = ObjectState(next: before.freelist, freedBy: call)
        takeBack(index, slab: word, before: before, place: place, cpu: cpu, pages: &pages)
        return true
    }

    /// A slab that is not the CPU's own has a free object more: the rest of `__slab_free()`.
    ///
    /// - Parameters:
    ///   - index: the new head of its freelist.
    ///   - number: the slab.
    ///   - before: the slab as it was.
    ///   - place: the CPU's part of the cache.
    ///   - cpu: the CPU that frees.
    ///   - pages: where an empty slab's pages go.
    @inline(__always)
    mutating func takeBack(
        _ index: UInt16,
        slab number: UInt32,
        before: Slab,
        place: Int,
        cpu: Int,
        pages: inout PageAllocator
    ) {
        let cache = Int(before.cache)
        let wasFull = before.freelist == Slab.endOfList
        let joinsChain = wasFull && !before.isFrozen && caches[cache].hasCPUPartial
        slabs[Int(number)].takeBack(index, freeze: joinsChain)
        if before.isFrozen { return }
        if joinsChain {
            addToChain(number, cache: cache, place: place, cpu: cpu, pages: &pages)
            return
        }
        let node = cache * nodeCount + Int(before.node)
        if before.inuse == 1 && nodes[node].partial.count >= Int(caches[cache].minPartial) {
            if !wasFull { removePartial(number, node: node) }
            discard(number, cpu: cpu, pages: &pages)
        } else if wasFull {
            appendPartial(number, node: node)
        }
    }

    /// Puts a slab on the CPU's chain; a chain that is long enough moves to the node first:
    /// `put_cpu_partial()`, 6.1.
    private mutating func addToChain(
        _ number: UInt32,
        cache: Int,
        place: Int,
        cpu: Int,
        pages: inout PageAllocator
    ) {
        let head = cpuSlabs[place].partial
        let limit = caches[cache].cpuPartialSlabs
        guard head != Slab.none, cpuSlabs[place].partialCount >= limit else {
            pushOnChain(number, place: place)
            return
        }
        cpuSlabs[place].partial = Slab.none
        cpuSlabs[place].partialCount = 0
        pushOnChain(number, place: place)
        unfreeze(chain: head, cpu: cpu, pages: &pages)
    }

    /// Moves a chain to the node's list, empty slabs back to the page allocator where the node has
    /// enough: `__unfreeze_partials()`, 6.1.
    mutating func unfreeze(chain head: UInt32, cpu: Int, pages: inout PageAllocator) {
        var number = head
        var empty: [UInt32] = []
        while number != Slab.none {
            let slab = slabs[Int(number)]
            let node = Int(slab.cache) * nodeCount + Int(slab.node)
            let enough = Int(caches[Int(slab.cache)].minPartial)
            if slab.inuse == 0 && nodes[node].partial.count >= enough {
                empty.append(number)
            } else {
                appendPartial(number, node: node)
            }
            number = slab.next
        }
        // The kernel collects them on a stack and frees the last one first.
        for number in empty.reversed() { discard(number, cpu: cpu, pages: &pages) }
    }

    /// Takes pages for a new slab: `new_slab()`, 6.1.
    ///
    /// The wished order is tried without effort, the smallest order with the caller's own flags.
    mutating func makeSlab(
        _ cache: Int,
        flags: GFPFlags,
        cpu: Int,
        pages: inout PageAllocator
    ) -> UInt32? {
        let shape = caches[cache]
        let wanted = flags.union(shape.flags).subtracting([.zero, .highMem, .movable])
        var easy = wanted.union([.noWarn, .noRetry]).subtracting(.noFail)
        if wanted.contains(.directReclaim) && shape.order > shape.minOrder {
            easy = easy.union(.noMemAlloc).subtracting(.reclaim)
        }
        var order = Int(shape.order)
        var objects = shape.objects
        let home = node(ofCPU: cpu)
        var request = AllocationRequest(
            order: order,
            flags: easy,
            cpu: cpu,
            node: home,
            zones: pages.gfpZones
        )
        var pfn = pages.allocate(request)
        if pfn == nil {
            order = Int(shape.minOrder)
            objects = shape.minObjects
            request.order = order
            request.flags = wanted
            pfn = pages.allocate(request)
        }
        guard let pfn else { return nil }
        return install(cache, pfn: pfn, order: order, objects: objects, pages: &pages)
    }

    /// Marks a block's pages as a slab and links its objects in ascending order.
    private mutating func install(
        _ cache: Int,
        pfn: UInt32,
        order: Int,
        objects: UInt16,
        pages: inout PageAllocator
    ) -> UInt32 {
        let number: UInt32
        if let reused = freeNumbers.popLast() {
            number = reused
        } else {
            number = UInt32(truncatingIfNeeded: slabLimit)
            slabLimit += 1
            if slabLimit > slabs.capacity { slabs.grow(toAtLeast: slabLimit) }
        }
        let head = pages.map[Int(pfn)]
        for offset in 0..<UInt32(1 << order) {
            let frame = Int(pfn + offset)
            pages.map[frame].set(
                .slab,
                order: offset == 0 ? order : 0,
                migrateType: head.migrateType,
                zone: head.zone
            )
            pages.map[frame].join(slab: number, of: cache)
        }
        let start = states.allocate(count: Int(objects))
        if isSanitized { forgetOwners(ofStates: Int(start), count: Int(objects)) }
        let first = linkObjects(from: Int(start), count: objects, cache: cache)
        var slab = Slab()
        slab.freelist = first
        slab.pfn = pfn
        slab.states = start
        slab.next = Slab.none
        slab.prev = Slab.none
        slab.cache = UInt16(truncatingIfNeeded: cache)
        slab.objects = objects
        slab.order = UInt8(truncatingIfNeeded: order)
        slab.node = UInt8(truncatingIfNeeded: min(pages.zones[head.zone].node, nodeCount - 1))
        slab.isLive = true
        slabs[Int(number)] = slab
        let node = cache * nodeCount + Int(slab.node)
        nodes[node].slabCount += 1
        nodes[node].objectCount += Int(objects)
        return number
    }

    /// Links the objects of a new slab in their own order, or shuffled where the machine is told so.
    ///
    /// - Returns: the first.
    private mutating func linkObjects(from start: Int, count: UInt16, cache: Int) -> UInt16 {
        let full = caches[cache].objects
        if let order = shuffle?.order(of: count, cache: cache, full: full) {
            for (place, index) in order.enumerated() {
                let next = place + 1 < order.count ? order[place + 1] : Slab.endOfList
                states[start + Int(index)] = ObjectState(next: next)
            }
            return order.first ?? Slab.endOfList
        }
        for index in 0..<count {
            let next = index + 1 == count ? Slab.endOfList : index + 1
            states[start + Int(index)] = ObjectState(next: next)
        }
        return 0
    }

    /// Returns an empty slab's pages: `discard_slab()`.
    mutating func discard(_ number: UInt32, cpu: Int, pages: inout PageAllocator) {
        let slab = slabs[Int(number)]
        let node = Int(slab.cache) * nodeCount + Int(slab.node)
        nodes[node].slabCount -= 1
        nodes[node].objectCount -= Int(slab.objects)
        if caches[Int(slab.cache)].isTypesafe {
            // Frozen, so that what comes back to it wrongly joins no list.
            slabs[Int(number)].isFrozen = true
            waitingSlabs.append(number)
        } else {
            releasePages(of: number, cpu: cpu, pages: &pages)
        }
    }

    /// Frees a slab's pages and its number: `__free_slab()`.
    mutating func releasePages(of number: UInt32, cpu: Int, pages: inout PageAllocator) {
        // The pages' next owner finds the marks.
        if caches[Int(slabs[Int(number)].cache)].isChecked {
            spellOutMarks(of: number, pages: &pages)
        }
        let slab = slabs[Int(number)]
        states.release(slab.states, count: Int(slab.objects))
        if slab.hasByteLists { byteLists[number] = nil }
        slabs[Int(number)].isLive = false
        freeNumbers.append(number)
        for offset in 1..<UInt32(1 << slab.order) {
            pages.map[Int(slab.pfn + offset)].clear()
        }
        let head = pages.map[Int(slab.pfn)]
        pages.map[Int(slab.pfn)].set(
            .allocated,
            order: Int(slab.order),
            migrateType: head.migrateType,
            zone: head.zone
        )
        pages.release(slab.pfn, order: Int(slab.order), cpu: cpu)
    }

    mutating func appendPartial(_ number: UInt32, node: Int) {
        let tail = nodes[node].partial.tail
        slabs[Int(number)].queue(behind: tail)
        if tail == Slab.none {
            nodes[node].partial.head = number
        } else {
            slabs[Int(tail)].next = number
        }
        nodes[node].partial.tail = number
        nodes[node].partial.count += 1
    }

    /// A slab becomes the first of a node's list.
    mutating func prependPartial(_ number: UInt32, node: Int) {
        let head = nodes[node].partial.head
        slabs[Int(number)].queue(behind: Slab.none)
        slabs[Int(number)].next = head
        if head == Slab.none {
            nodes[node].partial.tail = number
        } else {
            slabs[Int(head)].prev = number
        }
        nodes[node].partial.head = number
        nodes[node].partial.count += 1
    }

    /// Takes a slab off its node's list; afterwards nothing is before it.
    mutating func removePartial(_ number: UInt32, node: Int) {
        let slab = slabs[Int(number)]
        slabs[Int(number)].prev = Slab.none
        if slab.prev == Slab.none {
            nodes[node].partial.head = slab.next
        } else {
            slabs[Int(slab.prev)].next = slab.next
        }
        if slab.next == Slab.none {
            nodes[node].partial.tail = slab.prev
        } else {
            slabs[Int(slab.next)].prev = slab.prev
        }
        nodes[node].partial.count -= 1
    }
}
