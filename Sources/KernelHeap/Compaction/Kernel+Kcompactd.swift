/// Compaction that nobody waits for: kcompactd and `vm.compact_memory`, `mm/compaction.c`, 6.1.
///
/// `vm.compaction_proactiveness` is left out: kcompactd works only when it is woken.
extension Kernel {
    /// kswapd is done with a node, and somebody wanted a block: `wakeup_kcompactd()` and
    /// `kcompactd_do_work()`, at once.
    mutating func runKcompactd(node: Int, order: Int, upTo highest: ZoneType) {
        guard order > 0, hasCompaction else { return }
        let zones = pages.zones.indices.filter { place in
            let zone = pages.zones[place]
            return zone.node == node && zone.type <= highest && zone.managed > 0
        }
        guard zones.contains(where: { refusesCompaction($0, order, highest) == nil }) else {
            return
        }
        events[.compactDaemonWake] &+= 1
        for zone in zones {
            let type = pages.zones[zone].type
            guard !defersCompaction(zone, order: order),
                refusesCompaction(zone, order, type) == nil
            else { continue }
            var control = CompactControl(zone: zone, mode: .syncLight, cpu: 0)
            control.order = order
            control.migrateType = .unmovable
            control.highestZone = type
            control.isDaemon = true
            switch compact(&control) {
            case .success:
                changeCompaction(zone) { $0.noteSuccess(order: order, isServed: false) }
            case .complete, .partialSkipped:
                pages.drainPerCPU(zone: zone)
                changeCompaction(zone) { $0.noteFailure(order: order) }
            case .skipped, .deferred, .contended: break
            }
        }
    }

    /// Compacts every zone from one end to the other: `compact_nodes()`.
    ///
    /// - Returns: pages that moved, and pages that could not be.
    mutating func compactMemory(in context: CallContext) -> (moved: Int, stayed: Int) {
        var result = (moved: 0, stayed: 0)
        for zone in pages.zones.indices where pages.zones[zone].managed > 0 {
            var control = CompactControl(zone: zone, mode: .sync, cpu: context.cpu)
            control.isWholeZone = true
            _ = compact(&control)
            result.moved += control.moved
            result.stayed += control.pinned + control.unmovable
        }
        return result
    }
}
