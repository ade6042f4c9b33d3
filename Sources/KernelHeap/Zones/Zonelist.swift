/// The zones that a request tries, in order: its node's from the highest down, then other nodes'.
///
/// Nodes follow by distance from the own one, which is the same between all others here; so the ones
/// above come first, and which of them leads is dealt out in turn: `build_zonelists()`, 6.1.
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
    static func preferredZones(
        _ zones: [Zone],
        _ gfpZones: GFPZones
    ) -> InlineArray<16, UInt8> {
        let lists = all(zones, cpus: 1)
        guard lists.count == ZoneType.allCases.count else { return InlineArray(repeating: 255) }
        return InlineArray { bits in
            let flags = GFPFlags(rawValue: UInt32(bits))
            let list = lists[index(node: 0, highest: gfpZones[flags])]
            return list.count > 0 ? list.indices[0] : 255
        }
    }

    /// Without the zones of other nodes: what `__GFP_THISNODE` leaves.
    func restricted(to node: Int, of zones: borrowing OwnedBuffer<Zone>) -> Zonelist {
        var list = Zonelist()
        for position in 0..<count where zones[self[position]].node == node {
            list.append(self[position])
        }
        return list
    }

    /// The nodes in the order in which requests from each node try them, their own first.
    ///
    /// Follows `find_next_best_node()`, 6.1, for nodes that are all equally far apart: a node below
    /// the own one and a node with CPUs are a little worse, and between equals the one that led
    /// fewer orders before is taken.
    ///
    /// - Parameters:
    ///   - count: nodes, numbered from 0.
    ///   - memory: those that have memory; others are only asked first by themselves.
    ///   - cpus: CPUs, dealt to the nodes in turn.
    /// - Returns: for each node the order of all that serve it.
    static func nodeOrders(count: Int, memory: Set<Int>, cpus: Int) -> [[Int]] {
        var leads = [Int](repeating: 0, count: count)
        return (0..<count).map { own in
            var order = [own]
            var rest = (0..<count).filter { $0 != own && memory.contains($0) }
            while !rest.isEmpty {
                let penalties = rest.map { ($0 < own ? 1 : 0) + ($0 < cpus ? 1 : 0) }
                let best = rest.indices.min {
                    (penalties[$0], leads[rest[$0]], $0) < (penalties[$1], leads[rest[$1]], $1)
                }
                guard let best else { break }
                if order.count == 1 { leads[rest[best]] += 1 }
                order.append(rest.remove(at: best))
            }
            return order
        }
    }

    /// The lists of all nodes up to the highest numbered one.
    static func all(_ zones: [Zone], cpus: Int) -> [Zonelist] {
        let memory = Set(zones.filter { $0.managed > 0 }.map(\.node))
        let count = (zones.map(\.node).max() ?? 0) + 1
        return nodeOrders(count: count, memory: memory, cpus: cpus).flatMap { order in
            ZoneType.allCases.map { highest in
                var list = Zonelist()
                for other in order {
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
