internal import KernelHeap

extension StateView {
    /// `GET …/leaks`: objects that no pointer leads to, as the last scan reported them.
    static let leaks = StateView(
        "leaks",
        parameters: ["cursor", "limit"]
    ) { (kernel, query) throws(Problem) in
        let limit = Int(try query.number("limit", default: 100, in: 1...10_000))
        let cursor = try query.word("cursor") ?? 0
        let (found, next) = kernel.leakViews(from: cursor, limit: limit)
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("leaks", objects: found) { $0.leak($1) }
            json.name("next_cursor")
            if let next { json.string(String(next)) } else { json.raw("null") }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func leak(_ leak: LeakView) {
        member("address", address: leak.address.rawValue)
        member("size", leak.size)
        member("kind", leak.kind.rawValue)
        member("cache", orNull: leak.cache)
        member("call", leak.call)
        member("function", orNull: leak.function)
        member("pid", leak.pid)
        member("comm", leak.command)
        member("jiffies", address: leak.jiffies)
        member("age_ms", leak.age)
        name("bytes")
        hexadecimal(leak.bytes)
    }
}
