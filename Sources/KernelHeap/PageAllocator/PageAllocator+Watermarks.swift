extension PageAllocator {
    /// Whether a zone may serve a request: `zone_watermark_fast()`, 6.1.
    @inline(__always)
    func mayServe(zone: Int, _ request: AllocationRequest, _ flags: AllocFlags) -> Bool {
        let marks = zones[zone].watermarks
        let mark = (flags.contains(.low) ? marks.low : marks.min) + marks.boost
        let reserve = zones[zone].lowmemReserve[Int(request.highestZone.rawValue)]
        if request.order == 0 {
            let usable = zones[zone].free - unusable(zone: zone, order: 0, flags)
            if usable > mark + reserve { return true }
        }
        return mayServeSlowly(zone: zone, request, flags, mark: mark)
    }

    private func mayServeSlowly(
        zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags,
        mark: Int
    ) -> Bool {
        if isOK(zone: zone, request, flags, mark: mark) { return true }
        // An atomic request for one page looks past the boost in its last attempt.
        let marks = zones[zone].watermarks
        guard
            request.order == 0, request.flags.contains(.atomicReserve), marks.boost > 0,
            !flags.contains(.low)
        else { return false }
        return isOK(zone: zone, request, flags, mark: marks.min)
    }

    /// `__zone_watermark_ok()`, 6.1: enough pages, and a block that is large enough.
    private func isOK(
        zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags,
        mark: Int
    ) -> Bool {
        var least = mark
        if flags.contains(.high) {
            least -= least / 2
            if flags.contains(.nonBlock) { least -= least / 4 }
        }
        let usable = zones[zone].free - unusable(zone: zone, order: request.order, flags)
        let reserve = zones[zone].lowmemReserve[Int(request.highestZone.rawValue)]
        guard usable > least + reserve else { return false }
        guard request.order > 0 else { return true }
        return hasBlock(zone: zone, atLeast: request.order, highAtomic: flags.contains(.highAtomic))
    }

    private func hasBlock(zone: Int, atLeast order: Int, highAtomic: Bool) -> Bool {
        for current in order...Zone.maxOrder where zones[zone].blockCounts[current] > 0 {
            if !zones[zone].isEmpty(current, .unmovable) || !zones[zone].isEmpty(current, .movable)
                || !zones[zone].isEmpty(current, .reclaimable)
                || (highAtomic && !zones[zone].isEmpty(current, .highAtomic))
            {
                return true
            }
        }
        return false
    }

    /// Pages that count as free but cannot serve: the rest of the block, the high-atomic reserve.
    @inline(__always)
    private func unusable(zone: Int, order: Int, _ flags: AllocFlags) -> Int {
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
        let rest = unusable(zone: zone, order: request.order, flags)
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
