extension PageAllocator {
    /// Takes a block of one class from the smallest order that has one, splitting it down.
    ///
    /// Follows `__rmqueue_smallest()` and `expand()`, 6.1: upper halves go to the heads of their
    /// lists, from the largest down, and the lowest frames are handed out. The caller counts.
    mutating func takeSmallest(zone: Int, order: Int, type: MigrateType) -> UInt32? {
        listBootMemory(zone: zone)
        var current = order
        while current <= Zone.maxOrder {
            if let pfn = firstFree(zone: zone, order: current, type: type) {
                Self.removeHead(zone: &zones[zone], order: current, type: type, &map)
                if decisions.isOn {
                    decisions.add(
                        .blockTaken(
                            zone: zones[zone].type,
                            order: current,
                            migrateType: type,
                            pfn: PFN(rawValue: UInt64(pfn))
                        )
                    )
                }
                if current > order {
                    split(pfn, zone: zone, from: current, to: order, type: type)
                }
                return pfn
            }
            current += 1
        }
        return nil
    }

    private mutating func split(
        _ pfn: UInt32,
        zone: Int,
        from: Int,
        to: Int,
        type: MigrateType
    ) {
        Self.addHalves(of: pfn, from: from, to: to, type: type, zone, &zones[zone], &map)
        if decisions.isOn {
            decisions.add(.blockSplit(pfn: PFN(rawValue: UInt64(pfn)), from: from, to: to))
        }
    }

    /// Returns a block to the free lists, merging it upwards while its buddy is free.
    ///
    /// Follows `__free_one_page()`, 6.1. A block whose parent may merge soon goes to the tail, so
    /// that it is used last; list order decides later frames, see the recorded traces.
    mutating func freeBlock(
        _ block: UInt32,
        zone: Int,
        cpu: Int,
        order freedOrder: Int,
        type: MigrateType,
        forceTail: Bool = false
    ) {
        listBootMemory(zone: zone)
        var pfn = block
        var order = freedOrder
        changeFreeCount(zone: zone, cpu: cpu, by: 1 << freedOrder)
        let least = Self.leastPageblockOrder
        Self.merge(&pfn, &order, below: least, zone, &zones[zone], &map)
        while order >= least && order < Zone.maxOrder {
            let buddy = pfn ^ UInt32(1 << order)
            guard Self.isFree(buddy, order: order, zone: zone, map),
                order < pageblockOrder || mayMerge(type, pageblockType(of: buddy))
            else { break }
            removeFromFreeList(buddy, zone: zone, order: order)
            pfn &= buddy
            order += 1
        }
        // Swallowed by a lower half, the block heads nothing any more.
        if pfn != block { map[Int(block)].clear() }
        let atTail = forceTail || Self.willMergeSoon(pfn, order: order, zone: zone, map)
        addToFreeList(pfn, zone: zone, order: order, type: type, atTail: atTail)
        if decisions.isOn {
            decisions.add(
                .blockFreed(
                    pfn: PFN(rawValue: UInt64(block)),
                    order: freedOrder,
                    mergedOrder: order,
                    atTail: atTail
                )
            )
        }
    }

    /// Takes a block of one class off the lists, splitting it down; the run is not looked at.
    @inline(__always)
    static func takeListed(
        _ index: Int,
        _ zone: inout Zone,
        order: Int,
        type: MigrateType,
        _ map: inout ChunkedColumn<Page>
    ) -> UInt32? {
        var current = order
        while current <= Zone.maxOrder {
            let head = zone.lists[Zone.list(current, type)].head
            if head != PageList.none {
                removeHead(zone: &zone, order: current, type: type, &map)
                addHalves(of: head, from: current, to: order, type: type, index, &zone, &map)
                return head
            }
            current &+= 1
        }
        return nil
    }

    // The loops below run for every level of a split or a merge. They are given the zone and the
    // frames as they stand in memory, so that each is looked up once.

    /// Takes a list's first block off it.
    @inline(__always)
    private static func removeHead(
        zone: inout Zone,
        order: Int,
        type: MigrateType,
        _ map: inout ChunkedColumn<Page>
    ) {
        let pfn = map.popHead(of: &zone.lists[Zone.list(order, type)])
        map[Int(pfn)].clear()
        zone.blockCounts[order] &-= 1
    }

    /// Puts the upper halves of a block on their lists, from the largest down: `expand()`.
    @inline(__always)
    private static func addHalves(
        of pfn: UInt32,
        from: Int,
        to: Int,
        type: MigrateType,
        _ index: Int,
        _ zone: inout Zone,
        _ map: inout ChunkedColumn<Page>
    ) {
        var order = from
        while order > to {
            order &-= 1
            let half = pfn &+ UInt32(truncatingIfNeeded: 1 &<< order)
            // Only the largest order has a run; the halves are below it.
            let list = Zone.list(order, type)
            let old = zone.lists[list].head
            map[Int(half)].enterList(before: old, order: order, migrateType: type, zone: index)
            zone.lists[list].head = half
            if old == PageList.none {
                zone.lists[list].tail = half
            } else {
                map[Int(old)].prev = half
            }
            zone.blockCounts[order] &+= 1
        }
    }

    /// Merges a block with its buddies as long as they are free, below an order.
    @inline(__always)
    private static func merge(
        _ pfn: inout UInt32,
        _ order: inout Int,
        below limit: Int,
        _ index: Int,
        _ zone: inout Zone,
        _ map: inout ChunkedColumn<Page>
    ) {
        while order < limit {
            let buddy = pfn ^ UInt32(truncatingIfNeeded: 1 &<< order)
            let page = map.elementOrZero(Int(buddy))
            guard page.isBuddy(order: order, zone: index) else { return }
            map[Int(buddy)].clear()
            map.unlink(buddy, page, from: &zone.lists[page.list])
            zone.blockCounts[order] &-= 1
            pfn &= buddy
            order &+= 1
        }
    }

    /// Whether a free block of the order heads at the frame; frames outside memory are not free.
    @inline(__always)
    private static func isFree(
        _ pfn: UInt32,
        order: Int,
        zone: Int,
        _ map: borrowing ChunkedColumn<Page>
    ) -> Bool {
        map.elementOrZero(Int(pfn)).isBuddy(order: order, zone: zone)
    }

    /// Whether the buddy of the would-be parent is free already: `buddy_merge_likely()`.
    @inline(__always)
    private static func willMergeSoon(
        _ pfn: UInt32,
        order: Int,
        zone: Int,
        _ map: borrowing ChunkedColumn<Page>
    ) -> Bool {
        guard order < Zone.maxOrder - 1 else { return false }
        let parent = pfn & ~UInt32(1 << order)
        return isFree(parent ^ UInt32(1 << (order + 1)), order: order + 1, zone: zone, map)
    }

    /// Pageblocks of kinds that are kept apart do not merge: `migratetype_is_mergeable()`.
    private func mayMerge(_ left: MigrateType, _ right: MigrateType) -> Bool {
        left == right || (left.rawValue < 3 && right.rawValue < 3)
    }

    /// Counts free pages as the kernel does: `__mod_zone_page_state()`.
    ///
    /// Each CPU holds back its changes up to a threshold, so the counter that the watermark test
    /// reads lags behind; near a mark that decides between a frame and NULL (trace `dma-v3`).
    @inline(__always)
    mutating func changeFreeCount(zone: Int, cpu: Int, by pages: Int) {
        let index = perCPUIndex(zone: zone, cpu: cpu)
        let difference = perCPU[index].freeDifference + pages
        if abs(difference) > zones[zone].statThreshold {
            zones[zone].free += difference
            perCPU[index].freeDifference = 0
        } else {
            perCPU[index].freeDifference = difference
        }
    }

    /// Free pages of a zone with what the CPUs hold back: what `/proc` shows once they are folded.
    func exactFreePages(zone: Int) -> Int {
        var pages = zones[zone].free
        for cpu in 0..<cpuCount {
            pages += perCPU[perCPUIndex(zone: zone, cpu: cpu)].freeDifference
        }
        return pages
    }
}
