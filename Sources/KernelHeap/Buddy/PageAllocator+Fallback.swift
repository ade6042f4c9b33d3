extension PageAllocator {
    /// Takes a block of a class, from another class's lists where its own are empty.
    ///
    /// Follows `__rmqueue()`, 6.1.
    mutating func takeBlock(
        zone: Int,
        order: Int,
        type: MigrateType,
        flags: AllocFlags
    ) -> UInt32? {
        repeat {
            var pfn = takeSmallest(zone: zone, order: order, type: type)
            if pfn == nil && steal(zone: zone, order: order, type: type, flags: flags) {
                pfn = takeSmallest(zone: zone, order: order, type: type)
            }
            guard let pfn else { return nil }
            let arePlain = strayReferences.isEmpty && oddPages.isEmpty
            if arePlain || isSound(pfn, order: order, zone: zone) { return pfn }
        } while true
    }

    /// Moves memory of another class to this one: `__rmqueue_fallback()`, 6.1.
    ///
    /// The largest foreign block is looked for first, because taking it over pollutes least; a
    /// movable request that may not take a whole pageblock is content with the smallest instead.
    private mutating func steal(
        zone: Int,
        order: Int,
        type: MigrateType,
        flags: AllocFlags
    ) -> Bool {
        let noFragment = flags.contains(.noFragment) && order < pageblockOrder
        let smallest = noFragment ? pageblockOrder : order
        var current = Zone.maxOrder
        while current >= smallest {
            defer { current -= 1 }
            guard let donor = donor(zone: zone, order: current, for: type) else { continue }
            let wholeBlock = mayTakeWholeBlock(order: current, type: type)
            if !wholeBlock && type == .movable && current > order {
                return stealSmallest(zone: zone, order: order, type: type)
            }
            take(zone: zone, order: current, from: donor, to: type, wholeBlock: wholeBlock)
            return true
        }
        return false
    }

    private mutating func stealSmallest(zone: Int, order: Int, type: MigrateType) -> Bool {
        for current in order...Zone.maxOrder {
            guard let donor = donor(zone: zone, order: current, for: type) else { continue }
            let wholeBlock = mayTakeWholeBlock(order: current, type: type)
            take(zone: zone, order: current, from: donor, to: type, wholeBlock: wholeBlock)
            return true
        }
        return false
    }

    /// The class that gives a block of the order, in the fixed order of preference.
    func donor(zone: Int, order: Int, for type: MigrateType) -> MigrateType? {
        guard zones[zone].blockCounts[order] > 0 else { return nil }
        let (first, second): (MigrateType, MigrateType) =
            switch type {
            case .unmovable: (.reclaimable, .movable)
            case .movable: (.reclaimable, .unmovable)
            case .reclaimable, .highAtomic, .isolate: (.unmovable, .movable)
            }
        if !zones[zone].isEmpty(order, first) { return first }
        if !zones[zone].isEmpty(order, second) { return second }
        return nil
    }

    /// Whether a request may take over the pageblock of a block: `can_steal_fallback()`.
    func mayTakeWholeBlock(order: Int, type: MigrateType) -> Bool {
        order >= pageblockOrder / 2 || type == .reclaimable || type == .unmovable
    }

    /// Takes the first foreign block over: `steal_suitable_fallback()`, 6.1.
    private mutating func take(
        zone: Int,
        order: Int,
        from donor: MigrateType,
        to type: MigrateType,
        wholeBlock: Bool
    ) {
        guard let pfn = firstFree(zone: zone, order: order, type: donor) else { return }
        let oldType = pageblockType(of: pfn)
        defer {
            if decisions.isOn {
                decisions.add(
                    .fallback(
                        from: donor,
                        to: type,
                        order: order,
                        pfn: PFN(rawValue: UInt64(pfn)),
                        wholeBlock: wholeBlock
                    )
                )
            }
        }
        if oldType != .highAtomic {
            if order >= pageblockOrder {
                for block in 0..<UInt32(1 << (order - pageblockOrder)) {
                    setPageblockType(of: pfn + block * UInt32(pageblockPages), to: type)
                }
            } else {
                boostWatermarks(zone: zone)
                if wholeBlock && takePageblock(pfn, zone: zone, from: oldType, to: type) { return }
            }
        }
        moveToFreeList(pfn, zone: zone, order: order, type: type)
    }

    /// Moves all free blocks of a pageblock, and the block's class if enough of it fits.
    private mutating func takePageblock(
        _ pfn: UInt32,
        zone: Int,
        from oldType: MigrateType,
        to type: MigrateType
    ) -> Bool {
        let first = pfn & ~UInt32(pageblockPages - 1)
        let moved = moveFreeBlocks(pageblock: first, containing: pfn, zone: zone, to: type)
        guard moved > 0 else { return false }
        let movable = Int(lruPages[Int(first) / pageblockPages])
        let alike =
            if type == .movable {
                movable
            } else if oldType == .movable {
                pageblockPages - (moved + movable)
            } else {
                0
            }
        if moved + alike >= pageblockPages / 2 { setPageblockType(of: pfn, to: type) }
        return true
    }

    /// Moves a pageblock's free blocks to a class, ascending: `move_freepages_block()`.
    ///
    /// - Returns: pages moved; 0 where the pageblock leaves the zone at its end.
    mutating func moveFreeBlocks(
        pageblock first: UInt32,
        containing pfn: UInt32,
        zone: Int,
        to type: MigrateType
    ) -> Int {
        let bounds = zones[zone]
        let start = bounds.spans(UInt64(first)) ? first : pfn
        let last = first + UInt32(pageblockPages - 1)
        guard bounds.spans(UInt64(last)) else { return 0 }
        var moved = 0
        var current = start
        while current <= last {
            let page = map[Int(current)]
            guard page.kind == .buddy else {
                current += 1
                continue
            }
            moveToFreeList(current, zone: zone, order: page.order, type: type)
            moved += 1 << page.order
            current += UInt32(1 << page.order)
        }
        return moved
    }

    /// Raises all marks for a while, so that kswapd frees memory: `boost_watermark()`, 6.1.
    ///
    /// By a pageblock, up to 1.5 times the high mark; small zones are left alone.
    private mutating func boostWatermarks(zone: Int) {
        guard boostFactor > 0, pageblockPages * 4 <= zones[zone].managed else { return }
        let high = zones[zone].watermarks.high
        let most = high.multipliedReportingOverflow(by: boostFactor).partialValue / 10_000
        guard most > 0 else { return }
        zones[zone].watermarks.boost = min(
            zones[zone].watermarks.boost + pageblockPages,
            max(pageblockPages, most)
        )
        boostedZones |= 1 << UInt64(zone)
    }
}
