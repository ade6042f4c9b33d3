internal import KernelHeap

extension StateView {
    /// `GET …/page_owner`: who allocated each block of pages; with `pfn`, all owners of one page.
    static let pageOwner = StateView(
        "page_owner",
        parameters: ["pfn", "cursor", "limit", "sort"] + filterParameters,
        isLong: { (kernel, query) in query.text("pfn") == nil && kernel.heldBytes > 1 << 20 }
    ) { (kernel, query) throws(Problem) in
        if let answer = try onePage(kernel, query) { return answer }
        let filter = try pageOwnerFilter(kernel, query)
        let limit = Int(try query.number("limit", default: 100, in: 1...10_000))
        let cursor = try query.word("cursor")
        let orders = PageOwnerOrder.allCases.map(\.rawValue)
        let order = try query.choice("sort", from: orders) { PageOwnerOrder(rawValue: $0) }
        guard order == nil || cursor == nil else {
            throw Problem(.invalidValue, "a sorted list has no cursor", at: "/cursor")
        }
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("page_owner", kernel.tracksPageOwners)
            var next: UInt64?
            let found: [PageOwnerView]
            if let order {
                let top = kernel.topPageOwners(matching: filter, by: order, limit: limit)
                found = top.found
                json.member("total") { json in
                    json.member("blocks", top.blocks)
                    json.member("bytes", top.bytes)
                }
            } else {
                (found, next) = kernel.pageOwners(
                    matching: filter,
                    from: cursor ?? 0,
                    limit: limit
                )
            }
            json.owners("blocks", found, kernel)
            json.member("next_cursor", orNull: next.map { String($0) })
        }
        return ViewAnswer(json)
    }

    private static let filterParameters = [
        "state", "min_size", "max_size", "zone", "migratetype", "function", "call", "pid",
        "min_age",
        "max_age",
    ]

    /// The owners of the page that the query names.
    private static func onePage(
        _ kernel: borrowing Kernel,
        _ query: ViewQuery
    ) throws(Problem) -> ViewAnswer? {
        let end = max(kernel.endPFN.rawValue, 1)
        guard let pfn = try query.number("pfn", in: 0...end - 1) else { return nil }
        for name in ["cursor", "limit", "sort"] + filterParameters where query.text(name) != nil {
            throw Problem(.invalidValue, "one page has no \(name)", at: "/" + name)
        }
        let history = kernel.pageOwners(of: PFN(rawValue: pfn))
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("page_owner", kernel.tracksPageOwners)
            json.member("pfn", pfn)
            json.name("owner")
            if let owner = history.owner {
                json.object { $0.owner(owner, kernel.profile.gfp, kernel.sequence) }
            } else {
                json.raw("null")
            }
            json.owners("earlier", history.earlier, kernel)
            let count = history.owner?.earlierCount ?? 0
            json.member("dropped", count - min(UInt64(history.earlier.count), count))
        }
        return ViewAnswer(json)
    }

    private static func pageOwnerFilter(
        _ kernel: borrowing Kernel,
        _ query: ViewQuery
    ) throws(Problem) -> PageOwnerFilter {
        var filter = PageOwnerFilter()
        filter.isAllocated =
            try query.choice("state", from: ["allocated", "freed"]) {
                ["allocated": true, "freed": false][$0]
            } ?? true
        filter.sizes = try query.range("min_size", "max_size")
        filter.ages = try query.range("min_age", "max_age")
        filter.zone = try query.zoneType(of: kernel)
        let types = MigrateType.allCases.map(\.name)
        filter.migrateType = try query.choice("migratetype", from: types) { MigrateType(name: $0) }
        filter.function = query.text("function")
        filter.call = try query.word("call")
        filter.pid = try query.word("pid")
        return filter
    }
}

extension ViewQuery {
    /// A range of numbers whose ends are fields of their own; everything where they are absent.
    ///
    /// - Throws: `out-of-range` where the range ends before it begins.
    func range(_ first: String, _ last: String) throws(Problem) -> ClosedRange<UInt64> {
        let least = try word(first) ?? 0
        let most = try word(last) ?? UInt64.max
        guard least <= most else {
            throw Problem(.outOfRange, "\(last) is below \(first)", at: "/" + last)
        }
        return least...most
    }

    /// The kind of zone that the query names, of those that the machine has.
    ///
    /// - Throws: `unknown-name` with the nearest of them.
    func zoneType(of kernel: borrowing Kernel) throws(Problem) -> ZoneType? {
        var names: [String] = []
        for type in ZoneType.allCases {
            for node in 0..<Kernel.maximumNodes where kernel.frames(of: type, node: node) != nil {
                if !names.contains(type.name) { names.append(type.name) }
            }
        }
        return try choice("zone", from: names) { [names] name in
            names.contains(name) ? ZoneType(name: name) : nil
        }
    }
}

extension JSONWriter {
    fileprivate mutating func owners(
        _ name: StaticString,
        _ owners: [PageOwnerView],
        _ kernel: borrowing Kernel
    ) {
        let (table, sequence) = (kernel.profile.gfp, kernel.sequence)
        member(name, objects: owners) { json, owner in json.owner(owner, table, sequence) }
    }

    fileprivate mutating func owner(_ owner: PageOwnerView, _ table: GFPTable, _ sequence: UInt64) {
        member("pfn", owner.pfn.rawValue)
        member("order", owner.order)
        member("size", owner.size)
        member("zone", owner.zone.name)
        member("node", owner.node)
        member("migratetype", owner.migrateType.name)
        member("pageblock", owner.blockType.name)
        name("gfp_mask")
        gfp(owner.flags, table)
        member("pid", owner.pid)
        member("comm", owner.command)
        member("state", owner.isAllocated ? "allocated" : "freed")
        member("allocated") { $0.moment(owner.allocation) }
        member("age", sequence - min(owner.allocation.call ?? 0, sequence))
        name("freed")
        if let release = owner.release { object { $0.moment(release) } } else { raw("null") }
        member("migrated", orNull: owner.isMigrated ? "compaction" : nil)
        member("earlier_owners", owner.earlierCount)
    }

    private mutating func moment(_ moment: PageMoment) {
        member("call", orNull: moment.call)
        member("function", orNull: moment.function)
        member("ts_nsec", moment.nanoseconds)
    }
}
