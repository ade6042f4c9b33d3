public import KernelHeap

extension ProcParser {
    /// Nodes and zones of `/proc/zoneinfo`, empty zones included.
    public static func zoneInfo(_ text: String) throws -> [NodeView] {
        let lines = lines(text)
        var names: Set<String> = []
        for line in lines where line.count == 2 { names.insert(String(line[0])) }
        var reader = ZoneInfoReader(names: names)
        for line in lines { try reader.take(line) }
        return nodes(of: reader.zones, stats: reader.nodeStats)
    }
}

/// Takes the lines of one file.
private struct ZoneInfoReader {
    let names: Set<String>
    var zones: [ZoneView] = []
    var nodeStats: [Int: NodeStats] = [:]

    mutating func take(_ line: [Substring]) throws {
        if line.first == "Node" {
            zones.append(try ProcParser.zone(opening: line))
            zones[zones.count - 1].stats = ZoneStats { names.contains($0.rawValue) }
            return
        }
        guard var zone = zones.popLast() else { throw ProcParser.unreadable(line) }
        try take(line, into: &zone)
        zones.append(zone)
    }

    private mutating func take(_ line: [Substring], into zone: inout ZoneView) throws {
        let key = String(line[0])
        if line.count == 1 || key == "per-node" { return }
        if key == "protection:" {
            zone.protection = try line.dropFirst().map { word in
                try ProcParser.number(word.filter { $0 != "(" && $0 != ")" && $0 != "," })
            }
            return
        }
        guard let last = line.last else { return }
        let value = try ProcParser.number(last)
        if let counter = NodeCounter(rawValue: key) {
            nodeStats[zone.node, default: NodeStats { names.contains($0.rawValue) }][counter] =
                value
        } else if let counter = ZoneCounter(rawValue: key) {
            zone.stats[counter] = value
        } else if !takePageSet(key, value, into: &zone) {
            guard takeSize(key, value, into: &zone) else { throw ProcParser.unreadable(line) }
        }
    }

    private func takeSize(_ key: String, _ value: UInt64, into zone: inout ZoneView) -> Bool {
        switch key {
        case "pages": zone.free = value
        case "boost": zone.boost = value
        case "min": zone.min = value
        case "low": zone.low = value
        case "high": zone.high = value
        case "spanned": zone.spanned = value
        case "present": zone.present = value
        case "managed": zone.managed = value
        case "cma": zone.cma = value
        case "start_pfn:": zone.startPFN = value
        case "node_unreclaimable:": zone.isNodeUnreclaimable = value != 0
        default: return false
        }
        return true
    }

    private func takePageSet(_ key: String, _ value: UInt64, into zone: inout ZoneView) -> Bool {
        let last = zone.pageSets.count - 1
        switch key {
        case "cpu:":
            zone.pageSets.append(
                ZoneView.PageSet(cpu: Int(value), count: 0, high: 0, batch: 0, statThreshold: 0)
            )
        case "count:" where last >= 0: zone.pageSets[last].count = value
        case "high:" where last >= 0: zone.pageSets[last].high = value
        case "batch:" where last >= 0: zone.pageSets[last].batch = value
        case "vm" where last >= 0: zone.pageSets[last].statThreshold = Int(value)
        default: return false
        }
        return true
    }
}

extension ProcParser {
    /// `/proc/vmstat`.
    public static func vmStat(_ text: String) throws -> VMStatView {
        var view = VMStatView(nodes: [])
        for line in lines(text) {
            guard let name = line.first, line.count == 2 else { throw unreadable(line) }
            let value = try number(line[1])
            if let counter = ZoneCounter(rawValue: String(name)) {
                view.zones[counter] = value
            } else if let counter = NodeCounter(rawValue: String(name)) {
                view.nodes[counter] = value
            } else if let counter = VMEventCounter(rawValue: String(name)) {
                view.events[counter] = value
            } else if name == "nr_dirty_threshold" {
                view.dirtyThreshold = value
            } else if name == "nr_dirty_background_threshold" {
                view.dirtyBackgroundThreshold = value
            } else if name != "nr_unstable" {
                throw unreadable(line)
            }
        }
        return view
    }
}
