internal import KernelHeap

extension StateView {
    /// `GET …/pages`: frames as runs of one state, `?pfn=&count=`; or, with `?buckets=`, how a
    /// zone or the whole machine is used, in equal columns.
    static let pages = StateView(
        "pages",
        parameters: ["pfn", "count", "buckets", "zone", "node"]
    ) { (kernel, query) throws(Problem) in
        let frames = try query.frames(of: kernel)
        guard let buckets = try query.number("buckets", in: 1...4_096) else {
            return ViewAnswer(JSONWriter.pageRuns(frames, of: kernel))
        }
        return ViewAnswer(JSONWriter.pageBuckets(frames, count: Int(buckets), of: kernel))
    }
}

extension ViewQuery {
    /// The frames that the query names.
    ///
    /// `pfn` and `count`, cut to the zone where one is named.
    fileprivate func frames(of kernel: borrowing Kernel) throws(Problem) -> Range<UInt64> {
        let end = kernel.endPFN.rawValue
        let isPicture = text("buckets") != nil
        let zone = try zone(of: kernel) ?? 0..<end
        let first = try number("pfn", default: zone.lowerBound, in: 0...max(end, 1) - 1)
        let most = isPicture ? max(end, 1) : Kernel.pageViewFrames
        let count = try number(
            "count",
            default: isPicture ? most : min(4_096, most),
            in: 1...most
        )
        let (last, overflow) = first.addingReportingOverflow(count)
        let asked = first..<(overflow ? end : last)
        return asked.clamped(to: zone)
    }

    private func zone(of kernel: borrowing Kernel) throws(Problem) -> Range<UInt64>? {
        let node = Int(
            try number("node", default: 0, in: 0...UInt64(Kernel.maximumNodes - 1))
        )
        var names: [String] = []
        for type in ZoneType.allCases where kernel.frames(of: type, node: node) != nil {
            names.append(type.name)
        }
        return try choice("zone", from: names) { name in
            ZoneType(name: name).flatMap { kernel.frames(of: $0, node: node) }
        }
    }
}

extension JSONWriter {
    fileprivate static func pageRuns(
        _ frames: Range<UInt64>,
        of kernel: borrowing Kernel
    ) -> JSONWriter {
        let (runs, next) = kernel.pageRuns(frames)
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("end_pfn", kernel.endPFN.rawValue)
            json.member("runs", objects: runs) { $0.pageRun($1) }
            json.member("next_pfn", orNull: next?.rawValue)
        }
        return json
    }

    fileprivate static func pageBuckets(
        _ frames: Range<UInt64>,
        count: Int,
        of kernel: borrowing Kernel
    ) -> JSONWriter {
        let (buckets, next) = kernel.pageBuckets(frames, count: count)
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("end_pfn", kernel.endPFN.rawValue)
            json.member("buckets", objects: buckets) { json, bucket in
                json.member("pfn", bucket.start.rawValue)
                json.member("pages", bucket.pageCount)
                json.member("free", bucket.free)
                json.member("per_cpu", bucket.perCPU)
                json.member("allocated", bucket.allocated)
                json.member("slab", bucket.slab)
                json.member("reserved", bucket.reserved)
                json.member("hole", bucket.hole)
            }
            json.member("next_pfn", orNull: next?.rawValue)
        }
        return json
    }

    private mutating func pageRun(_ run: PageRunView) {
        member("pfn", run.start.rawValue)
        member("pages", run.pageCount)
        if let zone = run.zone { member("zone", zone.name) }
        if let node = run.node { member("node", node) }
        switch run.state {
        case .hole: member("state", "hole")
        case .reserved: member("state", "reserved")
        case .untouched(let order): freeBlock("free", order, .movable, isUntouched: true)
        case .free(let order, let type): freeBlock("free", order, type, isUntouched: false)
        case .perCPU(let order, let type): freeBlock("per_cpu", order, type)
        case .allocated(let block):
            member("state", "allocated")
            member("order", block.order)
            member("references", block.references)
            member("migratetype", block.migrateType.name)
            member("compound", block.isCompound)
            member("lru", block.isOnLRU)
            if let user = block.user {
                member("content", user.content.rawValue)
                member("list", user.list.name)
            }
        case .slab(let slab):
            member("state", "slab")
            member("order", slab.order)
            member("cache", slab.cache)
            member("objects", slab.objects)
            member("objects_in_use", slab.objectsInUse)
            member("frozen", slab.isFrozen)
        }
    }

    private mutating func freeBlock(
        _ state: String,
        _ order: Int,
        _ type: MigrateType,
        isUntouched: Bool? = nil
    ) {
        member("state", state)
        member("order", order)
        member("migratetype", type.name)
        if let isUntouched { member("untouched", isUntouched) }
    }
}
