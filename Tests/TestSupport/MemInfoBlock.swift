public import KernelHeap

/// The `Mem-Info:` block of a recorded kernel log (`texts/`).
public struct MemInfoBlock: Sendable {
    /// The recorded lines without their time stamps.
    public let lines: [String]
    /// What the numbers of the block say, read back.
    public private(set) var report: MemInfoReport

    /// The names of all recorded blocks.
    public static func names() throws -> [String] { try Recording.names(in: "texts") }

    /// The OOM killer's lines on slabs, without their time stamps; empty in other reports.
    public static func slabLines(named name: String) throws -> [String] {
        let all = try log(named: name)
        guard let start = all.firstIndex(of: "Unreclaimable slab info:"),
            let end = all[start...].firstIndex(where: { $0.hasPrefix("Tasks state") })
        else { return [] }
        return Array(all[start..<end])
    }

    /// A recorded log without its time stamps.
    public static func log(named name: String) throws -> [String] {
        try Recording.text("texts/\(name)").split(separator: "\n").map { line in
            // "[    1.632332] text"
            line.first == "[" ? String(line.drop { $0 != "]" }.dropFirst(2)) : String(line)
        }
    }

    /// Reads the first block of a file.
    public init(named name: String) throws {
        let all = try Self.log(named: name)
        guard let start = all.firstIndex(of: "Mem-Info:"),
            let end = all[start...].firstIndex(where: { $0.hasSuffix("pages hwpoisoned") })
        else { throw ProcParser.Unreadable(line: name) }
        lines = Array(all[start...end])
        report = MemInfoReport(nodes: [], highestZone: .device, cpu: 0)
        report.hasNUMA = !name.hasPrefix("i386")
        try read()
    }

    private mutating func read() throws {
        var zones: [ZoneView] = []
        var totals: [String: UInt64] = [:]
        var stats = NodeStats()
        for line in lines {
            var words = line.split(separator: " ")
            if line.hasPrefix("Node 0 active_anon") {
                Self.setStats(of: line, in: &stats)
                totals["unreclaimable"] = line.hasSuffix("yes") ? 1 : 0
            } else if line.contains("hugepages_size=") {
                report.hugePageKiB = Int(Self.pairs(line)["hugepages_size"] ?? 0)
            } else if line.contains(" free:"), line.contains("managed:") {
                zones.append(try Self.zone(line))
            } else if line.hasPrefix("lowmem_reserve[]:") {
                zones[zones.count - 1].protection = try words.dropFirst().map(ProcParser.number)
            } else if line.contains("*4kB") {
                if words[0] == "Node" { words.removeFirst(2) }
                let name = words.removeFirst().dropLast()
                guard let place = zones.firstIndex(where: { $0.type.name == name }) else {
                    throw ProcParser.unreadable(words)
                }
                zones[place].freeBlocks = try Self.freeBlocks(words)
            } else if let value = UInt64(words[0]) {
                totals[words.dropFirst().joined(separator: " ")] = value
            } else {
                totals.merge(Self.pairs(line)) { old, _ in old }
            }
        }
        finish(zones, stats, totals)
    }

    /// Adds what only the machine's totals tell.
    private mutating func finish(
        _ shown: [ZoneView],
        _ nodeStats: NodeStats,
        _ totals: [String: UInt64]
    ) {
        var zones = shown
        var stats = nodeStats
        stats[.slabReclaimable] = totals["slab_reclaimable"] ?? 0
        stats[.slabUnreclaimable] = totals["slab_unreclaimable"] ?? 0
        stats[.kernelMiscReclaimable] = totals["kernel_misc_reclaimable"] ?? 0
        stats[.filePages] = totals["total pagecache pages"] ?? 0
        for place in zones.indices {
            zones[place].isNodeUnreclaimable = totals["unreclaimable"] == 1
        }
        let high = totals["pages HighMem/MovableOnly"] ?? 0
        if high > 0 {
            // Zones above the request's are not shown, but counted.
            report.highestZone = .normal
            var zone = ZoneView(node: 0, type: .highMem)
            zone.present = high
            zone.free = (totals["free"] ?? 0) - zones.reduce(0) { $0 + $1.free }
            let reserved = zones.reduce(0) { $0 + $1.present - $1.managed }
            zone.managed = high - ((totals["pages reserved"] ?? 0) - reserved)
            zones.append(zone)
        }
        report.nodes = [NodeView(id: 0, stats: stats, zones: zones)]
    }

    /// The numbers of `key:12kB` and `key=12kB`; a blank may follow the colon.
    private static func pairs(_ line: String) -> [String: UInt64] {
        var pairs: [String: UInt64] = [:]
        let joined = line.split(separator: ": ").joined(separator: ":")
        for word in joined.split(separator: " ") {
            let parts = word.split { $0 == ":" || $0 == "=" }
            guard parts.count == 2 else { continue }
            pairs[String(parts[0])] = UInt64(parts[1].prefix { $0.isNumber })
        }
        return pairs
    }

    private static func setStats(of line: String, in stats: inout NodeStats) {
        let pairs = pairs(line)
        let counters: [(String, NodeCounter)] = [
            ("active_anon", .activeAnon), ("inactive_anon", .inactiveAnon),
            ("active_file", .activeFile), ("inactive_file", .inactiveFile),
            ("unevictable", .unevictable), ("isolated(anon)", .isolatedAnon),
            ("isolated(file)", .isolatedFile), ("mapped", .mapped), ("dirty", .dirty),
            ("writeback", .writeback), ("shmem", .shmem), ("pagetables", .pageTablePages),
            ("sec_pagetables", .secondaryPageTablePages),
        ]
        for (key, counter) in counters { stats[counter] = (pairs[key] ?? 0) / 4 }
        stats[.kernelStack] = pairs["kernel_stack"] ?? 0
    }

    private static func zone(_ line: String) throws -> ZoneView {
        var words = line.split(separator: " ")
        if words[0] == "Node" { words.removeFirst(2) }
        guard let type = ZoneType(name: words[0]) else { throw ProcParser.unreadable(words) }
        var zone = ZoneView(node: 0, type: type)
        let pages = pairs(line).mapValues { $0 / 4 }
        zone.free = pages["free"] ?? 0
        zone.boost = pages["boost"] ?? 0
        zone.min = pages["min"] ?? 0
        zone.low = pages["low"] ?? 0
        zone.high = pages["high"] ?? 0
        zone.highAtomicReserved = pages["reserved_highatomic"] ?? 0
        zone.present = pages["present"] ?? 0
        zone.managed = pages["managed"] ?? 0
        zone.stats[.activeAnon] = pages["active_anon"] ?? 0
        zone.stats[.inactiveAnon] = pages["inactive_anon"] ?? 0
        let count = pages["free_pcp"] ?? 0
        zone.pageSets = [
            ZoneView.PageSet(cpu: 0, count: count, high: 0, batch: 0, statThreshold: 0)
        ]
        return zone
    }

    /// `7*4kB (UM)`: of 7 blocks, at least one in each class; the split itself is not told.
    private static func freeBlocks(_ words: [Substring]) throws -> [[UInt64]] {
        var orders: [[UInt64]] = []
        for word in words {
            let parts = word.split(separator: "*")
            if parts.count == 2 {
                orders.append([try ProcParser.number(parts[0]), 0, 0, 0, 0])
            } else if word.first == "(", let last = orders.popLast() {
                let letters = word.dropFirst().dropLast()
                let places = letters.compactMap { Array("UMEHI").firstIndex(of: $0) }
                guard let first = places.first else { throw ProcParser.unreadable(words) }
                var types: [UInt64] = [0, 0, 0, 0, 0]
                for place in places { types[place] = 1 }
                types[first] += last[0] - UInt64(places.count)
                orders.append(types)
            }
        }
        return orders
    }
}
