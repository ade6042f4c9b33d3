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
                removeFromFreeList(pfn, zone: zone, order: current)
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
        var order = from
        while order > to {
            order -= 1
            addToFreeList(
                pfn + UInt32(1 << order),
                zone: zone,
                order: order,
                type: type,
                atTail: false
            )
        }
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
        while order < Zone.maxOrder {
            let buddy = pfn ^ UInt32(1 << order)
            guard isFree(buddy, order: order, zone: zone) else { break }
            if order >= Self.pageblockOrder && !mayMerge(type, pageblockType(of: buddy)) { break }
            removeFromFreeList(buddy, zone: zone, order: order)
            pfn &= buddy
            order += 1
        }
        // Swallowed by a lower half, the block heads nothing any more.
        if pfn != block { map[Int(block)].clear() }
        let atTail = forceTail || willMergeSoon(pfn, order: order, zone: zone)
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

    /// Whether a free block of the order heads at the frame; frames outside memory are not free.
    @inline(__always)
    private func isFree(_ pfn: UInt32, order: Int, zone: Int) -> Bool {
        Int(pfn) < map.capacity && map[Int(pfn)].isBuddy(order: order, zone: zone)
    }

    /// Whether the buddy of the would-be parent is free already: `buddy_merge_likely()`.
    @inline(__always)
    private func willMergeSoon(_ pfn: UInt32, order: Int, zone: Int) -> Bool {
        guard order < Zone.maxOrder - 1 else { return false }
        let parent = pfn & ~UInt32(1 << order)
        return isFree(parent ^ UInt32(1 << (order + 1)), order: order + 1, zone: zone)
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
