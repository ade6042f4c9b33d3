internal import KernelHeap

/// Writes the resolved description of a machine, as `MachineReader` reads it.
extension JSONWriter {
    mutating func machine(_ machine: MachineDescription) {
        raw("{\"profile\":")
        string(machine.profile)
        raw(",\"memory\":")
        number(machine.memoryBytes)
        if machine.pae { raw(",\"pae\":true") }
        if let limit = machine.kmallocLimit {
            raw(",\"kmalloc_limit\":")
            number(limit)
        }
        raw(",\"cpus\":")
        number(machine.cpus)
        raw(",\"nodes\":")
        number(machine.nodes)
        raw(",\"seed\":")
        number(machine.seed)
        raw(",\"boot_options\":")
        string(machine.bootOptions)
        raw(",\"swap\":")
        number(machine.swapBytes)
        raw(",\"object_history\":")
        number(machine.rememberedEvents)
        if machine.kasan { raw(",\"kasan\":true") }
        if let map = machine.memoryMap {
            raw(",\"memory_map\":")
            list(map) { (json, region) in
                json.range(region.start, region.last)
                json.raw(",\"type\":")
                json.string(region.kind.rawValue)
                json.raw("}")
            }
        }
        if let reserved = machine.reserved {
            raw(",\"reserved\":")
            list(reserved) { (json, range) in
                json.range(range.start, range.last)
                json.raw("}")
            }
        }
        if let zones = machine.zones {
            raw(",\"zones\":")
            list(zones) { (json, zone) in json.zone(zone) }
        }
        raw("}")
    }

    /// The beginning of an object that says from which byte to which a range lies.
    private mutating func range(_ start: UInt64, _ last: UInt64) {
        raw("{\"start\":")
        address(start)
        raw(",\"end\":")
        address(last)
    }

    /// A JSON array of whatever `body` writes for each element.
    mutating func list<Element>(
        _ elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        raw("[")
        var isFirst = true
        for element in elements {
            if !isFirst { raw(",") }
            isFirst = false
            body(&self, element)
        }
        raw("]")
    }

    private mutating func zone(_ zone: ZoneDescription) {
        raw("{\"node\":")
        number(zone.node)
        raw(",\"name\":")
        string(zone.name.name)
        raw(",\"start_pfn\":")
        number(zone.startPFN)
        raw(",\"spanned\":")
        number(zone.spanned)
        raw(",\"present\":")
        number(zone.present)
        raw(",\"managed\":")
        number(zone.managed)
        if let marks = zone.watermarks {
            raw(",\"watermarks\":{\"min\":")
            number(marks.min)
            raw(",\"low\":")
            number(marks.low)
            raw(",\"high\":")
            number(marks.high)
            raw(",\"boost\":")
            number(marks.boost)
            raw("}")
        }
        if let reserve = zone.lowmemReserve {
            raw(",\"lowmem_reserve\":")
            numbers(reserve)
        }
        lists(of: zone)
        raw("}")
    }

    private mutating func lists(of zone: ZoneDescription) {
        if let blocks = zone.pageblocks {
            raw(",\"pageblocks\":")
            list(blocks) { (json, run) in
                json.raw("{\"start_pfn\":")
                json.number(run.startPFN)
                json.raw(",\"count\":")
                json.number(run.count)
                json.raw(",\"migratetype\":")
                json.string(run.migrateType.name)
                json.raw(",\"lru_pages\":")
                json.number(run.lruPages)
                json.raw("}")
            }
        }
        if let freeLists = zone.freeLists {
            raw(",\"free_lists\":")
            list(freeLists) { (json, freeList) in
                json.raw("{\"order\":")
                json.number(freeList.order)
                json.raw(",\"migratetype\":")
                json.string(freeList.migrateType.name)
                json.raw(",\"pfns\":")
                json.numbers(freeList.pfns)
                json.raw("}")
            }
        }
        if let pcp = zone.pcp {
            raw(",\"pcp\":")
            list(pcp) { (json, pages) in json.perCPUPages(pages) }
        }
    }

    private mutating func perCPUPages(_ pages: PerCPUPagesDescription) {
        raw("{\"cpu\":")
        number(pages.cpu)
        if let batch = pages.batch {
            raw(",\"batch\":")
            number(batch)
        }
        if let high = pages.high {
            raw(",\"high\":")
            number(high)
        }
        raw(",\"free_factor\":")
        number(pages.freeFactor)
        if !pages.lists.isEmpty {
            raw(",\"lists\":")
            list(pages.lists) { (json, list) in
                json.raw("{\"index\":")
                json.number(list.index)
                json.raw(",\"pfns\":")
                json.numbers(list.pfns)
                json.raw("}")
            }
        }
        raw("}")
    }

    mutating func numbers(_ values: [UInt64]) {
        list(values) { (json, value) in json.number(value) }
    }
}
