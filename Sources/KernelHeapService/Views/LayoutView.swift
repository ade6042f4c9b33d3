internal import KernelHeap

extension StateView {
    /// `GET …/layout`: the regions of the address space; with `?pid=` a process's areas, too.
    static let layout = StateView(
        "layout",
        parameters: ["pid", "address", "limit"],
        isLong: { (kernel, query) throws(Problem) in
            guard let pid = try query.process(of: kernel) else { return false }
            return countsManyPages(kernel, of: pid)
        }
    ) { (kernel, query) throws(Problem) in
        let limit = Int(try query.number("limit", default: 1_000, in: 1...10_000))
        let start = LinearAddress(rawValue: try query.word("address") ?? 0)
        let process = try query.process(of: kernel).flatMap { pid in
            kernel.processView(pid, areasFrom: start, limit: limit)
        }
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("profile", kernel.profile.name)
            json.member("regions", objects: kernel.regionViews()) { json, region in
                json.member("name", region.name)
                json.member("kind", region.kind.rawValue)
                json.member("start", address: region.start.rawValue)
                json.member("last", address: region.last.rawValue)
                json.member("size", region.size)
                json.member("used", orNull: region.usedBytes)
                json.member("summary", region.summary)
            }
            if let process {
                json.name("process")
                json.object { $0.process(process) }
            }
        }
        return ViewAnswer(json)
    }
}
