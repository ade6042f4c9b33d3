internal import KernelHeap

extension StateView {
    /// `GET …/vmalloc`: areas in order of address, what is free among them, and totals.
    static let vmalloc = StateView(
        "vmalloc",
        parameters: ["cursor", "limit"]
    ) { (kernel, query) throws(Problem) in
        let limit = Int(try query.number("limit", default: 100, in: 1...10_000))
        let start = LinearAddress(rawValue: try query.word("cursor") ?? 0)
        let view = kernel.vmallocView(from: start, limit: limit)
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.totals(of: view)
            json.member("deferred_frees", objects: view.deferredFrees) { json, address in
                json.member("address", address: address.rawValue)
            }
            let named = view.areas.map { area in
                (area, area.call.flatMap { kernel.function(ofCall: $0) })
            }
            json.member("areas", objects: named) { $0.area($1.0, function: $1.1) }
            json.member("holes", objects: view.holes) { $0.range($1) }
            json.member("lazy", objects: view.lazy) { $0.range($1) }
            json.member("next_cursor", addressOrNull: view.next?.rawValue)
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func totals(of view: VmallocView) {
        member("start", address: view.start.rawValue)
        member("end", address: view.end.rawValue)
        member("total_bytes", view.totalBytes)
        member("used_pages", view.usedPages)
        member("area_count", view.areaCount)
        member("largest_hole", view.largestHole)
        member("lazy_count", view.lazyCount)
        member("lazy_pages", view.lazyPages)
        member("lazy_maximum", view.lazyMaximum)
        member("purge_pending", view.isPurgePending)
    }

    fileprivate mutating func area(_ area: VmallocAreaView, function: String?) {
        member("start", address: area.start.rawValue)
        member("size", area.size)
        member("guard_bytes", area.guardBytes)
        member("kind", area.kindText)
        member("flags", address: UInt64(area.flags))
        member("pages", area.pageCount)
        member("page_order", area.pageOrder)
        member("physical", addressOrNull: area.physical?.rawValue)
        member("maker", area.maker)
        member("call", orNull: area.call)
        member("function", orNull: function)
    }

    fileprivate mutating func range(_ range: VmallocView.Range) {
        member("start", address: range.start.rawValue)
        member("size", range.size)
    }
}
