/// The free memory of a zone between boot and its first request.
///
/// `memblock_free_all()` gives the page allocator each free range in the largest aligned blocks,
/// ascending, each at the tail of its list. Here the range is only remembered; the lists are made
/// when somebody takes or frees, or looks at single blocks. A zone nobody uses costs nothing.
extension PageAllocator {
    /// Gives a fresh zone its free range; counts are right at once, lists follow on demand.
    mutating func addBootMemory(_ range: Range<UInt64>, zone: Int) {
        guard !range.isEmpty else { return }
        listBootMemory(zone: zone)
        zones[zone].free += range.count
        Self.forEachBootBlock(range) { _, order, count in
            zones[zone].blockCounts[order] += count
        }
        zones[zone].unlisted =
            UInt32(
                truncatingIfNeeded: range.lowerBound
            )..<UInt32(
                truncatingIfNeeded: range.upperBound
            )
    }

    /// Gives a fresh zone several free ranges, ascending.
    ///
    /// The largest blocks of the longest range become the run; all others are linked at once.
    mutating func addBootMemory(_ ranges: [Range<UInt64>], zone: Int) {
        guard ranges.count > 1 else {
            if let range = ranges.first { addBootMemory(range, zone: zone) }
            return
        }
        let longest = ranges.max { $0.count < $1.count }
        for range in ranges {
            zones[zone].free += range.count
            Self.forEachBootBlock(range) { pfn, order, count in
                let frame = UInt32(truncatingIfNeeded: pfn)
                if order == Zone.maxOrder && range == longest {
                    zones[zone].run = frame..<frame + UInt32(truncatingIfNeeded: count << order)
                    zones[zone].blockCounts[order] += count
                    return
                }
                for block in 0..<count {
                    let first = frame + UInt32(truncatingIfNeeded: block << order)
                    let type = pageblockType(of: first)
                    addToFreeList(first, zone: zone, order: order, type: type, atTail: true)
                }
            }
        }
    }

    /// Keeps the first pages of an unlisted range from the page allocator for good.
    mutating func shrinkBootMemory(zone: Int, by pages: UInt32) {
        let range = zones[zone].unlisted
        guard range.count >= Int(pages) else { return }
        zones[zone].free = 0
        zones[zone].blockCounts = InlineArray(repeating: 0)
        zones[zone].unlisted = 0..<0
        addBootMemory(UInt64(range.lowerBound + pages)..<UInt64(range.upperBound), zone: zone)
    }

    /// Makes the lists of an unlisted range; the largest blocks become the run where there is none.
    @inline(__always)
    mutating func listBootMemory(zone: Int) {
        if !zones[zone].unlisted.isEmpty { listUnlisted(zone: zone) }
    }

    @inline(never)
    private mutating func listUnlisted(zone: Int) {
        let range = zones[zone].unlisted
        zones[zone].unlisted = 0..<0
        Self.forEachBootBlock(UInt64(range.lowerBound)..<UInt64(range.upperBound)) {
            pfn,
            order,
            count in
            let frame = UInt32(truncatingIfNeeded: pfn)
            if order == Zone.maxOrder && zones[zone].run.isEmpty
                && zones[zone].lists[Zone.runList].isEmpty
            {
                zones[zone].run = frame..<frame + UInt32(truncatingIfNeeded: count << order)
                return
            }
            for block in 0..<count {
                let first = frame + UInt32(truncatingIfNeeded: block << order)
                let type = pageblockType(of: first)
                addToFreeList(first, zone: zone, order: order, type: type, atTail: true)
                // Counted already when the range was added.
                zones[zone].blockCounts[order] -= 1
            }
        }
    }

    /// Cuts a range into the largest aligned blocks, ascending; equal neighbours come as one.
    static func forEachBootBlock(
        _ range: Range<UInt64>,
        _ body: (_ pfn: UInt64, _ order: Int, _ count: Int) -> Void
    ) {
        var pfn = range.lowerBound
        while pfn < range.upperBound {
            let left = range.upperBound - pfn
            let order = min(
                pfn.trailingZeroBitCount,
                Zone.maxOrder,
                UInt64.bitWidth - 1 - left.leadingZeroBitCount
            )
            let count = order == Zone.maxOrder ? left >> UInt64(order) : 1
            body(pfn, order, Int(count))
            pfn += count << UInt64(order)
        }
    }

    /// The blocks of one list of an unlisted range, as they will stand.
    func unlistedBlocks(zone: Int, order: Int, type: MigrateType) -> [UInt64] {
        let range = zones[zone].unlisted
        var frames: [UInt64] = []
        Self.forEachBootBlock(UInt64(range.lowerBound)..<UInt64(range.upperBound)) {
            pfn,
            current,
            count in
            guard current == order else { return }
            for block in 0..<UInt64(count) {
                let first = pfn + block << UInt64(order)
                if pageblockType(of: UInt32(truncatingIfNeeded: first)) == type {
                    frames.append(first)
                }
            }
        }
        return frames
    }
}
