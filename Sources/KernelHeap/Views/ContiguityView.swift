/// Whether memory that a call allocated is in one piece, and what a device could do with it.
///
///     virtual   | a | b | c |            always one range, where the kernel has addresses for it
///     physical  | c |   | a | b |        two runs: a device needs a list, or a mapping
public struct ContiguityView: Hashable, Sendable {
    /// Physical runs that are listed; further ones are counted.
    public static let runLimit = 64

    public var bytes: UInt64
    /// One range of kernel addresses; false where the kernel has no address for it now.
    public var isVirtuallyContiguous: Bool
    /// Whether a device's registers are behind it rather than memory.
    public var isDeviceMemory = false
    /// The last physical byte.
    public var lastPhysical: PhysicalAddress
    public private(set) var runCount = 0
    private(set) var runs: [PageFrameRun] = []

    init(bytes: UInt64, isVirtuallyContiguous: Bool, runs: [PageFrameRun]) {
        self.bytes = bytes
        self.isVirtuallyContiguous = isVirtuallyContiguous
        lastPhysical = PhysicalAddress(rawValue: 0)
        runCount = runs.count
        self.runs = Array(runs.prefix(Self.runLimit))
        let last = runs.reduce(0) { max($0, $1.highest) }
        lastPhysical = PhysicalAddress(rawValue: last << 12 | 4_095)
    }

    /// One run upwards: a single address serves a device, too.
    public var isPhysicallyContiguous: Bool { runCount == 1 && runs.allSatisfy { $0.step >= 0 } }

    /// Whether a device can be given one address and a length.
    public var allowsDirectDMA: Bool { isPhysicallyContiguous && !isDeviceMemory }

    /// Whether a device that drives so many address lines reaches every byte.
    ///
    /// - Parameter bits: of the device's DMA mask.
    /// - Returns: false where some byte lies beyond the mask.
    public func isReached(byMaskOf bits: UInt64) -> Bool {
        bits >= 64 || lastPhysical.rawValue >> bits == 0
    }

    public var facts: [Fact] {
        [
            Fact("bytes", .count(bytes)), Fact("virtual", .boolean(isVirtuallyContiguous)),
            Fact("physical", .boolean(isPhysicallyContiguous)),
            Fact("runs", .list(runs.map { .facts($0.facts) })),
            Fact("run_count", .count(UInt64(runCount))),
            Fact(
                "dma",
                .facts([
                    Fact("without_mapping", .boolean(allowsDirectDMA)),
                    Fact("mask_24", .boolean(isReached(byMaskOf: 24))),
                    Fact("mask_32", .boolean(isReached(byMaskOf: 32))),
                    Fact("mask_64", .boolean(isReached(byMaskOf: 64))),
                ])
            ),
        ]
    }
}

extension Kernel {
    /// How the memory lies that a call has just allocated.
    ///
    /// Worked out from the call's result, so that calls of which nobody asks it do no work for it.
    ///
    /// - Parameter result: of the call that ran last.
    /// - Returns: nil where the call allocated nothing.
    public func contiguity(of result: CallResult) -> ContiguityView? {
        switch (result.detail, result.value) {
        case (.object(let object), .pointer(let address)) where address != 0:
            return contiguity(ofMapped: address, bytes: object.allocated)
        case (.pages(let block), .pointer(let address)) where address != 0:
            return contiguity(of: block)
        case (.facts(let facts), .pointer(let address)) where address != 0:
            guard facts.contains(where: { $0.name == "area" }) else { return nil }
            return contiguity(ofArea: address)
        case (.facts(let facts), .integer), (.facts(let facts), .unsigned):
            return contiguity(ofEach: facts)
        default:
            return nil
        }
    }

    private func contiguity(ofMapped address: UInt64, bytes: UInt64) -> ContiguityView? {
        guard bytes > 0, let first = frame(ofDirectMapped: address) else { return nil }
        let last = (layout.physical(of: address) &+ (bytes - 1)) >> 12
        var run = PageFrameRun(first: UInt64(first))
        run.count = last - min(last, UInt64(first)) + 1
        return ContiguityView(bytes: bytes, isVirtuallyContiguous: true, runs: [run])
    }

    private func contiguity(of block: PagesDetail) -> ContiguityView {
        var run = PageFrameRun(first: block.pfn.rawValue)
        run.count = block.exactPages > 0 ? UInt64(block.exactPages) : 1 << UInt64(block.order)
        return ContiguityView(
            bytes: run.count << 12,
            isVirtuallyContiguous: block.virtual != 0,
            runs: [run]
        )
    }

    private func contiguity(ofArea address: UInt64) -> ContiguityView? {
        let place = vmalloc.busy.containing(address)
        guard place != 0 else { return nil }
        let node = vmalloc.busy[place]
        // A block of `vm_map_ram()` has mappings of several calls, and says nothing of one.
        guard node.use.kind != .block else { return nil }
        let usable = vmalloc.usable(node)
        var view = ContiguityView(
            bytes: usable.upperBound - usable.lowerBound,
            isVirtuallyContiguous: true,
            runs: node.use.kind == .area ? frameRuns(node) : frameRuns(mapped: usable)
        )
        view.isDeviceMemory = node.use.flags.contains(.ioremap)
        return view
    }

    /// The frames that the tables have behind a range.
    private func frameRuns(mapped range: Range<UInt64>) -> [PageFrameRun] {
        var runs: [PageFrameRun] = []
        for page in stride(from: range.lowerBound, to: range.upperBound, by: 4_096) {
            guard let frame = frame(behind: page) else { continue }
            if runs.isEmpty || !runs[runs.count - 1].extend(by: frame) {
                runs.append(PageFrameRun(first: frame))
            }
        }
        return runs
    }

    /// Many allocations at once, each of them in one piece.
    private func contiguity(ofEach facts: [Fact]) -> ContiguityView? {
        guard let fact = facts.first(where: { $0.name == "pfns" || $0.name == "p" }),
            case .list(let list) = fact.value
        else { return nil }
        var runs: [PageFrameRun] = []
        for element in list {
            var frame: UInt64?
            if case .number(let pfn) = element { frame = UInt64(exactly: pfn) }
            if case .address(let address) = element { frame = self.frame(behindObject: address) }
            guard let frame else { return nil }
            let isKnown = fact.name == "p" && runs.last?.highest == frame
            if isKnown { continue }
            if runs.isEmpty || !runs[runs.count - 1].extend(by: frame) {
                runs.append(PageFrameRun(first: frame))
            }
        }
        guard !runs.isEmpty else { return nil }
        let isOneRun = runs.count == 1 && runs[0].step >= 0 && fact.name == "pfns"
        let bytes = runs.reduce(0) { $0 + $1.count << 12 }
        let isMapped = runs.allSatisfy { layout.isMapped($0.highest) }
        return ContiguityView(
            bytes: bytes,
            isVirtuallyContiguous: isOneRun && isMapped,
            runs: runs
        )
    }

    private func frame(behindObject address: UInt64) -> UInt64? {
        frame(ofDirectMapped: address).map(UInt64.init)
    }
}
