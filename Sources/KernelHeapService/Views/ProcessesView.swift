internal import KernelHeap

extension StateView {
    /// `GET …/processes`: every process with the areas of its user space; with `?pid=` one of
    /// them, and the frames behind its pages.
    static let processes = StateView(
        "processes",
        parameters: ["pid", "address", "limit"],
        isLong: { (kernel, query) throws(Problem) in
            countsManyPages(kernel, of: try query.process(of: kernel))
        }
    ) { (kernel, query) throws(Problem) in
        let limit = Int(try query.number("limit", default: 1_000, in: 1...10_000))
        let start = LinearAddress(rawValue: try query.word("address") ?? 0)
        let pid = try query.process(of: kernel)
        let views = (pid.map { [$0] } ?? kernel.pids).compactMap { number in
            kernel.processView(number, areasFrom: start, limit: limit)
        }
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("processes", objects: views) { $0.process($1) }
            guard let pid,
                let resident = kernel.residentPages(of: pid, from: start, limit: limit)
            else { return }
            json.member("pages", objects: resident.pages) { json, page in
                json.member("address", address: page.address.rawValue)
                json.member("pfn", page.pfn.rawValue)
            }
            json.member("next_page_address", addressOrNull: resident.next?.rawValue)
        }
        return ViewAnswer(json)
    }

    /// Whether the pages of a process, or of all, take long to count: each table has up to 1,024.
    static func countsManyPages(_ kernel: borrowing Kernel, of pid: Int?) -> Bool {
        kernel.tableCount(ofProcess: pid) > 256
    }
}

extension ViewQuery {
    /// The process that `pid` names, or nil where the query has none.
    ///
    /// - Throws: `unknown-name` with the processes that there are.
    func process(of kernel: borrowing Kernel) throws(Problem) -> Int? {
        guard let pid = try number("pid", in: 0...UInt64(Int32.max)) else { return nil }
        guard kernel.hasProcess(Int(pid)) else {
            var problem = Problem(.unknownName, "no process \(pid)", at: "/pid")
            problem.valid = kernel.pids.prefix(16).map(String.init)
            throw problem
        }
        return Int(pid)
    }
}

extension JSONWriter {
    mutating func process(_ process: ProcessView) {
        member("pid", process.pid)
        member("name", process.name)
        member("parent", process.parent)
        member("resident_pages", process.residentPages)
        member("mapped_pages", process.memory.mapped)
        member("locked_pages", process.memory.locked)
        member("anonymous_pages", process.memory.anonymous)
        member("file_pages", process.memory.ofFiles)
        member("page_directory", address: process.pageDirectory.rawValue)
        member("page_table_bytes", process.pageTableBytes)
        member("area_count", process.areaCount)
        member("areas", objects: process.areas) { json, area in
            json.member("start", address: area.start.rawValue)
            json.member("end", address: area.end.rawValue)
            json.member("size", area.end.rawValue - area.start.rawValue)
            json.member("rights", area.rights.letters + (area.isShared ? "s" : "p"))
            json.name("flags")
            json.strings(area.flags.names)
            json.member("offset", area.offset)
            json.member("inode", area.inode)
            json.member("name", area.name)
            json.member("resident_pages", area.residentPages)
        }
        member("next_address", addressOrNull: process.next?.rawValue)
    }
}
