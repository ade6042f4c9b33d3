internal import KernelHeap

/// Reads the description of a machine; unknown fields are refused, what is left out has its
/// default.
struct MachineReader {
    let maximumMemoryBytes: UInt64

    /// The machine of `value`.
    ///
    /// - Throws: a `Problem` with the pointer of what is wrong. Whether the whole makes sense is
    ///   the engine's to say when it boots.
    func read(_ value: JSONValue) throws(Problem) -> MachineDescription {
        var machine = MachineDescription()
        var object = try ObjectReader(value, "a machine")
        if let profile = try object.optional("profile") {
            machine.profile = try readProfile(profile)
        }
        if let memory = try object.optional("memory") {
            machine.memoryBytes = try bounded(memory)
        }
        if let pae = try object.optional("pae") {
            machine.pae = try ArgumentDecoder.boolean(.json(pae))
        }
        if let limit = try object.optional("kmalloc_limit") {
            machine.kmallocLimit = try limit.byteCount()
        }
        try object.number("cpus", &machine.cpus)
        try object.number("nodes", &machine.nodes)
        try object.number("seed", &machine.seed)
        if let history = try object.optional("object_history") {
            machine.objectHistory = try ArgumentDecoder.number(.json(history), below: 1 << 31)
        }
        if let kasan = try object.optional("kasan") {
            machine.kasan = try ArgumentDecoder.boolean(.json(kasan))
        }
        try object.text("boot_options", &machine.bootOptions, limit: 4_096)
        if let swap = try object.optional("swap") { machine.swapBytes = try bounded(swap) }
        if let zones = try object.optional("zones") {
            machine.zones = try readZones(zones)
        }
        try readMemoryMap(&object, into: &machine)
        try object.finish()
        return machine
    }

    private func readProfile(_ value: JSONValue) throws(Problem) -> String {
        let name = try value.string(limit: 64)
        guard MachineProfile.named(name) != nil else {
            throw Problem(.unknownName, "no profile \"\(name)\"", at: value)
                .suggesting(value.text, from: MachineProfile.all.map(\.name))
        }
        return name
    }

    private func bounded(_ value: JSONValue) throws(Problem) -> UInt64 {
        let bytes = try value.byteCount()
        guard bytes <= maximumMemoryBytes else {
            throw Problem(
                .outOfRange,
                "\(value.shown) is more than this service allows: \(maximumMemoryBytes) bytes",
                at: value
            )
        }
        return bytes
    }

    /// Zones together span no more than the memory that the service allows.
    private func readZones(_ value: JSONValue) throws(Problem) -> [ZoneDescription] {
        var list: [ZoneDescription] = []
        var frames: UInt64 = 0
        for element in try value.elements() {
            let zone = try readZone(element)
            let (sum, overflow) = frames.addingReportingOverflow(zone.spanned)
            guard !overflow, sum <= maximumMemoryBytes >> 12 else {
                throw Problem(
                    .outOfRange,
                    "zones span more than this service allows: \(maximumMemoryBytes) bytes",
                    at: element
                )
            }
            frames = sum
            list.append(zone)
        }
        return list
    }

    private func readZone(_ value: JSONValue) throws(Problem) -> ZoneDescription {
        var zone = ZoneDescription()
        var object = try ObjectReader(value, "a zone")
        try object.number("node", &zone.node)
        if let name = try object.optional("name") {
            guard let type = ZoneType(name: try name.string(limit: 16)) else {
                throw Problem(.unknownName, "no zone \(name.shown)", at: name)
                    .suggesting(name.text, from: ZoneType.allCases.map(\.name))
            }
            zone.name = type
        }
        try object.number("start_pfn", &zone.startPFN)
        try object.number("spanned", &zone.spanned)
        try object.number("present", &zone.present)
        try object.number("managed", &zone.managed)
        if let marks = try object.optional("watermarks") {
            zone.watermarks = try readWatermarks(marks)
        }
        if let reserve = try object.optional("lowmem_reserve") {
            zone.lowmemReserve = try reserve.wholeNumbers()
        }
        if let blocks = try object.optional("pageblocks") {
            var list: [PageblockRun] = []
            for block in try blocks.elements() { list.append(try readPageblocks(block)) }
            zone.pageblocks = list
        }
        if let lists = try object.optional("free_lists") {
            var list: [FreeListDescription] = []
            for freeList in try lists.elements() { list.append(try readFreeList(freeList)) }
            zone.freeLists = list
        }
        if let pcp = try object.optional("pcp") {
            var list: [PerCPUPagesDescription] = []
            for pages in try pcp.elements() { list.append(try readPerCPUPages(pages)) }
            zone.pcp = list
        }
        try object.finish()
        return zone
    }

    private func readWatermarks(_ value: JSONValue) throws(Problem) -> WatermarksDescription {
        var marks = WatermarksDescription(min: 0, low: 0, high: 0)
        var object = try ObjectReader(value, "watermarks")
        try object.number("min", &marks.min)
        try object.number("low", &marks.low)
        try object.number("high", &marks.high)
        try object.number("boost", &marks.boost)
        try object.finish()
        return marks
    }

    private func readPageblocks(_ value: JSONValue) throws(Problem) -> PageblockRun {
        var run = PageblockRun(startPFN: 0, count: 1, migrateType: .movable)
        var object = try ObjectReader(value, "a run of pageblocks")
        try object.number("start_pfn", &run.startPFN)
        try object.number("count", &run.count)
        if let type = try object.optional("migratetype") {
            run.migrateType = try readMigrateType(type)
        }
        try object.number("lru_pages", &run.lruPages)
        try object.finish()
        return run
    }

    private func readFreeList(_ value: JSONValue) throws(Problem) -> FreeListDescription {
        var list = FreeListDescription(order: 0, migrateType: .movable, pfns: [])
        var object = try ObjectReader(value, "a free list")
        try object.number("order", &list.order)
        if let type = try object.optional("migratetype") {
            list.migrateType = try readMigrateType(type)
        }
        if let pfns = try object.optional("pfns") { list.pfns = try pfns.wholeNumbers() }
        try object.finish()
        return list
    }

    private func readMigrateType(_ value: JSONValue) throws(Problem) -> MigrateType {
        guard let type = MigrateType(name: try value.string(limit: 32)) else {
            throw Problem(.unknownName, "no migratetype \(value.shown)", at: value)
                .suggesting(value.text, from: MigrateType.allCases.map(\.name))
        }
        return type
    }

    private func readPerCPUPages(_ value: JSONValue) throws(Problem) -> PerCPUPagesDescription {
        var pages = PerCPUPagesDescription(cpu: 0)
        var object = try ObjectReader(value, "per-CPU pages")
        try object.number("cpu", &pages.cpu)
        if let batch = try object.optional("batch") { pages.batch = try batch.wholeNumber() }
        if let high = try object.optional("high") { pages.high = try high.wholeNumber() }
        try object.number("free_factor", &pages.freeFactor)
        if let lists = try object.optional("lists") {
            for element in try lists.elements() {
                var list = PerCPUPagesDescription.List(index: 0, pfns: [])
                var inner = try ObjectReader(element, "a per-CPU list")
                try inner.number("index", &list.index)
                if let pfns = try inner.optional("pfns") { list.pfns = try pfns.wholeNumbers() }
                try inner.finish()
                pages.lists.append(list)
            }
        }
        try object.finish()
        return pages
    }
}
