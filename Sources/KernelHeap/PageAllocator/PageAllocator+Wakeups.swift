/// Work for a node's kswapd: `kswapd_order` and `kswapd_highest_zoneidx`.
struct KswapdWakeup: Hashable, Sendable {
    let node: Int
    var order: Int
    var highestZone: ZoneType
}

extension PageAllocator {
    /// A request found its zones below low: `wake_all_kswapds()`.
    mutating func wakeKswapd(_ request: AllocationRequest, _ list: Zonelist) {
        for position in 0..<list.count {
            let node = zones[list[position]].node
            wakeKswapd(node: node, order: request.order, highest: request.highestZone)
        }
    }

    /// Marks were raised: the end of `rmqueue()`.
    mutating func wakeKswapd(boosted: UInt64) {
        for zone in zones.indices where boosted & 1 << UInt64(zone) != 0 {
            wakeKswapd(node: zones[zone].node, order: 0, highest: zones[zone].type)
        }
    }

    private mutating func wakeKswapd(node: Int, order: Int, highest: ZoneType) {
        guard let known = kswapdWakeups.firstIndex(where: { $0.node == node }) else {
            kswapdWakeups.append(KswapdWakeup(node: node, order: order, highestZone: highest))
            return
        }
        kswapdWakeups[known].order = max(kswapdWakeups[known].order, order)
        kswapdWakeups[known].highestZone = max(kswapdWakeups[known].highestZone, highest)
    }
}
