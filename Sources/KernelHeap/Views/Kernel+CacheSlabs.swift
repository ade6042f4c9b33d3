extension Kernel {
    /// Slabs, and slots of the shown ones, that one answer looks at.
    static let cacheSlabSteps = 1 << 18
    /// Slabs and objects that one sum counts.
    private static let usageSteps = 1 << 20
    /// Slabs of the nodes' lists whose positions are counted for one answer.
    private static let countedPartials = 1 << 14

    /// Bytes of checked slots that one answer compares with what should stand there.
    private static let comparedBytes = 1 << 20

    /// A cache's slabs with their objects, oldest slab number first.
    ///
    /// Costs what it passes on the way, with an upper limit; an answer may therefore hold fewer
    /// objects than asked for, even none, and still name a next one.
    ///
    /// - Parameters:
    ///   - cache: the cache.
    ///   - cursor: 0, or what an earlier answer gave as next.
    ///   - limit: most objects to give.
    /// - Returns: slabs, the first and the last of them perhaps in part, and where to go on.
    public func slabs(of cache: CacheID, from cursor: UInt64, limit: Int) -> CacheSlabsView {
        var view = CacheSlabsView()
        let places = slab.holders(of: Int(cache.rawValue), limit: Self.countedPartials)
        var room = min(max(limit, 1), Self.cacheSlabSteps)
        let shape = slab.caches[Int(cache.rawValue)]
        if shape.isChecked {
            room = min(room, max(Self.comparedBytes / max(Int(shape.size), 1), 1))
        }
        var steps = Self.cacheSlabSteps
        var index = Int(cursor & 0xffff)
        var number = cursor >> 16
        while number < UInt64(slab.slabLimit) {
            guard steps > 0 else {
                view.next = number << 16
                return view
            }
            steps -= 1
            let owner = slab.slabs[Int(number)]
            if owner.isLive, owner.cache == cache.rawValue, index < Int(owner.objects) {
                guard room > 0 else {
                    view.next = number << 16 | UInt64(index)
                    return view
                }
                let range = index..<min(Int(owner.objects), index + room)
                let word = UInt32(truncatingIfNeeded: number)
                view.slabs.append(slabView(word, slots: range, holder: places[word]))
                room -= range.count
                steps -= Int(owner.objects)
                if range.upperBound < Int(owner.objects) {
                    view.next = number << 16 | UInt64(range.upperBound)
                    return view
                }
            }
            index = 0
            number += 1
        }
        return view
    }

    /// What the bytes of all of a cache's slabs are used for.
    ///
    /// - Returns: the sum; nil where no cache has the name, or where its objects are more than one
    ///   answer looks at.
    public func usage(ofCacheNamed name: String) -> SlabUsage? {
        guard let cache = cache(named: name) else { return nil }
        var usage = SlabUsage()
        var steps = Self.usageSteps
        for number in 0..<slab.slabLimit {
            guard steps > 0 else { return nil }
            steps -= 1
            let owner = slab.slabs[number]
            guard owner.isLive, owner.cache == cache.rawValue else { continue }
            steps -= Int(owner.objects)
            usage.add(slab.usage(of: owner))
        }
        return usage
    }

    private func slabView(
        _ number: UInt32,
        slots: Range<Int>,
        holder: SlabView.Holder?
    ) -> SlabView {
        let owner = slab.slabs[Int(number)]
        var view = SlabView(
            pfn: PFN(rawValue: UInt64(owner.pfn)),
            order: Int(owner.order),
            node: Int(owner.node),
            objects: Int(owner.objects),
            inuse: Int(owner.inuse),
            isFrozen: owner.isFrozen,
            isLinkedByBytes: owner.hasByteLists,
            holder: holder ?? slab.holder(ofUnlisted: owner),
            usage: slab.usage(of: owner)
        )
        var walk = FreelistWalk(objects: Int(owner.objects))
        for cpu in 0..<slab.cpuCount where slab.cpuSlab(Int(owner.cache), cpu).slab == number {
            view.freelists.append(slab.walk(&walk, number, .cpu(cpu), pages))
        }
        view.freelists.append(slab.walk(&walk, number, .slab, pages))
        let shape = slab.caches[Int(owner.cache)]
        let checked = checkedLayout(ofCache: Int(owner.cache))
        for index in slots {
            let state = slab.states[Int(owner.states) + index]
            let found = walk.found(index)
            let address = layout.virtual(owner.pfn) &+ shape.begin(of: index)
            let call = call(state.call)
            var slot = SlotView(
                index: index,
                address: LinearAddress(rawValue: address),
                isAllocated: slab.isOwned(Int(owner.states) + index),
                call: call,
                function: call.flatMap { function(ofCall: $0) },
                requested: state.isAllocated && state.requested > 0 ? state.requested : nil,
                freelist: found.map { view.freelists[$0.list].owner },
                position: found?.position
            )
            if shape.isChecked {
                slot.marks = marks(at: address, checked, isAllocated: state.isAllocated)
            }
            view.slots.append(slot)
        }
        return view
    }

    /// The marks of a checked object, compared with what stands in its bytes.
    private func marks(
        at address: UInt64,
        _ layout: CheckedLayout,
        isAllocated: Bool
    ) -> [SlotMark] {
        let mark = isAllocated ? SlabPoison.active : SlabPoison.inactive
        return parts(in: layout, mark: mark).filter { $0.count > 0 }.map { part in
            let place = address &+ part.offset
            return SlotMark(
                name: part.name,
                address: LinearAddress(rawValue: place),
                length: part.count,
                value: part.value,
                overwritten: range(ofOthersThan: part.value, place, part.count)
            )
        }
    }
}

/// Which freelist reached which object of a slab first, and after how many others.
struct FreelistWalk {
    private var lists: [UInt8]
    private var positions: [UInt32]
    private(set) var list: UInt8 = 0

    init(objects: Int) {
        lists = Array(repeating: 0, count: objects)
        positions = Array(repeating: 0, count: objects)
    }

    mutating func begin() { list &+= 1 }

    /// Notes an object; false where the list at hand went through it before.
    mutating func visit(_ index: Int, at position: Int) -> Bool {
        guard lists[index] != list else { return false }
        if lists[index] == 0 {
            lists[index] = list
            positions[index] = UInt32(truncatingIfNeeded: position)
        }
        return true
    }

    func found(_ index: Int) -> (list: Int, position: Int)? {
        lists[index] == 0 ? nil : (Int(lists[index]) - 1, Int(positions[index]))
    }
}

extension SlabAllocator {
    /// Most addresses of a broken freelist that a view names.
    private static let shownStrays = 16

    /// Follows one of a slab's freelists, at most as many steps as the slab has objects.
    func walk(
        _ walk: inout FreelistWalk,
        _ number: UInt32,
        _ owner: FreelistView.Owner,
        _ pages: borrowing PageAllocator
    ) -> FreelistView {
        var view = FreelistView(owner: owner)
        walk.begin()
        let slab = slabs[Int(number)]
        let start = layout.virtual(slab.pfn)
        let bytes = UInt64(4096) << UInt64(slab.order)
        var place = head(of: number)
        if case .cpu(let cpu) = owner { place = cpuHead(Int(slab.cache), cpu) }
        while place != 0 {
            let address = LinearAddress(rawValue: place)
            guard place >= start, place - start < bytes else {
                view.end = .outside(address)
                return view
            }
            guard view.length < Int(slab.objects) else {
                view.end = .cut(address)
                return view
            }
            if let index = exactIndex(ofPhysical: place &- layout.pageOffset, in: slab) {
                guard walk.visit(Int(index), at: view.length) else {
                    view.end = .loop(index: Int(index))
                    return view
                }
            } else if view.strays.count < Self.shownStrays {
                view.strays.append(address)
            }
            view.length += 1
            place = next(behind: place, in: slab, pages)
        }
        return view
    }

    /// The head of the freelist that only a CPU sees, as an address.
    private func cpuHead(_ cache: Int, _ cpu: Int) -> UInt64 {
        let own = cpuSlab(cache, cpu)
        guard own.slab != Slab.none else { return 0 }
        let slab = slabs[Int(own.slab)]
        return slab.hasByteLists
            ? byteList(ofCPUAt: place(cache, cpu: cpu)) : address(of: own.freelist, in: slab)
    }

    /// The address that an object's free pointer leads to; 0 where it ends the list.
    private func next(
        behind address: UInt64,
        in slab: Slab,
        _ pages: borrowing PageAllocator
    ) -> UInt64 {
        if !slab.hasByteLists {
            guard let index = exactIndex(ofPhysical: address &- layout.pageOffset, in: slab) else {
                return 0
            }
            return self.address(of: states[Int(slab.states) + Int(index)].next, in: slab)
        }
        let pointer = address &+ UInt64(caches[Int(slab.cache)].pointerOffset)
        guard let stored = word(at: pointer, pages) else { return 0 }
        return pointers.code(stored, at: pointer, cache: Int(slab.cache))
    }

    /// The slabs of a cache that a CPU or a list holds, those far down the nodes' lists left out.
    func holders(of cache: Int, limit: Int) -> [UInt32: SlabView.Holder] {
        var holders: [UInt32: SlabView.Holder] = [:]
        for cpu in 0..<cpuCount {
            let own = cpuSlab(cache, cpu)
            if own.slab != Slab.none { holders[own.slab] = .cpu(cpu) }
            var number = own.partial
            var position = 0
            while number != Slab.none, position < slabLimit {
                holders[number] = .cpuPartial(cpu: cpu, position: position)
                position += 1
                number = slabs[Int(number)].next
            }
        }
        for node in 0..<nodeCount {
            var number = nodes[cache * nodeCount + node].partial.head
            var position = 0
            while number != Slab.none, position < limit {
                holders[number] = .nodePartial(node: node, position: position)
                position += 1
                number = slabs[Int(number)].next
            }
        }
        if caches[cache].isTypesafe {
            for number in waitingSlabs where Int(slabs[Int(number)].cache) == cache {
                holders[number] = .gracePeriod
            }
        }
        return holders
    }

    /// Who holds a slab that no walk of the lists has met.
    func holder(ofUnlisted slab: Slab) -> SlabView.Holder {
        if slab.isFrozen { return .none }
        if slab.freelist == Slab.endOfList { return .full }
        let list = nodes[Int(slab.cache) * nodeCount + Int(slab.node)].partial
        return list.count > 0 && slab.inuse < slab.objects
            ? .nodePartial(node: Int(slab.node), position: nil) : .none
    }

    /// What a slab's bytes are used for.
    func usage(of slab: Slab) -> SlabUsage {
        let shape = caches[Int(slab.cache)]
        let size = UInt64(shape.objectSize)
        let objects = UInt64(slab.objects)
        var usage = SlabUsage()
        usage.slabs = 1
        usage.objects = objects
        for index in 0..<Int(slab.objects) {
            let state = states[Int(slab.states) + index]
            guard isOwned(Int(slab.states) + index) else { continue }
            usage.allocatedObjects += 1
            usage.requested += state.requested > 0 ? state.requested : size
        }
        usage.allocated = usage.allocatedObjects * size
        usage.free = (objects - usage.allocatedObjects) * size
        usage.padding = objects * (UInt64(shape.size) - size)
        let bytes = UInt64(4096) << UInt64(slab.order)
        usage.tail = bytes - min(objects * UInt64(shape.size), bytes)
        return usage
    }
}

extension SlabUsage {
    mutating func add(_ other: SlabUsage) {
        slabs += other.slabs
        objects += other.objects
        allocatedObjects += other.allocatedObjects
        requested += other.requested
        allocated += other.allocated
        free += other.free
        padding += other.padding
        tail += other.tail
    }
}
