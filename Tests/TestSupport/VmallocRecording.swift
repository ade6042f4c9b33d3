/// What a real kernel's vmalloc area went through: `vmalloc/vmalloc-smp1.txt`.
public struct VmallocRecording: Sendable {
    /// A line of the recording.
    public enum Step: Sendable {
        /// The gaps and the busy ranges at this point.
        case state(name: String, lazyPages: UInt64, gaps: [Range<UInt64>], busy: [Range<UInt64>])
        case allocate(Allocation)
        /// `vfree`, `vunmap`, `iounmap`, or the one that fits: `free`.
        case free(function: String, slot: Int, lazyPages: UInt64)
        case purge(lazyPages: UInt64)
        case mapRAM(slot: Int, pages: UInt64, offset: UInt64)
        case unmapRAM(slot: Int, lazyPages: UInt64)
        /// A size out of the ordinary: `NULL`, `ZERO_SIZE_PTR`, `slab`, `pages`, `vmalloc`.
        case outcome(function: String, size: UInt64, result: String)
    }

    public struct Allocation: Sendable {
        public var function: String
        public var slot: Int
        /// Bytes; pages where the function is `vmap`.
        public var size: UInt64
        /// Of the address returned, from `VMALLOC_START`.
        public var offset: UInt64
        /// With the guard page; nil where it was not recorded.
        public var areaSize: UInt64?
        public var pageCount: UInt64?
        public var pageOrder: UInt64?
        public var flags: UInt16?
        /// Freed and not purged when the call returned.
        public var lazyPages: UInt64
        /// In the order of their addresses; the first 64.
        public var frames: [UInt64]
    }

    public let steps: [Step]
    public static let start: UInt64 = 0xffff_c900_0000_0000

    public init() throws {
        steps = try RecordingLine.lines(of: Recording.bytes("vmalloc/vmalloc-smp1.txt"))
            .filter { !$0.isEmpty && $0.keyword != "#" }
            .reduce(into: []) { steps, line in try Self.append(line, to: &steps) }
    }

    private static func append(_ line: RecordingLine, to steps: inout [Step]) throws {
        switch line.keyword {
        case "VAFREE":
            let lazyPages = try line.count(of: "lazy_pages")
            let gaps = ranges(line, from: 3)
            steps.append(
                .state(name: line.word(1), lazyPages: lazyPages, gaps: gaps, busy: [])
            )
        case "VABUSY":
            guard case .state(let name, let lazyPages, let gaps, _)? = steps.popLast() else {
                throw line.unreadable
            }
            let busy = ranges(line, from: 2)
            steps.append(.state(name: name, lazyPages: lazyPages, gaps: gaps, busy: busy))
        case "PURGE": steps.append(.purge(lazyPages: try line.count(of: "lazy")))
        case "vfree", "vunmap", "iounmap", "free":
            steps.append(
                .free(
                    function: line.keyword,
                    slot: Int(try line.number(1)),
                    lazyPages: try line.count(of: "lazy")
                )
            )
        case "vm_map_ram":
            steps.append(
                .mapRAM(
                    slot: Int(try line.number(1)),
                    pages: try line.count(of: "pages"),
                    offset: try hexadecimal(line, "off")
                )
            )
        case "vm_unmap_ram":
            let slot = Int(try line.number(1))
            steps.append(.unmapRAM(slot: slot, lazyPages: try line.count(of: "lazy")))
        case "vmalloc_big", "vmalloc_big_nowarn", "kvmalloc":
            let text = try line.value(of: "size")
            let size = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
            guard let size else { throw line.unreadable }
            steps.append(.outcome(function: line.keyword, size: size, result: line.word(3)))
        default: steps.append(.allocate(try allocation(line)))
        }
    }

    private static func allocation(_ line: RecordingLine) throws -> Allocation {
        let frames = try? line.value(of: "pfns")
        return Allocation(
            function: line.keyword,
            slot: Int(try line.number(1)),
            size: try line.count(of: "size"),
            offset: try hexadecimal(line, "off"),
            areaSize: try? line.count(of: "area_size"),
            pageCount: try? line.count(of: "nr_pages"),
            pageOrder: try? line.count(of: "page_order"),
            flags: (try? hexadecimal(line, "flags")).map { UInt16($0) },
            lazyPages: try line.count(of: "lazy"),
            frames: (frames ?? "").split(separator: ",").compactMap { UInt64($0) }
        )
    }

    private static func hexadecimal(_ line: RecordingLine, _ key: String) throws -> UInt64 {
        guard let value = try UInt64(line.value(of: key).dropFirst(2), radix: 16) else {
            throw line.unreadable
        }
        return value
    }

    private static func ranges(_ line: RecordingLine, from first: Int) -> [Range<UInt64>] {
        line.words.dropFirst(first).compactMap { word in
            let ends = String(decoding: word, as: UTF8.self)
                .split(separator: "-")
                .compactMap { UInt64($0, radix: 16) }
            return ends.count == 2 ? ends[0]..<ends[1] : nil
        }
    }
}
