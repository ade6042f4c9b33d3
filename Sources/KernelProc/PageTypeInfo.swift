public import KernelHeap

/// `/proc/pagetypeinfo`: free blocks and pageblocks of every mobility class, node by node.
///
/// Follows `pagetypeinfo_show()`, `mm/vmstat.c`, 6.1.
public enum PageTypeInfo {
    /// The kernel stops counting a list here, for it holds the zone's lock meanwhile.
    private static let countLimit: UInt64 = 100_000

    /// The text for the nodes of a machine, in order.
    ///
    /// - Parameters:
    ///   - nodes: nodes without memory are left out.
    ///   - pageblockOrder: 9 on x86_64.
    /// - Returns: the whole file.
    public static func text(_ nodes: [NodeView], pageblockOrder: Int = 9) -> String {
        var text = ""
        for node in nodes {
            let zones = node.zones.filter(\.isPopulated)
            if zones.isEmpty { continue }
            text += "Page block order: \(pageblockOrder)\n"
            text += "Pages per block:  \(UInt64(1) << UInt64(pageblockOrder))\n\n"
            appendFreeBlocks(zones, to: &text)
            appendPageblocks(zones, to: &text)
        }
        return text
    }

    private static func appendFreeBlocks(_ zones: [ZoneView], to text: inout String) {
        text.append("Free pages count per migrate type at order", left: 43)
        text += " "
        for order in 0..<(zones.first?.freeBlocks.count ?? 0) {
            text.append(order, right: 6)
            text += " "
        }
        text += "\n"
        for zone in zones {
            for type in MigrateType.allCases {
                text += "Node "
                text.append(zone.node, right: 4)
                text += ", zone "
                text.append(zone.type.name, right: 8)
                text += ", type "
                text.append(type.name, right: 12)
                text += " "
                for types in zone.freeBlocks {
                    let count = Int(type.rawValue) < types.count ? types[Int(type.rawValue)] : 0
                    if count >= countLimit { text += ">" }
                    text.append(min(count, countLimit), right: 6)
                    text += " "
                }
                text += "\n"
            }
        }
    }

    private static func appendPageblocks(_ zones: [ZoneView], to text: inout String) {
        text += "\n"
        text.append("Number of blocks type", left: 22)
        for type in MigrateType.allCases {
            text += " "
            text.append(type.name, right: 12)
        }
        text += " \n"
        for zone in zones {
            text += "Node \(zone.node), zone "
            text.append(zone.type.name, right: 8)
            for count in zone.pageblocks {
                text += " "
                text.append(count, right: 12)
            }
            text += " \n"
        }
    }
}
