/// How broken up the free memory of a zone is, in thousandths.
extension ZoneView {
    /// The share of free memory that lies in blocks too small for an order: 0 to 1000.
    ///
    /// Follows `unusable_free_index()`, `mm/vmstat.c`, 6.1: 1000 where nothing is free.
    public func unusableFreeIndex(order: Int) -> Int64 {
        let free = freeBlockSums()
        guard free.pages > 0 else { return 1000 }
        return Int64((free.pages - usable(order).pages) * 1000 / free.pages)
    }

    /// Why a request of an order would fail: towards 0 for want of memory, towards 1000 because
    /// memory is broken up, -1000 where it would not fail.
    ///
    /// Follows `__fragmentation_index()`, `mm/vmstat.c`, 6.1: 0 where nothing is free. Memory that
    /// is nearly enough in few blocks gives numbers below 0.
    public func fragmentationIndex(order: Int) -> Int64 {
        let free = freeBlockSums()
        guard free.blocks > 0 else { return 0 }
        guard usable(order).blocks == 0 else { return -1000 }
        let wanted = UInt64(1) << UInt64(order)
        return 1000 - Int64((1000 + free.pages * 1000 / wanted) / free.blocks)
    }

    /// Free blocks of every order, from the lowest.
    public var freeBlockCounts: [UInt64] { freeBlocks.map { $0.reduce(0, &+) } }

    private func freeBlockSums() -> (pages: UInt64, blocks: UInt64) { usable(0) }

    /// The blocks of an order and above, and their pages.
    private func usable(_ lowest: Int) -> (pages: UInt64, blocks: UInt64) {
        var sums: (pages: UInt64, blocks: UInt64) = (0, 0)
        for (order, blocks) in freeBlockCounts.enumerated() where order >= lowest {
            sums.pages += blocks << UInt64(order)
            sums.blocks += blocks
        }
        return sums
    }
}
