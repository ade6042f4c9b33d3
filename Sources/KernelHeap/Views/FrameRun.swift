/// Neighbouring frames of one use, as a walk over the page map finds them.
struct FrameRun {
    enum Use {
        case hole
        case reserved
        case untouched
        case block(Page)
        case slab(number: UInt32)
    }

    /// First frame; below the frame asked for where that lies inside a block.
    var start: UInt64
    /// The frame behind the last.
    var end: UInt64
    /// Index into the zone table; nil in a hole.
    var zone: Int?
    var use: Use
}

extension PageAllocator {
    /// The frame behind the last that any zone spans.
    var endPFN: UInt64 { zones.indices.reduce(0) { max($0, zones[$1].endPFN) } }
}

extension Kernel {
    /// The run that a frame belongs to.
    ///
    /// Blocks and slabs are given whole; a stretch of reserved frames begins at the frame asked for
    /// and is followed no further than `limit`. Costs the chunks of a reserved stretch, otherwise a
    /// few loads.
    func frameRun(at pfn: UInt64, limit: UInt64) -> FrameRun {
        guard let place = pages.zoneIndex(of: pfn) else { return hole(at: pfn, limit: limit) }
        let zone = pages.zones[place]
        let run = zone.run
        if pfn >= UInt64(run.lowerBound), pfn < UInt64(run.upperBound) {
            return FrameRun(
                start: UInt64(run.lowerBound),
                end: UInt64(run.upperBound),
                zone: place,
                use: .untouched
            )
        }
        if zone.unlisted.contains(UInt32(truncatingIfNeeded: pfn)) {
            return unlistedRun(at: pfn, zone: place)
        }
        if let block = block(holding: pfn, zone: place) { return block }
        var stop = min(limit, zone.endPFN)
        if !run.isEmpty, UInt64(run.lowerBound) > pfn { stop = min(stop, UInt64(run.lowerBound)) }
        let unlisted = UInt64(zone.unlisted.lowerBound)
        if !zone.unlisted.isEmpty, unlisted > pfn { stop = min(stop, unlisted) }
        let end = firstHead(after: pfn, before: max(stop, pfn + 1))
        return FrameRun(start: pfn, end: end, zone: place, use: .reserved)
    }

    /// A free block of a zone that nobody has asked for anything yet; its largest ones as one run.
    private func unlistedRun(at pfn: UInt64, zone place: Int) -> FrameRun {
        let range = pages.zones[place].unlisted
        var found = FrameRun(start: pfn, end: pfn + 1, zone: place, use: .reserved)
        PageAllocator.forEachBootBlock(UInt64(range.lowerBound)..<UInt64(range.upperBound)) {
            start,
            order,
            count in
            let end = start + UInt64(count) << UInt64(order)
            guard start <= pfn, pfn < end else { return }
            found.start = start
            found.end = end
            found.use = .untouched
            guard order < Zone.maxOrder else { return }
            var page = Page()
            let type = pages.pageblockType(of: UInt32(truncatingIfNeeded: start))
            page.set(.buddy, order: order, migrateType: type, zone: place)
            found.use = .block(page)
        }
        return found
    }

    private func hole(at pfn: UInt64, limit: UInt64) -> FrameRun {
        var end = max(limit, pfn + 1)
        for place in pages.zones.indices where pages.zones[place].startPFN > pfn {
            end = min(end, pages.zones[place].startPFN)
        }
        return FrameRun(start: pfn, end: end, zone: nil, use: .hole)
    }

    /// The block or slab around a frame, found by its head: heads are aligned to their order.
    private func block(holding pfn: UInt64, zone: Int) -> FrameRun? {
        let page = pages.map[Int(pfn)]
        if page.kind == .slab {
            let slab = slab.slabs[Int(page.slabNumber)]
            let start = UInt64(slab.pfn)
            let end = start + 1 << UInt64(slab.order)
            return FrameRun(start: start, end: end, zone: zone, use: .slab(number: page.slabNumber))
        }
        for order in 0...Zone.maxOrder {
            let start = pfn & ~((1 << UInt64(order)) - 1)
            let head = pages.map[Int(start)]
            guard head.kind != .inner, head.kind != .slab, head.order >= order else { continue }
            let end = start + 1 << UInt64(head.order)
            return FrameRun(start: start, end: end, zone: zone, use: .block(head))
        }
        return nil
    }

    /// The first frame that heads something; chunks that nobody wrote are passed over.
    private func firstHead(after pfn: UInt64, before stop: UInt64) -> UInt64 {
        let window = 1_024
        var frame = Int(pfn) + 1
        let stop = Int(stop)
        while frame < stop {
            let last = min(frame | (window - 1), stop - 1)
            let hasHead = pages.map.reduce(frame...last, false) { $0 || $1.kind != .inner }
            if hasHead {
                while pages.map[frame].kind == .inner { frame += 1 }
                return UInt64(frame)
            }
            frame = last + 1
        }
        return UInt64(stop)
    }
}
