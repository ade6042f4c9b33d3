public import KernelHeap

/// The files of `/sys/kernel/debug/extfrag`: how far free memory is broken up, by zone and order.
///
/// Follows `unusable_show()` and `extfrag_show()`, `mm/vmstat.c`, 6.1.
public enum ExtFrag {
    /// The files, in alphabetical order.
    public static let files = ["extfrag_index", "unusable_index"]

    /// The text of one file.
    ///
    /// - Parameters:
    ///   - file: one of `files`.
    ///   - nodes: in order.
    /// - Returns: `nil` where there is no such file.
    public static func text(_ file: String, of nodes: [NodeView]) -> String? {
        switch file {
        case "extfrag_index": lines(nodes, width: 2) { $0.fragmentationIndex(order: $1) }
        case "unusable_index": lines(nodes, width: 1) { $0.unusableFreeIndex(order: $1) }
        default: nil
        }
    }

    private static func lines(
        _ nodes: [NodeView],
        width: Int,
        _ index: (ZoneView, Int) -> Int64
    ) -> String {
        var text = ""
        for zone in nodes.flatMap(\.zones) where zone.isPopulated {
            text += "Node \(zone.node), zone "
            text.append(zone.type.name, right: 8)
            text += " "
            for order in zone.freeBlocks.indices {
                let value = index(zone, order)
                text.append(value / 1000, right: width)
                text += "." + thousandths(value % 1000) + " "
            }
            text += "\n"
        }
        return text
    }

    /// Three digits as C's `%03d` writes them; the sign is one of the three.
    private static func thousandths(_ value: Int64) -> String {
        let digits = String(value.magnitude)
        let sign = value < 0 ? "-" : ""
        return sign + String(repeating: "0", count: max(3 - sign.count - digits.count, 0)) + digits
    }
}
