/// Why a large request fails while much memory is free, in one zone.
public struct FragmentationReport: Hashable, Sendable {
    public var zone: ZoneType
    public var node: Int
    public var order: Int
    public var freePages: UInt64
    /// -1 where nothing is free.
    public var largestOrder: Int
    /// In thousandths.
    public var fragmentationIndex: Int64
    public var unusableIndex: Int64
    /// Aligned blocks of the order that have free pages, and what keeps each from being free, by
    /// what is hardest to move in it.
    public var obstacles = Obstacles()

    public struct Obstacles: Hashable, Sendable {
        /// Pages that the boot or a client reserved.
        public var reserved = 0
        /// Pages of the kernel's own, page tables among them.
        public var kernel = 0
        public var slabs = 0
        /// Pages of processes or files that somebody else holds, too.
        public var pinned = 0
        /// Pages that could be moved or freed.
        public var movable = 0
        /// Whether a part of the zone was not looked at, for it is large.
        public var isPartial = false

        public var total: Int { reserved + kernel + slabs + pinned + movable }
    }
}

/// What an explanation says of compaction.
extension Kernel {
    /// Frames that one report looks at.
    private static let mostFramesLookedAt = 1 << 20

    func fragmentationReport(zone: Int, order: Int) -> FragmentationReport {
        let info = pages.contiguousPages(zone: zone, order: order)
        let counts = pages.zones[zone].blockCounts
        var report = FragmentationReport(
            zone: pages.zones[zone].type,
            node: pages.zones[zone].node,
            order: order,
            freePages: info.freePages,
            largestOrder: (0...Zone.maxOrder).last { counts[$0] > 0 } ?? -1,
            fragmentationIndex: info.fragmentationIndex,
            unusableIndex: info.unusableFreeIndex
        )
        report.obstacles = obstacles(zone: zone, order: order)
        return report
    }

    private func obstacles(zone: Int, order: Int) -> FragmentationReport.Obstacles {
        var found = FragmentationReport.Obstacles()
        guard pages.zones[zone].unlisted.isEmpty else { return found }
        let size = 1 << order
        let start = Int(clamping: pages.zones[zone].startPFN)
        let end = Int(clamping: pages.zones[zone].endPFN)
        var block = start & ~(size - 1)
        var looked = 0
        while block < end {
            guard looked < Self.mostFramesLookedAt else {
                found.isPartial = true
                return found
            }
            looked += size
            note(max(block, start)..<min(block + size, end), zone, &found)
            block += size
        }
        return found
    }

    /// Counts an aligned block by what is hardest to move in it, if a part of it is free.
    private func note(
        _ frames: Range<Int>,
        _ zone: Int,
        _ found: inout FragmentationReport.Obstacles
    ) {
        var freePages = 0
        var held = (reserved: false, kernel: false, slab: false, pinned: false, movable: false)
        var pfn = frames.lowerBound
        while pfn < frames.upperBound {
            let page = pages.map.elementOrZero(pfn)
            switch page.kind {
            case .buddy:
                freePages += 1 << page.order
                pfn += 1 << page.order
                continue
            case .perCPU: held.movable = true
            case .slab: held.slab = true
            case .inner: held.reserved = true
            case .allocated where page.isOnLRU:
                let isHeld = page.isOfFile || page.aging.contains(.swapCache)
                if page.word > page.mapCount &+ (isHeld ? 1 : 0) {
                    held.pinned = true
                } else {
                    held.movable = true
                }
            case .allocated:
                if page.isReserved { held.reserved = true } else { held.kernel = true }
                pfn += 1 << page.order
                continue
            }
            pfn += 1
        }
        guard freePages > 0, freePages < frames.count else { return }
        if held.reserved {
            found.reserved += 1
        } else if held.kernel {
            found.kernel += 1
        } else if held.slab {
            found.slabs += 1
        } else if held.pinned {
            found.pinned += 1
        } else {
            found.movable += 1
        }
    }

    /// Says why a request for a large block fails, of each zone that has free pages.
    mutating func explainFragmentation(_ request: AllocationRequest) {
        guard pages.decisions.isOn, request.order > 0 else { return }
        let list = pages.zonelist(of: request)
        for position in 0..<list.count {
            let report = fragmentationReport(zone: list[position], order: request.order)
            guard report.freePages >= 1 << UInt64(request.order),
                report.largestOrder < request.order
            else { continue }
            pages.decisions.add(.fragmented(report))
        }
    }

    mutating func explainSkipping(_ zone: Int, _ order: Int, _ reason: CompactionRefusal) {
        guard pages.decisions.isOn else { return }
        let type = pages.zones[zone].type
        pages.decisions.add(.compactionSkipped(zone: type, order: order, reason: reason))
    }

    mutating func explain(_ control: CompactControl, _ result: CompactResult) {
        guard pages.decisions.isOn else { return }
        let summary = CompactionSummary(
            zone: pages.zones[control.zone].type,
            node: pages.zones[control.zone].node,
            order: control.order ?? -1,
            moved: control.moved,
            pinned: control.pinned,
            unmovable: control.unmovable,
            migrateScanned: control.migrateScanned,
            freeScanned: control.freeScanned,
            result: result
        )
        pages.decisions.add(.compacted(summary))
    }
}
