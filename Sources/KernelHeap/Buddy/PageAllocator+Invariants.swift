/// Where the frames of a zone are, in pages.
struct ZoneCensus: Hashable {
    /// On buddy lists, the untouched run included.
    var free = 0
    var perCPU = 0
    var allocated = 0
    var slab = 0

    /// Frames that something owns.
    ///
    /// Managed frames beyond it lost their head to a free of a smaller order than was allocated; so
    /// they are lost to the kernel too.
    var accounted: Int { free + perCPU + allocated + slab }
}

/// What heads at a frame, with the frames behind it.
struct FrameBlock {
    var pfn: UInt32
    var page: Page

    /// Frames that it stands for; each page of a slab stands for itself.
    var pageCount: Int { page.kind == .slab ? 1 : 1 << page.order }
    var end: Int { Int(pfn) + pageCount }
}

/// What does not hold, as text; bounded, for one broken link breaks many sentences.
struct Violations {
    static let limit = 32

    private(set) var texts: [String] = []

    mutating func check(_ holds: Bool, _ text: @autoclosure () -> String) {
        if !holds && texts.count < Self.limit { texts.append(text()) }
    }
}

extension PageAllocator {
    /// Everything that must hold of the page frames and their lists, whatever clients did.
    ///
    /// A frame has one owner: a buddy list, a per-CPU list, an allocation, a slab, the untouched
    /// run, or nobody (reserved, or lost to a free of too small an order). Frees of any number leave
    /// all of this true: the real kernel would corrupt its lists after some of them, but it has
    /// refused or ignored those frees before, and so does this one.
    ///
    /// - Parameter allowingUnmergedBuddies: for machines whose lists a client spelled out, which
    ///   may hold two free halves of one block.
    /// - Returns: what does not hold; empty where all is sound. Costs the touched frames.
    func checkInvariants(allowingUnmergedBuddies: Bool = false) -> [String] {
        var violations = Violations()
        let blocks = headedBlocks()
        checkExtents(blocks, &violations)
        for zone in zones.indices {
            checkFreeLists(zone: zone, blocks, &violations)
            checkPerCPULists(zone: zone, blocks, &violations)
            if !allowingUnmergedBuddies { checkBuddies(zone: zone, blocks, &violations) }
            let census = census(zone: zone, blocks)
            violations.check(
                census.free == exactFreePages(zone: zone),
                "zone \(zone): \(census.free) pages listed, \(exactFreePages(zone: zone)) counted"
            )
            violations.check(
                census.accounted <= Int(zones[zone].spanned),
                "zone \(zone): \(census) is more than it spans"
            )
        }
        return violations.texts
    }

    /// Where a zone's frames are.
    func census(zone: Int) -> ZoneCensus { census(zone: zone, headedBlocks()) }

    private func census(zone: Int, _ blocks: [FrameBlock]) -> ZoneCensus {
        var census = ZoneCensus()
        census.free = zones[zone].run.count + zones[zone].unlisted.count
        for block in blocks where block.page.zone == zone {
            switch block.page.kind {
            case .inner: break
            case .buddy: census.free += block.pageCount
            case .perCPU: census.perCPU += block.pageCount
            case .allocated: census.allocated += block.pageCount
            case .slab: census.slab += 1
            }
        }
        return census
    }

    /// Every frame that heads something, ascending; chunks that were never written are passed over.
    func headedBlocks() -> [FrameBlock] {
        // Divides the length of a chunk, whatever that is.
        let step = 32
        var blocks: [FrameBlock] = []
        for start in stride(from: 0, to: map.capacity, by: step) {
            guard unsafe map.withChunk(containing: start, { unsafe $0 != nil }) else { continue }
            for index in start..<min(start + step, map.capacity)
            where map[index].kind != .inner {
                blocks.append(
                    FrameBlock(pfn: UInt32(truncatingIfNeeded: index), page: map[index])
                )
            }
        }
        return blocks
    }

    private func checkExtents(_ blocks: [FrameBlock], _ violations: inout Violations) {
        var end = 0
        for block in blocks {
            // Made only where it is needed: a million names take seconds.
            var name: String {
                "\(block.page.kind) \(block.pfn) of order \(block.page.order)"
            }
            violations.check(Int(block.pfn) >= end, "\(name) begins inside another block")
            end = max(end, block.end)
            guard block.page.zone < zones.count else {
                violations.check(false, "\(name) names zone \(block.page.zone)")
                continue
            }
            let zone = zones[block.page.zone]
            violations.check(
                zone.spans(UInt64(block.pfn)) && UInt64(block.end) <= zone.endPFN,
                "\(name) leaves its zone"
            )
            violations.check(
                block.page.order <= Zone.maxOrder
                    && Int(block.pfn) & ((1 << block.page.order) - 1) == 0,
                "\(name) is not aligned"
            )
            violations.check(
                block.end <= Int(zone.run.lowerBound) || block.pfn >= zone.run.upperBound,
                "\(name) lies in the untouched run"
            )
            if block.page.kind == .allocated {
                violations.check(block.page.word > 0, "\(name) has no reference")
            }
        }
    }

    /// Two free halves of a block of one order never coexist, unless their pageblocks are of
    /// classes that are kept apart.
    private func checkBuddies(
        zone: Int,
        _ blocks: [FrameBlock],
        _ violations: inout Violations
    ) {
        for block in blocks where block.page.kind == .buddy && block.page.zone == zone {
            let order = block.page.order
            guard order < Zone.maxOrder else { continue }
            let buddy = block.pfn ^ UInt32(1 << order)
            guard buddy > block.pfn, Int(buddy) < map.capacity,
                map[Int(buddy)].isBuddy(order: order, zone: zone)
            else { continue }
            let isKeptApart =
                order >= pageblockOrder
                && (pageblockType(of: block.pfn).rawValue > 2
                    || pageblockType(of: buddy).rawValue > 2)
            violations.check(
                isKeptApart,
                "free buddies \(block.pfn) and \(buddy) of order \(order) did not merge"
            )
        }
    }
}
