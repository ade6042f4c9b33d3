/// How broken up the free memory of a zone is, in thousandths.
extension ZoneView {
    /// The share of free memory that lies in blocks too small for an order: 0 to 1000.
    ///
    /// Follows `unusable_free_index()`, `mm/vmstat.c`, 6.1: 1000 where nothing is free.
    public func unusableFreeIndex(order: Int) -> Int64 {
        ContiguousPages(freeBlockCounts, order: order).unusableFreeIndex
    }

    /// Why a request of an order would fail: towards 0 for want of memory, towards 1000 because
    /// memory is broken up, -1000 where it would not fail.
    ///
    /// Follows `__fragmentation_index()`, `mm/vmstat.c`, 6.1: 0 where nothing is free. Memory that
    /// is nearly enough in few blocks gives numbers below 0.
    public func fragmentationIndex(order: Int) -> Int64 {
        ContiguousPages(freeBlockCounts, order: order).fragmentationIndex
    }

    /// Free blocks of every order, from the lowest.
    public var freeBlockCounts: [UInt64] { freeBlocks.map { $0.reduce(0, &+) } }
}
