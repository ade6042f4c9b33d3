internal import KernelHeap

/// `GET …/allocations?group_by=…`: outstanding memory by what it has in common.
enum AllocationGroupsView {
    /// Fields that make sense with `group_by` only.
    static let parameters = [
        "sort", "top", "since", "function", "kind", "min_size", "max_size", "min_age",
    ]

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
            for name in parameters where query.text(name) != nil {
                throw Problem(.invalidValue, "\(name) needs group_by", at: "/" + name)
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
        let least = try query.word("min_size") ?? 0
        let most = try query.word("max_size") ?? UInt64.max
        guard least <= most else {
            throw Problem(.outOfRange, "max_size is below min_size", at: "/max_size")
        }
        filter.sizes = least...most
        filter.minimumAge = try query.word("min_age") ?? 0
        return filter
    }
}

extension JSONWriter {
    fileprivate mutating func group(_ group: AllocationGroup) {
        member("count", group.count)
        member("bytes", group.bytes)
        member("oldest_call", orNull: group.oldestCall)
        member("newest_call", orNull: group.newestCall)
        member("oldest_age", orNull: group.oldestAge)
    }
}
