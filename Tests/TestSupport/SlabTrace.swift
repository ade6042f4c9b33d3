/// Recorded allocations and frees of slab objects (`slab/slabtrace*.txt`), cache by cache.
///
/// Which object of a slab was freed is not told: the lists of slabs depend on the slab alone.
public struct SlabTrace: Sendable {
    /// A slab on a list: its first frame and the objects handed out of it.
    public struct ListedSlab: Hashable, Sendable {
        public let pfn: UInt64
        public let inUse: Int

        public init(pfn: UInt64, inUse: Int) {
            self.pfn = pfn
            self.inUse = inUse
        }
    }

    /// What the cache looked like after an operation.
    public struct State: Hashable, Sendable {
        /// The active slab of CPU 0.
        public let cpuSlab: UInt64?
        /// CPU 0's chain of partial slabs, head first.
        public let cpuPartial: [ListedSlab]
        /// The node's list of partial slabs, head first.
        public let nodePartial: [ListedSlab]
        /// All slabs of the cache, full ones included.
        public let slabCount: Int
    }

    /// A line of the trace; frames are the first of a slab.
    public enum Step: Sendable {
        case allocate(slab: UInt64)
        case free(slab: UInt64)
        /// `kmem_cache_shrink()`, at the end.
        case shrink
        case remark(String)
    }

    public struct Line: Sendable {
        public let number: Int
        public let step: Step
        /// Missing after a remark.
        public let state: State?
    }

    /// The run of one cache.
    public struct Cache: Sendable {
        /// As asked, bytes; no alignment, flags or constructor.
        public let size: UInt64
        /// Bytes between objects.
        public let slabSize: Int
        public let order: Int
        public let objects: Int
        public let cpuPartial: Int
        public let cpuPartialSlabs: Int
        public let minPartial: Int
        /// The zone that the slabs come from, before the first operation.
        public internal(set) var start: ZoneState?
        public internal(set) var lines: [Line] = []
    }

    public let caches: [Cache]

    /// The names of all traces.
    public static let names = ["slabtrace", "slabtrace-s2"]

    /// Reads a trace by name.
    public init(named name: String) throws {
        var reader = SlabTraceReader()
        for line in RecordingLine.lines(of: try Recording.bytes("slab/\(name).txt")) {
            try reader.read(line)
        }
        caches = reader.caches
    }
}

/// Gathers lines into caches.
private struct SlabTraceReader {
    var caches: [SlabTrace.Cache] = []

    mutating func read(_ line: RecordingLine) throws(RecordingLine.Unreadable) {
        if line.isEmpty { return }
        let last = caches.count - 1
        switch line.keyword {
        case "CACHE": caches.append(try cache(line))
        case "#":
            // The file's first line stands before any cache.
            if last >= 0 { append(.remark(line.text), nil, line) }
        case "ZONE" where last >= 0: caches[last].start = try ZoneState(opening: line)
        case "a" where last >= 0: append(.allocate(slab: try line.number(1)), try state(line), line)
        case "f" where last >= 0: append(.free(slab: try line.number(1)), try state(line), line)
        case "SHRINK" where last >= 0: append(.shrink, try state(line), line)
        default:
            guard last >= 0, try caches[last].start?.take(line) == true else {
                throw line.unreadable
            }
        }
    }

    private mutating func append(
        _ step: SlabTrace.Step,
        _ state: SlabTrace.State?,
        _ line: RecordingLine
    ) {
        caches[caches.count - 1].lines.append(
            SlabTrace.Line(number: line.number, step: step, state: state)
        )
    }

    private func cache(
        _ line: RecordingLine
    ) throws(RecordingLine.Unreadable) -> SlabTrace.Cache {
        SlabTrace.Cache(
            size: try line.count(of: "size"),
            slabSize: try line.integer(of: "slab_size"),
            order: try line.integer(of: "order"),
            objects: try line.integer(of: "objs"),
            cpuPartial: try line.integer(of: "cpu_partial"),
            cpuPartialSlabs: try line.integer(of: "cpu_partial_slabs"),
            minPartial: try line.integer(of: "min_partial")
        )
    }

    private func state(_ line: RecordingLine) throws(RecordingLine.Unreadable) -> SlabTrace.State {
        let node = try line.value(of: "npartial")
        let parts = node.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let nodeCount = Int(parts[0]) else { throw line.unreadable }
        let nodePartial = try slabs(parts[1], line)
        guard nodePartial.count == nodeCount else { throw line.unreadable }
        let active = try line.value(of: "cpu")
        return SlabTrace.State(
            cpuSlab: UInt64(active),
            cpuPartial: try slabs(try line.value(of: "cpartial")[...], line),
            nodePartial: nodePartial,
            slabCount: try line.integer(of: "nr_slabs")
        )
    }

    private func slabs(
        _ text: Substring,
        _ line: RecordingLine
    ) throws(RecordingLine.Unreadable) -> [SlabTrace.ListedSlab] {
        if text == "-" { return [] }
        var slabs: [SlabTrace.ListedSlab] = []
        for entry in text.split(separator: ",") {
            let pair = entry.split(separator: "/")
            guard pair.count == 2, let pfn = UInt64(pair[0]), let inUse = Int(pair[1]) else {
                throw line.unreadable
            }
            slabs.append(SlabTrace.ListedSlab(pfn: pfn, inUse: inUse))
        }
        return slabs
    }
}
