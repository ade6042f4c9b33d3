internal import KernelHeap

extension StateView {
    /// `GET …/allocations`: what callers hold, a part at a time; the first part has the totals.
    ///
    /// With `group_by` it is groups instead, with a filter or `sort` the first of all that pass; both
    /// without what the kernel holds for itself.
    static let allocations = StateView(
        "allocations",
        parameters: ["cursor", "limit", "cache", "group_by"] + AllocationGroupsView.parameters,
        isLong: { (kernel, query) in
            AllocationGroupsView.goesThroughAll(query) && kernel.heldBytes > 1 << 20
        }
    ) { (kernel, query) throws(Problem) in
        if let groups = try AllocationGroupsView.answer(kernel, query) { return groups }
        if let list = try AllocationGroupsView.sortedList(kernel, query) { return list }
        let limit = Int(try query.number("limit", default: 100, in: 1...10_000))
        let cursor = try query.word("cursor")
        let cache = try query.choice("cache", from: kernel.cacheNames) { name in
            kernel.cache(named: name)
        }
        let (found, next) = kernel.allocations(from: cursor ?? 0, limit: limit, cache: cache)
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            if cursor == nil {
                json.member("totals") { json in
                    json.member("caches", objects: kernel.allocationTotals()) { json, total in
                        json.member("cache", total.cache)
                        json.member("objects", total.objects)
                        json.member("bytes", total.bytes)
                    }
                    json.member("pages", kernel.allocatedPages())
                }
            }
            let named = found.map { allocation in
                (allocation, allocation.call.flatMap { kernel.function(ofCall: $0) })
            }
            json.member("allocations", objects: named) { json, row in
                json.allocation(row.0)
                json.member("function", orNull: row.1)
            }
            json.name("next_cursor")
            if let next { json.string(String(next)) } else { json.raw("null") }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func allocation(_ allocation: AllocationView) {
        member("address", address: allocation.address.rawValue)
        switch allocation.kind {
        case .object(let cache, let index, let slab, let requested):
            member("kind", "object")
            member("cache", cache)
            member("requested", orNull: requested)
            member("allocated", allocation.allocated)
            member("slab", slab.rawValue)
            member("index", index)
        case .pages(let order, let references, let isOnLRU):
            member("kind", "pages")
            member("order", order)
            member("allocated", allocation.allocated)
            member("references", references)
            member("lru", isOnLRU)
        }
        member("pfn", allocation.pfn.rawValue)
        member("zone", allocation.zone.name)
        member("node", allocation.node)
        member("call", orNull: allocation.call)
    }
}
