public import KernelHeap

/// `/proc/zoneinfo`: watermarks, sizes, counters and per-CPU lists of every zone.
///
/// Follows `zoneinfo_show_print()`, `mm/vmstat.c`, 6.1.
public enum ZoneInfo {
    /// The text for the nodes of a machine, in order.
    public static func text(_ nodes: [NodeView]) -> String {
        var text = ""
        for node in nodes {
            let first = node.zones.firstIndex(where: \.isPopulated)
            for (index, zone) in node.zones.enumerated() {
                append(zone, nodeStats: index == first ? node.stats : nil, to: &text)
            }
        }
        return text
    }

    private static func append(
        _ zone: ZoneView,
        nodeStats: NodeStats?,
        to text: inout String
    ) {
        text += "Node \(zone.node), zone "
        text.append(zone.type.name, right: 8)
        // The first zone with memory carries its node's counters.
        if let nodeStats {
            text += "\n  per-node stats"
            append(nodeStats, to: &text)
        }
        text += "\n  pages free     \(zone.free)"
        text += "\n        boost    \(zone.boost)"
        text += "\n        min      \(zone.min)"
        text += "\n        low      \(zone.low)"
        text += "\n        high     \(zone.high)"
        text += "\n        spanned  \(zone.spanned)"
        text += "\n        present  \(zone.present)"
        text += "\n        managed  \(zone.managed)"
        text += "\n        cma      \(zone.cma)"
        text += "\n        protection: ("
        text += zone.protection.map { "\($0)" }.joined(separator: ", ")
        text += ")"
        if zone.isPopulated { appendState(zone, to: &text) }
        text += "\n"
    }

    private static func appendState(_ zone: ZoneView, to text: inout String) {
        append(zone.stats, to: &text)
        text += "\n  pagesets"
        for set in zone.pageSets {
            text += "\n    cpu: \(set.cpu)"
            text += "\n              count: \(set.count)"
            text += "\n              high:  \(set.high)"
            text += "\n              batch: \(set.batch)"
            text += "\n  vm stats threshold: \(set.statThreshold)"
        }
        text += "\n  node_unreclaimable:  \(zone.isNodeUnreclaimable ? 1 : 0)"
        text += "\n  start_pfn:           \(zone.startPFN)"
    }

    private static func append<Counter>(
        _ table: CounterTable<Counter>,
        to text: inout String
    ) {
        for counter in table.counters {
            text += "\n      "
            text.append(counter.rawValue, left: 12)
            text += " \(table[counter])"
        }
    }
}
