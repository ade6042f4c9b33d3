extension SlabAllocator {
    /// Everything that must hold of slabs, their lists and their pages.
    ///
    /// After a double free the kernel's freelists are wrong in ways that are real: a list runs in a
    /// circle, one object has two owners, `inuse` says less than is in use, and a slab is given
    /// back under its users. Those rules are checked only where `misuse` is false. Lists of slabs,
    /// the owners of pages, and the bounds of every index hold always.
    ///
    /// - Parameters:
    ///   - pages: the page allocator that the slabs come from.
    ///   - misuse: whether a client may have freed what was not allocated.
    /// - Returns: what does not hold; empty where all is sound.
    func checkInvariants(_ pages: borrowing PageAllocator, misuse: Bool) -> [String] {
        var violations = Violations()
        var places = [SlabPlace](repeating: .nowhere, count: slabLimit)
        checkNumbers(&violations)
        let waiting = Set(waitingSlabs)
        violations.check(
            waiting.count == waitingSlabs.count
                && waiting.allSatisfy { Int($0) < slabLimit && slabs[Int($0)].isLive },
            "a slab waits twice for a grace period, or is gone"
        )
        checkCPUs(&places, &violations)
        checkNodes(&places, &violations)
        for number in 0..<slabLimit where slabs[number].isLive {
            checkSlab(number, places[number], pages, &violations)
            if waiting.contains(UInt32(truncatingIfNeeded: number)) { continue }
            if !(misuse || slabs[number].hasByteLists) { checkObjects(number, &violations) }
        }
        checkPages(pages, &violations)
        checkStateRuns(&violations)
        return violations.texts
    }

    /// Which of the lists a slab is on.
    private enum SlabPlace { case nowhere, cpu, chain, node }

    /// Each number is a live slab's or waits for one, never both.
    private func checkNumbers(_ violations: inout Violations) {
        let live = (0..<slabLimit).count { slabs[$0].isLive }
        violations.check(
            live + freeNumbers.count == slabLimit && Set(freeNumbers).count == freeNumbers.count
                && freeNumbers.allSatisfy { Int($0) < slabLimit && !slabs[Int($0)].isLive },
            "\(live) live slabs and \(freeNumbers.count) free numbers of \(slabLimit)"
        )
    }

    /// Notes that a slab is on a list; each is on one at most.
    private func enter(
        _ number: UInt32,
        _ place: SlabPlace,
        cache: Int,
        _ places: inout [SlabPlace],
        _ violations: inout Violations
    ) {
        let slab = slabs[Int(number)]
        violations.check(
            slab.isLive && Int(slab.cache) == cache,
            "slab \(number) is on a list of cache \(cache), but of \(slab.cache)"
        )
        violations.check(
            places[Int(number)] == .nowhere,
            "slab \(number) is on \(places[Int(number)]) and on \(place)"
        )
        violations.check(
            slab.isFrozen == (place != .node),
            "slab \(number) is on \(place), frozen \(slab.isFrozen)"
        )
        places[Int(number)] = place
    }

    private func checkCPUs(_ places: inout [SlabPlace], _ violations: inout Violations) {
        for place in cpuSlabs.indices {
            let cpu = cpuSlabs[place]
            let cache = place / cpuCount
            if cpu.slab != Slab.none, Int(cpu.slab) < slabLimit {
                let slab = slabs[Int(cpu.slab)]
                enter(cpu.slab, .cpu, cache: cache, &places, &violations)
                violations.check(
                    cpu.states == slab.states && cpu.pfn == slab.pfn
                        && (cpu.freelist == Slab.endOfList || cpu.freelist < slab.objects),
                    "cache \(cache): the CPU's copy differs from slab \(cpu.slab)"
                )
            } else {
                violations.check(
                    cpu.slab == Slab.none && cpu.freelist == Slab.endOfList,
                    "cache \(cache): a freelist without a slab"
                )
            }
            checkChain(cpu, cache: cache, &places, &violations)
        }
    }

    /// A CPU knows how many slabs its chain has.
    private func checkChain(
        _ cpu: CPUSlab,
        cache: Int,
        _ places: inout [SlabPlace],
        _ violations: inout Violations
    ) {
        var chain: [UInt32] = []
        var number = cpu.partial
        while number != Slab.none {
            guard Int(number) < slabLimit, chain.count < slabLimit else {
                violations.check(false, "cache \(cache): the chain does not end")
                return
            }
            enter(number, .chain, cache: cache, &places, &violations)
            chain.append(number)
            number = slabs[Int(number)].next
        }
        violations.check(
            Int(cpu.partialCount) == chain.count,
            "cache \(cache): a chain of \(chain.count), counted \(cpu.partialCount)"
        )
    }

    private func checkNodes(_ places: inout [SlabPlace], _ violations: inout Violations) {
        let listCount = caches.count * nodeCount
        var slabCounts = [Int](repeating: 0, count: listCount)
        var objectCounts = slabCounts
        for number in 0..<slabLimit
        where slabs[number].isLive && !isWaiting(UInt32(truncatingIfNeeded: number)) {
            let node = Int(slabs[number].cache) * nodeCount + Int(slabs[number].node)
            guard node < listCount else { continue }
            slabCounts[node] += 1
            objectCounts[node] += Int(slabs[number].objects)
        }
        for node in 0..<listCount {
            let counted = nodes[node]
            violations.check(
                counted.slabCount == slabCounts[node]
                    && counted.objectCount == objectCounts[node],
                "node list \(node): counts \(counted.slabCount) slabs, has \(slabCounts[node])"
            )
            checkPartial(node: node, &places, &violations)
        }
    }

    private func checkPartial(
        node: Int,
        _ places: inout [SlabPlace],
        _ violations: inout Violations
    ) {
        let list = nodes[node].partial
        var count = 0
        var previous = Slab.none
        var number = list.head
        while number != Slab.none {
            guard Int(number) < slabLimit, count < slabLimit else {
                violations.check(false, "node list \(node) does not end")
                return
            }
            let slab = slabs[Int(number)]
            enter(number, .node, cache: node / nodeCount, &places, &violations)
            violations.check(
                Int(slab.node) == node % nodeCount
                    && (previous == Slab.none || slab.prev == previous),
                "node list \(node): slab \(number) points back to \(slab.prev)"
            )
            count += 1
            previous = number
            number = slab.next
        }
        violations.check(
            count == list.count && (count == 0 || list.tail == previous),
            "node list \(node): \(count) slabs, count \(list.count)"
        )
    }
}

extension SlabAllocator {
    private func checkSlab(
        _ number: Int,
        _ place: SlabPlace,
        _ pages: borrowing PageAllocator,
        _ violations: inout Violations
    ) {
        let slab = slabs[number]
        guard Int(slab.cache) < caches.count, Int(slab.node) < nodeCount,
            Int(slab.pfn) + 1 << slab.order <= pages.map.capacity
        else { return violations.check(false, "slab \(number) lies outside the machine") }
        let shape = caches[Int(slab.cache)]
        violations.check(
            (slab.order == shape.order && slab.objects == shape.objects)
                || (slab.order == shape.minOrder && slab.objects == shape.minObjects),
            "slab \(number) has order \(slab.order) and \(slab.objects) objects"
        )
        violations.check(
            slab.freelist == Slab.endOfList || slab.freelist < slab.objects
                || (slab.hasByteLists && slab.freelist == Slab.stray),
            "slab \(number): free object \(slab.freelist) of \(slab.objects)"
        )
        // A full slab is on no list, every other one is on one; a CPU's own slab may be full. Of a
        // checked one the objects are counted, so that after a double free, which cuts its list
        // short or bends it to a circle, it may be on the node's list or on none.
        let isFull = slab.freelist == Slab.endOfList
        let isMeddledWith = shape.isChecked && slab.hasByteLists
        let isPlaced =
            isWaiting(UInt32(truncatingIfNeeded: number))
            ? place == .nowhere
            : place == .cpu || isFull == (place == .nowhere)
                || isMeddledWith && (place == .node || place == .nowhere)
        violations.check(isPlaced, "slab \(number) is on \(place), full \(isFull)")
        for offset in 0..<(1 << Int(slab.order)) {
            let page = pages.map[Int(slab.pfn) + offset]
            violations.check(
                page.kind == .slab && page.slabNumber == UInt32(truncatingIfNeeded: number)
                    && (page.word != page.slabNumber) == (slab.hasByteLists || shape.isChecked)
                    && page.order == (offset == 0 ? Int(slab.order) : 0),
                "slab \(number): its page \(Int(slab.pfn) + offset) is \(page.kind)"
            )
        }
    }

    /// Free objects stand on one list each, and the rest is in use.
    private func checkObjects(_ number: Int, _ violations: inout Violations) {
        let slab = slabs[number]
        let length = freeObjects(number, from: slab.freelist, &violations)
        violations.check(
            length + Int(slab.inuse) == Int(slab.objects),
            "slab \(number): \(length) free, \(slab.inuse) in use, of \(slab.objects)"
        )
        var held = 0
        for cpu in 0..<cpuCount {
            let place = place(Int(slab.cache), cpu: cpu)
            guard place < cpuSlabs.count, Int(cpuSlabs[place].slab) == number else { continue }
            let own = cpuSlabs[place]
            held += freeObjects(number, from: own.freelist, &violations)
        }
        let allocated = (0..<Int(slab.objects)).count {
            states[Int(slab.states) + $0].isAllocated
        }
        violations.check(
            length + held + allocated == Int(slab.objects),
            "slab \(number): \(length) + \(held) free, \(allocated) allocated, of \(slab.objects)"
        )
    }

    private func freeObjects(
        _ number: Int,
        from head: UInt16,
        _ violations: inout Violations
    ) -> Int {
        let slab = slabs[number]
        var count = 0
        var index = head
        while index != Slab.endOfList {
            guard index < slab.objects, count < Int(slab.objects) else {
                violations.check(false, "slab \(number): a freelist leaves it or does not end")
                return count
            }
            let state = states[Int(slab.states) + Int(index)]
            violations.check(!state.isAllocated, "slab \(number): object \(index) is allocated")
            count += 1
            index = state.next
        }
        return count
    }

    /// Every page that says it is a slab's is one.
    private func checkPages(
        _ pages: borrowing PageAllocator,
        _ violations: inout Violations
    ) {
        let marked = pages.headedBlocks().count { $0.page.kind == .slab }
        var owned = 0
        for number in 0..<slabLimit where slabs[number].isLive {
            owned += 1 << Int(slabs[number].order)
        }
        violations.check(marked == owned, "\(marked) pages of slabs, \(owned) owned by slabs")
    }

    /// No two slabs share object states.
    private func checkStateRuns(_ violations: inout Violations) {
        let live = (0..<slabLimit).filter { slabs[$0].isLive }.sorted {
            slabs[$0].states < slabs[$1].states
        }
        for (left, right) in zip(live, live.dropFirst()) {
            violations.check(
                Int(slabs[left].states) + Int(slabs[left].objects) <= Int(slabs[right].states),
                "slabs \(left) and \(right) share object states"
            )
        }
    }
}
