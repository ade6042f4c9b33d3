internal import KernelHeap

/// `GET …/allocations?group_by=…`: outstanding memory by what it has in common; and
/// `GET …/allocations?sort=…`: the largest or oldest of it.
enum AllocationGroupsView {
    /// Fields that make the answer go through all that callers hold.
    private static let filters = [
        "sort", "since", "function", "kind", "zone", "min_size", "max_size", "min_age", "max_age",
    ]
    static let parameters = ["top"] + filters

    /// Whether the answer costs what the machine holds.
    static func goesThroughAll(_ query: ViewQuery) -> Bool {
        (["group_by"] + filters).contains { query.text($0) != nil }
    }

    /// The answer, where the query asks for groups.
    ///
    /// - Throws: `invalid-value` for a field of groups without `group_by`, or of lists with it.
    static func answer(
        _ kernel: borrowing Kernel,
        _ query: ViewQuery
    ) throws(Problem) -> ViewAnswer? {
        let keys = AllocationGroup.Key.allCases.map(\.rawValue)
        guard
            let key = try query.choice(
                "group_by",
                from: keys,
                { AllocationGroup.Key(rawValue: $0) }
            )
        else {
            if query.text("top") != nil {
                throw Problem(.invalidValue, "top needs group_by; lists have limit", at: "/top")
            }
            return nil
        }
        for name in ["cursor", "limit"] where query.text(name) != nil {
            throw Problem(.invalidValue, "groups have no \(name), but top", at: "/" + name)
        }
        let orders = AllocationGroup.Order.allCases.map(\.rawValue)
        let order =
            try query.choice("sort", from: orders) { AllocationGroup.Order(rawValue: $0) } ?? .bytes
        let top = Int(try query.number("top", default: 20, in: 1...10_000))
        let groups = kernel.allocationGroups(try filter(kernel, query), by: key, order: order)
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("group_by", key.rawValue)
            json.member("total") { json in
                json.member("groups", groups.count)
                json.member("count", groups.reduce(0) { $0 &+ $1.count })
                json.member("bytes", groups.reduce(0) { $0 &+ $1.bytes })
            }
            let shown = groups.prefix(top).map { group in
                (group, group.oldestCall.flatMap { kernel.function(ofCall: $0) })
            }
            let flags = kernel.profile.gfp
            json.member("groups", objects: shown) { json, row in
                json.fact(Fact(key.rawValue, row.0.key), flags)
                if key == .call { json.member("function", orNull: row.1) }
                json.group(row.0)
            }
        }
        return ViewAnswer(json)
    }

    /// The answer, where the query has a filter or an order but no `group_by`.
    ///
    /// - Throws: `invalid-value` for a cursor, which such a list has not.
    static func sortedList(
        _ kernel: borrowing Kernel,
        _ query: ViewQuery
    ) throws(Problem) -> ViewAnswer? {
        guard goesThroughAll(query) else { return nil }
        guard query.text("cursor") == nil else {
            throw Problem(.invalidValue, "a list with a filter has no cursor", at: "/cursor")
        }
        let limit = Int(try query.number("limit", default: 100, in: 1...10_000))
        let orders = AllocationOrder.allCases.map(\.rawValue)
        let order = try query.choice("sort", from: orders) { AllocationOrder(rawValue: $0) }
        let top = kernel.topAllocations(
            try filter(kernel, query),
            by: order ?? .size,
            limit: limit
        )
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("sort", (order ?? .size).rawValue)
            json.member("total") { json in
                json.member("count", top.count)
                json.member("bytes", top.bytes)
            }
            let rows = top.found.map { allocation in
                (
                    allocation, allocation.call.flatMap { kernel.function(ofCall: $0) },
                    allocation.pfn.flatMap { kernel.zoneType(of: PFN(rawValue: $0)) }
                )
            }
            let sequence = kernel.sequence
            json.member("allocations", objects: rows) { json, row in
                json.outstanding(row.0, zone: row.2?.name)
                json.member("function", orNull: row.1)
                json.member("age", orNull: row.0.call.map { sequence - min($0, sequence) })
            }
        }
        return ViewAnswer(json)
    }

    private static func filter(
        _ kernel: borrowing Kernel,
        _ query: ViewQuery
    ) throws(Problem) -> AllocationFilter {
        var filter = AllocationFilter()
        filter.since = try query.number("since", default: 0, in: 0...kernel.sequence)
        filter.cache = try query.choice("cache", from: kernel.cacheNames) { name in
            kernel.cache(named: name) == nil ? nil : name
        }
        filter.function = query.text("function")
        let kinds = ["object", "pages", "area"]
        filter.kind = try query.choice("kind", from: kinds) {
            OutstandingAllocation.Kind(rawValue: $0)
        }
        filter.zone = try query.zoneType(of: kernel)
        filter.sizes = try query.range("min_size", "max_size")
        filter.ages = try query.range("min_age", "max_age")
        return filter
    }
}

extension JSONWriter {
    fileprivate mutating func outstanding(_ allocation: OutstandingAllocation, zone: String?) {
        member("kind", allocation.kindName)
        member("address", address: allocation.address)
        member("size", allocation.size)
        member("cache", orNull: allocation.cache)
        member("pfn", orNull: allocation.pfn)
        member("zone", orNull: zone)
        member("call", orNull: allocation.call)
    }

    fileprivate mutating func group(_ group: AllocationGroup) {
        member("count", group.count)
        member("bytes", group.bytes)
        member("oldest_call", orNull: group.oldestCall)
        member("newest_call", orNull: group.newestCall)
        member("oldest_age", orNull: group.oldestAge)
    }
}
