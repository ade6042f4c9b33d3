/// What the free memory of a zone is to a request of an order: `struct contig_page_info`.
struct ContiguousPages {
    let order: Int
    private(set) var freePages: UInt64 = 0
    private(set) var freeBlocks: UInt64 = 0
    /// Pages in blocks that are large enough.
    private(set) var usablePages: UInt64 = 0

    /// `fill_contig_page_info()`.
    ///
    /// - Parameters:
    ///   - counts: free blocks of each order, from the lowest.
    ///   - order: of the request.
    init(_ counts: some Sequence<UInt64>, order: Int) {
        self.order = order
        for (current, blocks) in counts.enumerated() {
            freePages &+= blocks << UInt64(current)
            freeBlocks &+= blocks
            if current >= order { usablePages &+= blocks << UInt64(current) }
        }
    }

    /// The share of free memory that lies in blocks too small for the order, in thousandths.
    ///
    /// Follows `unusable_free_index()`, `mm/vmstat.c`, 6.1: 1000 where nothing is free.
    var unusableFreeIndex: Int64 {
        guard freePages > 0 else { return 1000 }
        return Int64((freePages - usablePages) * 1000 / freePages)
    }

    /// Why a request would fail: towards 0 for want of memory, towards 1000 because memory is
    /// broken up, -1000 where it would not fail.
    ///
    /// Follows `__fragmentation_index()`, `mm/vmstat.c`, 6.1: 0 where nothing is free. Memory that
    /// is nearly enough in few blocks gives numbers below 0.
    var fragmentationIndex: Int64 {
        guard freeBlocks > 0 else { return 0 }
        guard usablePages == 0 else { return -1000 }
        let wanted = UInt64(1) << UInt64(order)
        return 1000 - Int64((1000 + freePages * 1000 / wanted) / freeBlocks)
    }
}

extension PageAllocator {
    /// The free memory of a zone as a request of an order sees it.
    func contiguousPages(zone: Int, order: Int) -> ContiguousPages {
        let counts = (0...Zone.maxOrder).map { UInt64(max(zones[zone].blockCounts[$0], 0)) }
        return ContiguousPages(counts, order: order)
    }
}
