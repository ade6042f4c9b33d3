internal import KernelHeap

extension StateView {
    /// `GET …/zones`: every zone that has memory, and the nodes' counters.
    static let zones = StateView("zones") { (kernel, _) throws(Problem) in
        let nodes = kernel.nodeViews()
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("zones", objects: nodes.flatMap(\.zones).filter(\.isPopulated)) {
                $0.zone($1)
            }
            json.member("nodes", objects: nodes) { json, node in
                json.member("node", node.id)
                json.member("counters", counts: node.stats.named)
            }
        }
        return ViewAnswer(json)
    }
}

extension CounterTable {
    /// The counters with their kernel names, in the kernel's order.
    fileprivate var named: [(String, UInt64)] { counters.map { ($0.rawValue, self[$0]) } }
}

extension JSONWriter {
    fileprivate mutating func zone(_ zone: ZoneView) {
        member("node", zone.node)
        member("name", zone.type.name)
        member("start_pfn", zone.startPFN)
        member("spanned", zone.spanned)
        member("present", zone.present)
        member("managed", zone.managed)
        member("free", zone.free)
        // The view has the boost in each mark, as the kernel prints them.
        member("watermarks") { json in
            json.member("min", zone.min - min(zone.boost, zone.min))
            json.member("low", zone.low - min(zone.boost, zone.low))
            json.member("high", zone.high - min(zone.boost, zone.high))
            json.member("boost", zone.boost)
        }
        name("lowmem_reserve")
        numbers(zone.protection)
        member("highatomic_reserved", zone.highAtomicReserved)
        member("free_blocks", objects: zone.freeBlocks.enumerated()) { json, row in
            json.member("order", row.offset)
            json.member("blocks", counts: byMigrateType(row.element))
        }
        member("pageblocks", counts: byMigrateType(zone.pageblocks))
        member("pcp", objects: zone.pageSets) { json, set in
            json.member("cpu", set.cpu)
            json.member("count", set.count)
            json.member("high", set.high)
            json.member("batch", set.batch)
            json.member("stat_threshold", set.statThreshold)
        }
        member("counters", counts: zone.stats.named)
    }
}

/// Counts that are kept by the raw value of `MigrateType`, with its names.
private func byMigrateType(_ counts: [UInt64]) -> [(String, UInt64)] {
    Array(zip(MigrateType.allCases.map(\.name), counts))
}
