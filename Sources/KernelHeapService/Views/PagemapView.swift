internal import KernelHeap

/// `/proc/<pid>/pagemap`: eight bytes for each page of a process.
extension StateView {
    /// The view of a path `<pid>/pagemap` below `/proc`, or nil where it is none.
    static func pagemap(_ path: ByteSlice) -> StateView? {
        guard path.count <= 24 else { return nil }
        let parts = String(path).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == "pagemap", let pid = Int(parts[0]),
            String(pid) == parts[0]
        else { return nil }
        return StateView(
            "pagemap",
            parameters: ["address", "count", "offset", "length"]
        ) { (kernel, query) throws(Problem) in
            try query.pagemap(kernel, pid)
        }
    }
}

extension ViewQuery {
    /// Pages in one answer: 512 KiB of the file.
    private static let pagemapPages: UInt64 = 65_536

    /// A part of the file as bytes, or as the entries that are not empty.
    fileprivate func pagemap(
        _ kernel: borrowing Kernel,
        _ pid: Int
    ) throws(Problem) -> ViewAnswer {
        let end = kernel.layout.userEnd >> 12
        let part = try pages(end: end)
        let range = part.lowerBound << 12..<part.upperBound << 12
        guard let found = kernel.userPages(of: pid, in: range) else {
            throw Problem(.unknownFile, "this machine has no /proc/\(pid)/pagemap")
        }
        if prefersBytes { return ViewAnswer(bytes: Self.bytes(part, found)) }
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("pid", pid)
            json.member("address", address: range.lowerBound)
            json.member("count", part.count)
            json.member("pages", objects: found) { $0.pagemapEntry($1) }
            let next = part.upperBound < end ? range.upperBound : nil
            json.member("next_address", addressOrNull: next)
        }
        return ViewAnswer(json)
    }

    /// The pages asked for, by address or by the file's bytes; none at the end of user space.
    private func pages(end: UInt64) throws(Problem) -> Range<UInt64> {
        let most = Self.pagemapPages
        guard text("offset") != nil || text("length") != nil else {
            let address = try number("address", default: 0, in: 0...end << 12)
            let count = try number("count", default: most, in: 1...most)
            let first = address >> 12
            return first..<first + min(count, end - first)
        }
        for name in ["address", "count"] where text(name) != nil {
            throw Problem(
                .invalidValue,
                "a part is named by address and count, or by offset and length",
                at: "/" + name
            )
        }
        let offset = try number("offset", default: 0, in: 0...end * 8)
        let length = try number("length", default: most * 8, in: 8...most * 8)
        for (name, bytes) in [("offset", offset), ("length", length)] where bytes % 8 != 0 {
            throw Problem(.invalidValue, "the file has entries of 8 bytes", at: "/" + name)
        }
        return offset / 8..<offset / 8 + min(length / 8, end - offset / 8)
    }

    /// Eight bytes a page, the lowest first.
    private static func bytes(_ part: Range<UInt64>, _ found: [UserPageView]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: part.count * 8)
        for page in found {
            let start = Int(page.address.rawValue >> 12 - part.lowerBound) * 8
            let word = page.pagemap
            for place in 0..<8 {
                bytes[start + place] = UInt8(truncatingIfNeeded: word >> UInt64(place * 8))
            }
        }
        return bytes
    }
}

extension JSONWriter {
    fileprivate mutating func pagemapEntry(_ page: UserPageView) {
        member("address", address: page.address.rawValue)
        member("entry", address: page.pagemap)
        member("pfn", page.pfn.rawValue)
        member("map_count", page.mapCount)
        member("file", page.isOfFile)
        member("zero_page", page.isZeroPage)
        member("writable", page.isWritable)
        member("accessed", page.isAccessed)
        member("dirty", page.isDirty)
    }
}
