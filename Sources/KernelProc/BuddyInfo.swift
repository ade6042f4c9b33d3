public import KernelHeap

/// `/proc/buddyinfo`: free blocks of every order, a line for each zone with memory.
///
/// Follows `frag_show_print()`, `mm/vmstat.c`, 6.1.
public enum BuddyInfo {
    /// The text for the nodes of a machine, in order.
    public static func text(_ nodes: [NodeView]) -> String {
        var text = ""
        for zone in nodes.flatMap(\.zones) where zone.isPopulated {
            text += "Node \(zone.node), zone "
            text.append(zone.type.name, right: 8)
            text += " "
            for types in zone.freeBlocks {
                text.append(types.reduce(0, &+), right: 6)
                text += " "
            }
            text += "\n"
        }
        return text
    }
}
