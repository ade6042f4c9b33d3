/// The zones that a request tries, in order: its node's from the highest down, then other nodes'.
///
/// Nodes follow by distance from the own one, which is the same between all others here:
/// `build_zonelists()`, 6.1.
struct Zonelist: BitwiseCopyable {
    /// Four nodes of four zones.
    static let capacity = 16

    private var indices = InlineArray<16, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Index into the zone table of the `position`th choice.
    @inline(__always)
    subscript(position: Int) -> Int { Int(indices[position]) }

    private mutating func append(_ zone: Int) {
        guard count < Self.capacity else { return }
        indices[count] = UInt8(truncatingIfNeeded: zone)
        count += 1
    }

    /// Where the list of a node and a highest zone stands in `all`.
    @inline(__always)
    static func index(node: Int, highest: ZoneType) -> Int {
        node * ZoneType.allCases.count + Int(highest.rawValue)
    }

    /// The first zone of the list for each combination of zone bits; 255 where there is none, or where
    /// it depends on the node.
    static func preferredZones(_ zones: [Zone]) -> InlineArray<16, UInt8> {
        let lists = all(zones)
        guard lists.count == ZoneType.allCases.count else { return InlineArray(repeating: 255) }
        return InlineArray { bits in
            let flags = GFPFlags(rawValue: UInt32(bits))
            let list = lists[index(node: 0, highest: flags.highestZone)]
            return list.count > 0 ? list.indices[0] : 255
        }
    }

    /// The lists of all nodes up to the highest numbered one.
    static func all(_ zones: [Zone]) -> [Zonelist] {
        let nodes = 0...(zones.map(\.node).max() ?? 0)
        return nodes.flatMap { node in
            ZoneType.allCases.map { highest in
                var list = Zonelist()
                for other in [node] + nodes.filter({ $0 != node }) {
                    zones.indices
                        .filter {
                            zones[$0].node == other && zones[$0].type <= highest
                                && zones[$0].managed > 0
                        }
                        .sorted { zones[$0].type > zones[$1].type }
                        .forEach { list.append($0) }
                }
                return list
            }
        }
    }
}
