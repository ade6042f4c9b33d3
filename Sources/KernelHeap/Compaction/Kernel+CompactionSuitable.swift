/// Why a zone is not compacted.
public enum CompactionRefusal: Hashable, Sendable {
    /// A block is free already, above the zone's mark.
    case blockIsThere
    /// Fewer pages are free than moving needs.
    case tooFewFree(free: Int, wanted: Int)
    /// The zone is short of memory rather than broken up: the index and its threshold.
    case notFragmented(index: Int64, threshold: Int)
    /// It was in vain of late: one in so many requests tries again.
    case deferred(limit: Int)
    /// The request may start no disk transfer.
    case needsIO
}

/// Whether compaction can help: `compaction_suitable()`, `mm/compaction.c`, 6.1.
extension Kernel {
    /// Free pages that moving needs besides: `compact_gap()`.
    private static func gap(_ order: Int) -> Int { 2 << order }

    /// Why a zone should not be compacted for a block.
    ///
    /// - Parameters:
    ///   - zone: which.
    ///   - order: nil is no wish, and always suitable.
    ///   - highest: the highest zone of the request.
    ///   - further: pages that count as free though they are not yet.
    /// - Returns: nil where it should be.
    func refusesCompaction(
        _ zone: Int,
        _ order: Int?,
        _ highest: ZoneType,
        further: Int? = nil
    ) -> CompactionRefusal? {
        guard let order else { return nil }
        let marks = pages.zones[zone].watermarks
        if further == nil,
            pages.hasBlock(
                zone: zone,
                order: order,
                above: marks.min + marks.boost,
                highest: highest
            )
        {
            return .blockIsThere
        }
        let isCostly = order > GFPFlags.costlyOrder
        let mark = (isCostly ? marks.low : marks.min) + marks.boost + Self.gap(order)
        let has = pages.hasBlock(
            zone: zone,
            order: 0,
            above: mark,
            highest: highest,
            further: further ?? 0
        )
        guard has else {
            let reserve = pages.zones[zone].lowmemReserve[Int(highest.rawValue)]
            return .tooFewFree(free: pages.zones[zone].free, wanted: mark + reserve)
        }
        guard isCostly, further == nil else { return nil }
        let index = pages.contiguousPages(zone: zone, order: order).fragmentationIndex
        guard index >= 0, index <= tuning.extfragThreshold else { return nil }
        return .notFragmented(index: index, threshold: tuning.extfragThreshold)
    }

    /// Whether reclaim may leave a zone alone, for compaction could make the block now:
    /// `compaction_ready()`.
    func mayCompact(_ request: AllocationRequest, zone: Int) -> Bool {
        guard hasCompaction else { return false }
        let highest = request.highestZone
        switch refusesCompaction(zone, request.order, highest) {
        case .blockIsThere: return true
        case .some: return false
        case nil: break
        }
        let marks = pages.zones[zone].watermarks
        let mark = marks.high + marks.boost + Self.gap(request.order)
        return pages.hasBlock(zone: zone, order: 0, above: mark, highest: highest)
    }

    /// Whether a zone could be compacted if all were reclaimed that may be:
    /// `compaction_zonelist_suitable()`.
    func mayBecomeCompactable(_ request: AllocationRequest) -> Bool {
        let list = pages.zonelist(of: request)
        return (0..<list.count).contains { position in
            let further = reclaimablePages(zone: list[position]) / max(request.order, 1)
            let highest = request.highestZone
            return refusesCompaction(list[position], request.order, highest, further: further)
                == nil
        }
    }

    /// Whether a zone is let be because compacting it was in vain of late.
    mutating func defersCompaction(_ zone: Int, order: Int) -> Bool {
        var isDeferred = false
        changeCompaction(zone) { isDeferred = $0.defers(order: order) }
        if isDeferred {
            explainSkipping(zone, order, .deferred(limit: compactionState(zone).deferLimit))
        }
        return isDeferred
    }
}

extension PageAllocator {
    /// Whether the free lists have a block for a class, or one that it may take over with its whole
    /// pageblock: the end of `__compact_finished()`.
    func canServe(zone: Int, order: Int, type: MigrateType) -> Bool {
        (order...Zone.maxOrder).contains { current in
            if !zones[zone].isEmpty(current, type) { return true }
            return mayTakeWholeBlock(order: current, type: type)
                && donor(zone: zone, order: current, for: type) != nil
        }
    }
}
