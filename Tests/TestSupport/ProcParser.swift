public import KernelHeap

/// Reads recorded `/proc` files back into the views that they are printed from.
public enum ProcParser {
    /// A line that does not look like the kernel's.
    public struct Unreadable: Error {
        public let line: String
    }

    /// The folders of booted machines, each with one file per text.
    public static func bootFolders() throws -> [String] {
        let x86 = try Recording.names(in: "boot").filter { !$0.hasSuffix(".json") }
        let i386 = try Recording.names(in: "i386")
        return x86.map { "boot/\($0)" } + i386.map { "i386/\($0)" }
    }

    /// Nodes and zones of `/proc/buddyinfo`; the classes of free blocks are not told apart.
    public static func buddyInfo(_ text: String) throws -> [NodeView] {
        var zones: [ZoneView] = []
        for line in lines(text) {
            var zone = try self.zone(opening: line)
            zone.freeBlocks = try line.dropFirst(4).map { [try number($0)] }
            zones.append(zone)
        }
        return nodes(of: zones)
    }

    /// Nodes and zones of `/proc/pagetypeinfo`.
    public static func pageTypeInfo(_ text: String) throws -> [NodeView] {
        var zones: [ZoneView] = []
        for line in lines(text) where line.first == "Node" {
            let node = try zone(opening: line)
            var place = zones.firstIndex { $0.node == node.node && $0.type == node.type }
            if place == nil {
                zones.append(node)
                place = zones.count - 1
            }
            guard let place else { continue }
            if line.count > 5, line[4] == "type" {
                guard let type = MigrateType(name: line[5]) else { throw unreadable(line) }
                let counts = try line.dropFirst(6).map(number)
                if zones[place].freeBlocks.isEmpty {
                    zones[place].freeBlocks = counts.map { _ in
                        [UInt64](repeating: 0, count: MigrateType.allCases.count)
                    }
                }
                for (order, count) in counts.enumerated() {
                    zones[place].freeBlocks[order][Int(type.rawValue)] = count
                }
            } else {
                zones[place].pageblocks = try line.dropFirst(4).map(number)
            }
        }
        return nodes(of: zones)
    }

    /// The caches of `/proc/slabinfo`.
    public static func slabInfo(_ text: String) throws -> [CacheView] {
        try lines(text).dropFirst(2).map { words in
            // A name may hold blanks; the columns are counted from the end.
            guard words.count >= 16 else { throw unreadable(words) }
            let name = words[..<(words.count - 15)].joined(separator: " ")
            let row = Array(words[(words.count - 15)...])
            return CacheView(
                name: name,
                activeObjects: try number(row[0]),
                objects: try number(row[1]),
                objectSize: try number(row[2]),
                objectsPerSlab: Int(try number(row[3])),
                pagesPerSlab: Int(try number(row[4])),
                activeSlabs: try number(row[12]),
                slabs: try number(row[13])
            )
        }
    }

    /// `/proc/meminfo`, with the lines that are there.
    public static func memInfo(_ text: String) throws -> MemInfoView {
        var values: [MemInfoCounter: UInt64] = [:]
        for line in lines(text) {
            guard line.count >= 2, let counter = MemInfoCounter(rawValue: "\(line[0].dropLast())")
            else { throw unreadable(line) }
            values[counter] = try number(line[1])
        }
        var view = MemInfoView { values[$0] != nil }
        for counter in view.counters { view[counter] = values[counter] ?? 0 }
        return view
    }

    /// `Node 0, zone DMA …`.
    static func zone(opening line: [Substring]) throws -> ZoneView {
        guard line.count >= 4, line[0] == "Node", line[2] == "zone",
            let type = ZoneType(name: line[3].filter { $0 != "," })
        else { throw unreadable(line) }
        return ZoneView(node: Int(try number(line[1].dropLast())), type: type)
    }

    static func nodes(of zones: [ZoneView], stats: [Int: NodeStats] = [:]) -> [NodeView] {
        var nodes: [NodeView] = []
        for zone in zones {
            // Files that leave out empty zones say nothing about sizes.
            var zone = zone
            if stats.isEmpty { zone.present = 1 }
            if nodes.last?.id != zone.node {
                let own = stats[zone.node] ?? NodeStats()
                nodes.append(NodeView(id: zone.node, stats: own, zones: []))
            }
            nodes[nodes.count - 1].zones.append(zone)
        }
        return nodes
    }

    static func lines(_ text: String) -> [[Substring]] {
        text.split(separator: "\n").map { $0.split(separator: " ") }
    }

    static func number(_ word: some StringProtocol) throws -> UInt64 {
        let digits = String(word).filter(\.isNumber)
        guard let value = UInt64(digits), digits.count + 1 >= word.count else {
            throw Unreadable(line: String(word))
        }
        return value
    }

    static func unreadable(_ words: [Substring]) -> Unreadable {
        Unreadable(line: words.joined(separator: " "))
    }
}
