internal import KernelHeap

/// The binary files of `/proc` that have eight bytes for each frame.
extension StateView {
    private static let parameters = ["pfn", "count", "offset", "length"]

    /// `GET …/proc/kpageflags`: what each frame is used for, as `KPF_*` bits.
    private static let kpageflags = StateView(
        "kpageflags",
        parameters: parameters
    ) { (kernel, query) throws(Problem) in
        try query.pageFile(kernel, value: { $0.flags.rawValue }) { json, run in
            json.member("flags", address: run.flags.rawValue)
            json.name("names")
            json.strings(run.flags.names)
        }
    }

    /// `GET …/proc/kpagecount`: how often each frame is mapped.
    private static let kpagecount = StateView(
        "kpagecount",
        parameters: parameters
    ) { (kernel, query) throws(Problem) in
        try query.pageFile(kernel, value: \.mapCount) { json, run in
            json.member("count", run.mapCount)
        }
    }

    /// The file of a name below `/proc`, or nil where it is none of these.
    static func pageFile(_ name: ByteSlice) -> StateView? {
        if name == "kpageflags" { return kpageflags }
        return name == "kpagecount" ? kpagecount : nil
    }
}

extension ViewQuery {
    /// Frames in one answer: 512 KiB of the file.
    fileprivate static let pageFileFrames: UInt64 = 65_536

    /// The part of a file that the query names, as bytes, or as runs of like frames.
    fileprivate func pageFile(
        _ kernel: borrowing Kernel,
        value: (PageFlagRun) -> UInt64,
        _ member: (inout JSONWriter, PageFlagRun) -> Void
    ) throws(Problem) -> ViewAnswer {
        let end = kernel.pageFlagsEnd.rawValue
        let frames = try entries(end: end)
        let runs = Self.joined(kernel.pageFlagRuns(frames), value)
        if prefersBytes { return ViewAnswer(bytes: Self.bytes(frames.count, runs, value)) }
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("pfn", frames.lowerBound)
            json.member("count", frames.count)
            json.member("end_pfn", end)
            json.member("runs", objects: runs) { json, run in
                json.member("pfn", run.start.rawValue)
                json.member("pages", run.pageCount)
                member(&json, run)
            }
            json.member("next_pfn", orNull: frames.upperBound < end ? frames.upperBound : nil)
        }
        return ViewAnswer(json)
    }

    /// Runs with neighbours of one value made one.
    private static func joined(
        _ runs: [PageFlagRun],
        _ value: (PageFlagRun) -> UInt64
    ) -> [PageFlagRun] {
        runs.reduce(into: []) { joined, run in
            if let last = joined.last, value(last) == value(run) {
                joined[joined.count - 1].pageCount += run.pageCount
            } else {
                joined.append(run)
            }
        }
    }

    /// Eight bytes a frame, the lowest first.
    private static func bytes(
        _ count: Int,
        _ runs: [PageFlagRun],
        _ value: (PageFlagRun) -> UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 8)
        for run in runs {
            let word = value(run)
            for _ in 0..<run.pageCount {
                for shift in stride(from: UInt64(0), to: 64, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> shift))
                }
            }
        }
        return bytes
    }

    /// The frames asked for, by number or by the file's bytes; none at the end of the file.
    private func entries(end: UInt64) throws(Problem) -> Range<UInt64> {
        let most = Self.pageFileFrames
        let isByBytes = text("offset") != nil || text("length") != nil
        guard isByBytes else {
            let first = try number("pfn", default: 0, in: 0...end)
            let count = try number("count", default: most, in: 1...most)
            return first..<first + min(count, end - first)
        }
        for name in ["pfn", "count"] where text(name) != nil {
            throw Problem(
                .invalidValue,
                "a part is named by pfn and count, or by offset and length",
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
}
