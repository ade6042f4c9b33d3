/// All page frames of a machine and the free lists that hand them out.
///
/// A request passes three levels: the per-CPU lists, the buddy lists of one mobility class, and the
/// lists of other classes. Which zone serves it is decided by watermarks, zone by zone along the
/// zonelist, in `PageAllocator+Requests.swift`. Every PFN follows from list order, so list
/// operations happen exactly where Linux 6.1 has them (`mm/page_alloc.c`).
struct PageAllocator: ~Copyable {
    var map: ChunkedColumn<Page>
    /// What is written in the frames.
    var contents = PageContents()
    var zones: OwnedBuffer<Zone>
    /// Zone-major: zone × CPUs + CPU.
    var perCPU: OwnedBuffer<PerCPUPages>
    /// The class of each pageblock as the difference from what it is at boot.
    private var pageblocks: ChunkedColumn<UInt8>
    /// Pages on LRU lists per pageblock: they count as movable when a block is taken over.
    var lruPages: ChunkedColumn<UInt16>
    let cpuCount: Int
    var zonelists: OwnedBuffer<Zonelist>
    /// First address of the direct map; the layout's, within reach of every free.
    let pageOffset: UInt64
    /// Logarithm of the pages of a pageblock; the layout's, likewise.
    let pageblockOrder: Int
    /// The highest zone by the zone bits of the flags.
    let gfpZones: GFPZones
    /// The preferred zone by the zone bits of the flags; 255 where it depends on more than them.
    let preferredZones: InlineArray<16, UInt8>
    /// `watermark_boost_factor`, in ten-thousandths.
    var boostFactor = 15_000
    var decisions = DecisionLog() { didSet { isWatched = decisions.isOn || isAlwaysWatched } }
    /// Somebody is told of every page that comes and goes: page owner, the address sanitizer.
    var isAlwaysWatched = false { didSet { isWatched = decisions.isOn || isAlwaysWatched } }
    /// The same, or the call explains itself: the common ways, which tell nobody, are closed.
    private(set) var isWatched = false
    /// Reference counts of frames that head no allocated block, where they are not zero.
    var strayReferences = StrayReferences()
    /// Frames with fields that a free page may not have.
    var oddPages = OddPages()
    /// Pages kept off the lists since boot because of their state.
    var lostPages: UInt64 = 0
    /// Bad pages found during the current call, until they are logged.
    var badPages: [BadPage] = []
    /// Bad pages beyond those, of which only the number is kept.
    var omittedBadPages: UInt64 = 0
    /// Nodes whose kswapd was woken, each once.
    var kswapdWakeups: [KswapdWakeup] = []
    /// Zones whose marks the running request has raised, as bits.
    var boostedZones: UInt64 = 0
    /// Whether somebody else frees memory for a request that got none, and asks again.
    var isReclaimed = false
    /// What the next requests may do, whatever their flags say; nil for the usual.
    var forcedFlags: AllocFlags?
    /// Where the kernel sees the frames.
    let layout: AddressLayout
    /// Frames below the end of memory in sections that have none, ascending: PCI holes.
    private let gaps: [Range<UInt64>]
    private let hasGaps: Bool
    /// Requests that are to fail.
    var faults = FaultInjection()
    /// The lower half of the running call's number, for the pages that it takes.
    var call: UInt32 = 0
    /// Who allocated which page; empty unless the machine was booted with `page_owner=on`.
    var owners = PageOwners()
    private let inPlace = InPlace()

    /// Pages of a pageblock: `pageblock_nr_pages`.
    @inline(__always)
    var pageblockPages: Int { 1 &<< pageblockOrder }
    /// The smallest order that any machine's pageblocks have.
    static let leastPageblockOrder = 9

    /// An allocator with nothing on its lists.
    ///
    /// - Parameters:
    ///   - zones: ascending or not, without overlap.
    ///   - perCPU: zone-major.
    ///   - cpuCount: of the machine.
    ///   - memory: its usable frames, ascending; nil for all that the zones span.
    ///   - layout: where the kernel sees the frames.
    ///   - gfpZones: what the zone bits of the flags mean.
    init(
        zones: [Zone],
        perCPU: [PerCPUPages],
        cpuCount: Int,
        memory: [Range<UInt64>]? = nil,
        layout: AddressLayout = .x8664,
        gfpZones: GFPZones = .x8664
    ) {
        self.layout = layout
        pageOffset = layout.pageOffset
        pageblockOrder = layout.pageblockOrder
        self.gfpZones = gfpZones
        let end = zones.map(\.endPFN).max() ?? 0
        gaps = memory.map { Self.gaps(between: $0, end: end) } ?? []
        hasGaps = !gaps.isEmpty
        let frames = Int(clamping: end)
        map = ChunkedColumn(count: frames + 1)
        pageblocks = ChunkedColumn(count: frames >> layout.pageblockOrder + 1)
        lruPages = ChunkedColumn(count: frames >> layout.pageblockOrder + 1)
        zonelists = OwnedBuffer(Zonelist.all(zones, cpus: cpuCount))
        preferredZones = Zonelist.preferredZones(zones, gfpZones)
        self.zones = OwnedBuffer(zones)
        self.perCPU = OwnedBuffer(perCPU)
        self.cpuCount = cpuCount
    }

    private init(forkOf other: inout PageAllocator) {
        map = other.map.fork()
        contents = other.contents.fork()
        pageblocks = other.pageblocks.fork()
        lruPages = other.lruPages.fork()
        zones = other.zones.copy()
        perCPU = other.perCPU.copy()
        cpuCount = other.cpuCount
        layout = other.layout
        gaps = other.gaps
        hasGaps = other.hasGaps
        pageOffset = other.pageOffset
        pageblockOrder = other.pageblockOrder
        gfpZones = other.gfpZones
        zonelists = other.zonelists.copy()
        preferredZones = other.preferredZones
        boostFactor = other.boostFactor
        strayReferences = other.strayReferences
        oddPages = other.oddPages
        lostPages = other.lostPages
        kswapdWakeups = other.kswapdWakeups
        isReclaimed = other.isReclaimed
        faults = other.faults
        owners = other.owners.fork()
        isAlwaysWatched = other.isAlwaysWatched
        isWatched = isAlwaysWatched
        call = other.call
    }

    /// An allocator in the same state; both go their own ways.
    mutating func fork() -> PageAllocator { PageAllocator(forkOf: &self) }

    var heldBytes: Int {
        map.heldBytes + contents.heldBytes + pageblocks.heldBytes + lruPages.heldBytes
            + zones.heldBytes + perCPU.heldBytes + oddPages.heldBytes + owners.heldBytes
    }

    /// The zone that spans a frame, or nil for a hole or beyond memory.
    func zoneIndex(of pfn: UInt64) -> Int? {
        for index in zones.indices where zones[index].spans(pfn) { return index }
        return nil
    }

    /// Whether the frame number names a page of this machine: `pfn_valid`.
    ///
    /// On 64 bits only sections of 128 MiB with memory have descriptors; memory of 32-bit machines is
    /// flat, holes included.
    func isValid(_ pfn: UInt64) -> Bool {
        zoneIndex(of: pfn) != nil && (layout.is32Bit || !isInGap(pfn))
    }

    /// Whether a frame lies in a section that has no memory: what is there are devices.
    @inline(__always)
    func isInGap(_ pfn: UInt64) -> Bool { hasGaps && gaps.contains { $0.contains(pfn) } }

    private static func gaps(between memory: [Range<UInt64>], end: UInt64) -> [Range<UInt64>] {
        var gaps: [Range<UInt64>] = []
        var next: UInt64 = 0
        for section in BootLayout.sections(memory) {
            let start = section.lowerBound * MemoryLayout61.sectionPages
            if next < start { gaps.append(next..<start) }
            next = section.upperBound * MemoryLayout61.sectionPages
        }
        if next < end { gaps.append(next..<end) }
        return gaps
    }

    @inline(__always)
    func pageblockType(of pfn: UInt32) -> MigrateType {
        let block = Int(pfn) &>> pageblockOrder
        return MigrateType(rawValue: pageblocks[block] ^ Self.bootClass(block)) ?? .movable
    }

    /// At boot every pageblock is movable but the first: the zone begins inside it, and the kernel
    /// marks blocks that begin in a zone.
    @inline(__always)
    private static func bootClass(_ block: Int) -> UInt8 { block == 0 ? 0 : 1 }

    /// Tells the classes of a range of pageblocks, in runs.
    func forEachPageblock(_ range: Range<Int>, _ body: (MigrateType, Int) -> Void) {
        guard !range.isEmpty else { return }
        var first = range.lowerBound
        if first == 0 {
            body(pageblockType(of: 0), 1)
            first = 1
        }
        guard first < range.upperBound else { return }
        var others = 0
        pageblocks.reduce(first...range.upperBound - 1, ()) { _, stored in
            guard stored != 0 else { return }
            others += 1
            body(MigrateType(rawValue: stored ^ MigrateType.movable.rawValue) ?? .movable, 1)
        }
        body(.movable, range.upperBound - first - others)
    }

    mutating func setPageblockType(of pfn: UInt32, to type: MigrateType) {
        let block = Int(pfn) &>> pageblockOrder
        pageblocks[block] = type.rawValue ^ Self.bootClass(block)
    }

    @inline(__always)
    func perCPUIndex(zone: Int, cpu: Int) -> Int { zone &* cpuCount &+ cpu }
}

/// The steps of a decision, recorded only while somebody asked.
struct DecisionLog {
    private(set) var isOn = false
    private(set) var steps: [ExplanationStep] = []

    /// Steps of one call beyond this many are dropped.
    static let limit = 4_096

    mutating func start() {
        isOn = true
        steps = []
    }

    mutating func finish() -> [ExplanationStep] {
        isOn = false
        defer { steps = [] }
        return steps
    }

    /// Leaves the following steps out, until `resume`: more of the same explains nothing.
    mutating func pause() -> Bool {
        defer { isOn = false }
        return isOn
    }

    mutating func resume(_ wasOn: Bool) { isOn = wasOn }

    /// Adds a step; callers test `isOn` first, so that a step costs nothing unasked.
    mutating func add(_ step: ExplanationStep) {
        if steps.count < Self.limit { steps.append(step) }
    }
}
