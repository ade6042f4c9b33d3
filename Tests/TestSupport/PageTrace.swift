public import KernelHeap

/// A recorded run of page allocations and frees on one zone (`traces/`).
public struct PageTrace: Sendable {
    /// One line of the trace.
    ///
    /// Frames are absolute; `nil` is the kernel's `NULL`.
    public enum Step: Sendable {
        /// A block was asked for, and this is what came; `class` is the request's mobility.
        case allocate(order: Int, pfn: UInt64?, class: MigrateType)
        case free(order: Int, pfn: UInt64)
        /// Another zone served the request and got the block back; this zone did not change.
        case servedElsewhere(order: Int, pfn: UInt64, zone: ZoneType)
        /// `alloc_pages_bulk_array()` into an empty array.
        case bulk(asked: Int, pfns: [UInt64])
        /// `alloc_pages_bulk_array()` into an array in which every second place is taken already;
        /// all places are printed.
        case bulkHoles(asked: Int, pfns: [UInt64])
        /// `split_page()`; its pages are freed one by one later.
        case split(order: Int, pfn: UInt64)
        /// `alloc_pages_exact()`.
        case exact(bytes: UInt64, pfn: UInt64?)
        case exactFree(bytes: UInt64, pfn: UInt64)
        /// All per-CPU lists are emptied.
        case drain
        /// The zone's counters at this point.
        case checkpoint(ZoneCounters)
        /// The zone's whole state at this point.
        case state(ZoneState)
        /// The recording's own remark: `free RANDOM`.
        case remark(String)
    }

    /// A step with the number of its (last) line in the file.
    public struct Line: Sendable {
        public let number: Int
        public let step: Step
    }

    /// The file's name without `.txt`.
    public let name: String
    /// The `gfp` argument of every request; `nil` where the trace has no header.
    public let gfp: UInt64?
    /// `key=value` of the header: variant, seed, nops, zone.
    public let header: [String: String]
    /// The state that the first operation finds.
    public let start: ZoneState
    /// What follows the start.
    public let lines: [Line]

    /// The names of all traces.
    public static func names() throws -> [String] {
        try Recording.names(in: "traces").map { String($0.dropLast(4)) }
    }

    /// Reads a trace by name: `dma-v1-s1`.
    public init(named name: String) throws {
        try self.init(name: name, bytes: Recording.bytes("traces/\(name).txt"))
    }

    init(name: String, bytes: [UInt8]) throws {
        var reader = PageTraceReader()
        for line in RecordingLine.lines(of: bytes) { try reader.read(line) }
        reader.finishState()
        self.name = name
        header = reader.header
        gfp = reader.header["gfp"].flatMap { UInt64($0.dropFirst(2), radix: 16) }
        // What comes before the first state is the emptying of the per-CPU lists.
        guard let first = reader.lines.firstIndex(where: { $0.isState }),
            case .state(let state) = reader.lines[first].step
        else { throw RecordingLine.Unreadable(number: 0, text: "no state") }
        start = state
        lines = Array(reader.lines[(first + 1)...])
    }
}

extension PageTrace.Line {
    fileprivate var isState: Bool {
        if case .state = step { true } else { false }
    }
}

/// Gathers lines into steps.
private struct PageTraceReader {
    var header: [String: String] = [:]
    var lines: [PageTrace.Line] = []
    private var state: ZoneState?
    private var lastNumber = 0

    mutating func read(_ line: RecordingLine) throws(RecordingLine.Unreadable) {
        if line.isEmpty { return }
        if var open = state {
            if try open.take(line) {
                state = open
                lastNumber = line.number
                return
            }
            finishState()
        }
        if line.keyword == "ZONE" {
            state = try ZoneState(opening: line)
        } else {
            lines.append(PageTrace.Line(number: line.number, step: try step(line)))
        }
        lastNumber = line.number
    }

    mutating func finishState() {
        guard let open = state else { return }
        lines.append(PageTrace.Line(number: lastNumber, step: .state(open)))
        state = nil
    }

    private mutating func step(
        _ line: RecordingLine
    ) throws(RecordingLine.Unreadable) -> PageTrace.Step {
        switch line.keyword {
        case "A": try allocation(line, at: 1, class: headerClass)
        case "A0", "A1", "A2":
            // These print the kernel's number of the class.
            try allocation(
                line,
                at: 1,
                class: line.keyword == "A0"
                    ? .unmovable : line.keyword == "A1" ? .movable : .reclaimable
            )
        case "M": try mobilityAllocation(line)
        case "F": .free(order: Int(try line.number(1)), pfn: try line.number(2))
        case "X": try servedElsewhere(line)
        case "BULK":
            .bulk(asked: Int(try line.number(1)), pfns: try line.numbers(from: 3))
        case "BULKHOLES":
            .bulkHoles(asked: Int(try line.number(1)), pfns: try line.numbers(from: 3))
        case "SPLIT": .split(order: Int(try line.number(1)), pfn: try line.number(2))
        case "EXACT": .exact(bytes: try line.number(1), pfn: try line.frame(2))
        case "EXACTFREE": .exactFree(bytes: try line.number(1), pfn: try line.number(2))
        case "DRAIN": .drain
        case "N": .checkpoint(try ZoneCounters(line))
        case "#": remark(line)
        default: throw line.unreadable
        }
    }

    private func allocation(
        _ line: RecordingLine,
        at place: Int,
        class type: MigrateType
    ) throws(RecordingLine.Unreadable) -> PageTrace.Step {
        .allocate(order: Int(try line.number(place)), pfn: try line.frame(place + 1), class: type)
    }

    /// `M class A order frame`; here 1 stands for a reclaimable and 2 for a movable request.
    private func mobilityAllocation(
        _ line: RecordingLine
    ) throws(RecordingLine.Unreadable) -> PageTrace.Step {
        let classes: [MigrateType] = [.unmovable, .reclaimable, .movable]
        let number = Int(try line.number(1))
        guard number < classes.count else { throw line.unreadable }
        return try allocation(line, at: 3, class: classes[number])
    }

    private func servedElsewhere(
        _ line: RecordingLine
    ) throws(RecordingLine.Unreadable) -> PageTrace.Step {
        guard let zone = ZoneType(name: line.word(3)) else { throw line.unreadable }
        return .servedElsewhere(
            order: Int(try line.number(1)),
            pfn: try line.number(2),
            zone: zone
        )
    }

    /// The mobility of requests that the trace's header gives: movable with `__GFP_MOVABLE`.
    private var headerClass: MigrateType {
        header["flags"]?.contains("__GFP_MOVABLE") == true ? .movable : .unmovable
    }

    private mutating func remark(_ line: RecordingLine) -> PageTrace.Step {
        for index in 1..<max(1, line.words.count) {
            let word = line.word(index)
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 {
                header[parts[0]] = parts[1]
            } else if word.contains("GFP_") {
                header["flags"] = word
            }
        }
        return .remark(line.text.dropFirst(2).description)
    }
}
