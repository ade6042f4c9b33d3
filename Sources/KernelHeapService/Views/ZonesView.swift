internal import KernelHeap

extension StateView {
    /// `GET …/zones`: the zones that have memory, node by node, with their free blocks.
    static let zones = StateView(name: "zones") { (kernel, _, json) in
        json.raw("{\"seq\":")
        json.number(kernel.sequence)
        json.raw(",\"zones\":")
        json.list(kernel.zoneViews()) { (json, zone) in json.zone(zone) }
        json.raw("}")
    }
}

extension JSONWriter {
    fileprivate mutating func zone(_ zone: ZoneView) {
        raw("{\"node\":")
        number(zone.node)
        raw(",\"name\":")
        string(zone.type.name)
        field("start_pfn", zone.startPFN)
        field("spanned", zone.spanned)
        field("present", zone.present)
        field("managed", zone.managed)
        field("free", zone.free)
        raw(",\"watermarks\":{\"min\":")
        number(zone.min)
        field("low", zone.low)
        field("high", zone.high)
        field("boost", zone.boost)
        raw("},\"lowmem_reserve\":")
        numbers(zone.protection)
        field("highatomic_reserved", zone.highAtomicReserved)
        raw(",\"counters\":{")
        var isFirst = true
        for counter in zone.stats.counters {
            if !isFirst { raw(",") }
            isFirst = false
            string(counter.rawValue)
            raw(":")
            number(zone.stats[counter])
        }
        raw("},\"free_blocks\":")
        freeBlocks(zone.freeBlocks)
        raw(",\"pageblocks\":")
        migrateTypes(zone.pageblocks)
        raw(",\"pcp\":")
        list(zone.pageSets) { (json, set) in
            json.raw("{\"cpu\":")
            json.number(set.cpu)
            json.field("count", set.count)
            json.field("high", set.high)
            json.field("batch", set.batch)
            json.raw("}")
        }
        raw("}")
    }

    /// One object for each order: `{"order":0,"Unmovable":3,…}`.
    private mutating func freeBlocks(_ orders: [[UInt64]]) {
        list(orders.enumerated()) { (json, row) in
            json.raw("{\"order\":")
            json.number(row.offset)
            json.raw(",\"blocks\":")
            json.migrateTypes(row.element)
            json.raw("}")
        }
    }

    /// Amounts by the names of the mobility classes.
    private mutating func migrateTypes(_ amounts: [UInt64]) {
        raw("{")
        var isFirst = true
        for type in MigrateType.allCases where Int(type.rawValue) < amounts.count {
            if !isFirst { raw(",") }
            isFirst = false
            string(type.name)
            raw(":")
            number(amounts[Int(type.rawValue)])
        }
        raw("}")
    }
}

extension JSONWriter {
    /// A member behind others.
    mutating func field(_ name: StaticString, _ value: some FixedWidthInteger) {
        raw(",\"")
        raw(name)
        raw("\":")
        number(value)
    }
}
