extension PageAllocator {
    /// Whether a zone may serve a request: `zone_watermark_fast()`, 6.1.
    @inline(__always)
    func mayServe(zone: Int, _ request: AllocationRequest, _ flags: AllocFlags) -> Bool {
        Self.mayServe(zones, zone, request, flags)
    }

    // Of the zones alone: a method that does not change the allocator would be called with a copy
    // of it from one that does.

    @inline(__always)
    static func mayServe(
        _ zones: borrowing OwnedBuffer<Zone>,
        _ zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags
    ) -> Bool {
        let marks = zones[zone].watermarks
        let mark = (flags.contains(.low) ? marks.low : marks.min) + marks.boost
        let reserve = zones[zone].lowmemReserve[Int(request.highestZone.rawValue)]
        if request.order == 0 {
            let usable = zones[zone].free - unusable(zones, zone, order: 0, flags)
            if usable > mark + reserve { return true }
        }
        return mayServeSlowly(zones, zone, request, flags, mark: mark)
    }

    private static func mayServeSlowly(
        _ zones: borrowing OwnedBuffer<Zone>,
        _ zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags,
        mark: Int
    ) -> Bool {
        if isOK(zones, zone, request, flags, mark: mark) { return true }
        // An atomic request for one page looks past the boost in its last attempt.
        let marks = zones[zone].watermarks
        guard
            request.order == 0, request.flags.contains(.atomicReserve), marks.boost > 0,
            !flags.contains(.low)
        else { return false }
        return isOK(zones, zone, request, flags, mark: marks.min)
    }

    /// `__zone_watermark_ok()`, 6.1: enough pages, and a block that is large enough.
    private static func isOK(
        _ zones: borrowing OwnedBuffer<Zone>,
        _ zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags,
        mark: Int
    ) -> Bool {
        var least = mark
        if flags.contains(.high) {
            least -= least / 2
            if flags.contains(.nonBlock) { least -= least / 4 }
        }
        let usable = zones[zone].free - unusable(zones, zone, order: request.order, flags)
        let reserve = zones[zone].lowmemReserve[Int(request.highestZone.rawValue)]
        guard usable > least + reserve else { return false }
        guard request.order > 0 else { return true }
        let highAtomic = flags.contains(.highAtomic)
        return hasBlock(zones, zone, atLeast: request.order, highAtomic: highAtomic)
    }

    /// Whether a zone could serve a block and keep a mark: `zone_watermark_ok_safe()` without flags.
    ///
    /// - Parameters:
    ///   - zone: which.
    ///   - order: of the block.
    ///   - mark: pages that stay free besides what is kept from requests for `highest`.
    ///   - highest: the highest zone that the block may come from.
    ///   - further: pages that count as free though they are not yet.
    /// - Returns: whether both hold: enough pages, and a block that is large enough.
    func hasBlock(
        zone: Int,
        order: Int,
        above mark: Int,
        highest: ZoneType,
        further: Int = 0
    ) -> Bool {
        let usable = zones[zone].free + further - Self.unusable(zones, zone, order: order, [])
        guard usable > mark + zones[zone].lowmemReserve[Int(highest.rawValue)] else { return false }
        return order == 0 || Self.hasBlock(zones, zone, atLeast: order, highAtomic: false)
    }

    private static func hasBlock(
        _ zones: borrowing OwnedBuffer<Zone>,
        _ zone: Int,
        atLeast order: Int,
        highAtomic: Bool
    ) -> Bool {
        // From the largest order down: where there is plenty, the first look finds it.
        var current = Zone.maxOrder
        while current >= order {
            if zones[zone].blockCounts[current] > 0 {
                if hasBlock(zones, zone, current, .unmovable)
                    || hasBlock(zones, zone, current, .movable)
                    || hasBlock(zones, zone, current, .reclaimable)
                    || (highAtomic && hasBlock(zones, zone, current, .highAtomic))
                {
                    return true
                }
            }
            current &-= 1
        }
        return false
    }

    /// Whether a list has a block; asked field by field, for a zone is large to copy.
    @inline(__always)
    private static func hasBlock(
        _ zones: borrowing OwnedBuffer<Zone>,
        _ zone: Int,
        _ order: Int,
        _ type: MigrateType
    ) -> Bool {
        // Unlisted blocks count as movable; whoever asks takes any class.
        if !zones[zone].unlisted.isEmpty { return type == .movable }
        let list = Zone.list(order, type)
        return zones[zone].lists[list].head != PageList.none
            || (list == Zone.runList && !zones[zone].run.isEmpty)
    }

    /// Pages that count as free but cannot serve: the rest of the block, the high-atomic reserve.
    @inline(__always)
    private static func unusable(
        _ zones: borrowing OwnedBuffer<Zone>,
        _ zone: Int,
        order: Int,
        _ flags: AllocFlags
    ) -> Int {
        let rest = (1 << order) - 1
        return flags.isDisjoint(with: .reserves) ? rest + zones[zone].highAtomicReserved : rest
    }

    /// The numbers of a watermark test, for an explanation.
    func watermarkTest(
        zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags
    ) -> WatermarkTest {
        let marks = zones[zone].watermarks
        var pages = (flags.contains(.low) ? marks.low : marks.min) + marks.boost
        if flags.contains(.high) {
            pages -= pages / 2
            if flags.contains(.nonBlock) { pages -= pages / 4 }
        }
        let rest = Self.unusable(zones, zone, order: request.order, flags)
        return WatermarkTest(
            zone: zones[zone].type,
            node: zones[zone].node,
            order: request.order,
            mark: flags.contains(.low) ? "low" : "min",
            free: Int64(zones[zone].free - rest),
            markPages: Int64(pages),
            reserve: Int64(zones[zone].lowmemReserve[Int(request.highestZone.rawValue)])
        )
    }
}
