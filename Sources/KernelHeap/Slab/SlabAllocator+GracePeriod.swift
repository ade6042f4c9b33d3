/// Slabs of `SLAB_TYPESAFE_BY_RCU` caches keep their pages until readers are done with them.
///
/// A discarded slab is counted out of its cache at once, as in 6.1. Its pages stay a slab's until a
/// grace period ends: when its time is over on the machine's clock and the CPU is given up, or when
/// `synchronize_rcu()` or `rcu_barrier()` waits for it.
extension SlabAllocator {
    /// Whether a slab waits for the end of a grace period.
    func isWaiting(_ number: UInt32) -> Bool {
        let slab = slabs[Int(number)]
        return slab.isLive && slab.isFrozen && waitingSlabs.contains(number)
    }

    /// Ends the grace period: the pages go back in the order in which their slabs were discarded.
    ///
    /// - Returns: how many slabs there were.
    mutating func endGracePeriod(cpu: Int, pages: inout PageAllocator) -> Int {
        let waiting = waitingSlabs
        waitingSlabs = []
        gracePeriodStart = nil
        for number in waiting { releasePages(of: number, cpu: cpu, pages: &pages) }
        for place in 0..<catalog.count where catalog.records[place].state == .dying {
            catalog.release(place)
        }
        return waiting.count
    }
}
