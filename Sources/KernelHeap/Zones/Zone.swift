/// A zone of physical memory: its size, its watermarks and its free lists.
///
/// The free lists are per order and mobility class, head first. Memory that was never used lies in
/// `run`: blocks of the largest order, in ascending order, that stand in the middle of the largest
/// movable list without being linked.
///
///     list of order 10, Movable:   front list  →  run.lowerBound … run.upperBound  →  back list
///
/// A block leaves the run when the front list is empty. So a fresh machine of any size costs the
/// same. Until its first request a zone has no lists at all, only the range that will be listed.
struct Zone: BitwiseCopyable {
    static let orderCount = 11
    static let maxOrder = 10

    var type: ZoneType
    var node: Int
    var startPFN: UInt64
    var spanned: UInt64
    var present: UInt64
    var managed: UInt64
    var watermarks = Watermarks()
    /// Pages withheld from a request by the highest zone that it could use.
    var lowmemReserve = InlineArray<6, Int>(repeating: 0)
    /// Pages on the buddy lists: `NR_FREE_PAGES` without what the CPUs hold back.
    var free = 0
    /// How much a CPU may hold back.
    var statThreshold = 0
    /// Blocks per order over all classes: `nr_free`.
    var blockCounts = InlineArray<11, Int>(repeating: 0)
    var lists = InlineArray<55, PageList>(repeating: PageList())
    private var unlistedStart: UInt32 = 0
    private var unlistedEnd: UInt32 = 0
    private var runStart: UInt32 = 0
    private var runEnd: UInt32 = 0
    /// What stands behind the run on its list.
    var behindRun = PageList()
    /// Pages in pageblocks kept for high-order atomic requests.
    var highAtomicReserved = 0

    /// Requests served from this zone as the preferred node's, for `numa_hit`.
    var hits: UInt64 = 0
    /// Requests served here because the preferred node had nothing.
    var misses: UInt64 = 0
    /// Requests that preferred this zone's node and were served elsewhere.
    var foreign: UInt64 = 0
    /// Requests served for CPUs of other nodes, for `numa_other`.
    var remote: UInt64 = 0
    /// Pages of the served requests beyond the first page of each.
    var furtherPages: UInt64 = 0

    init(
        type: ZoneType,
        node: Int,
        startPFN: UInt64,
        spanned: UInt64,
        present: UInt64,
        managed: UInt64
    ) {
        self.type = type
        self.node = node
        self.startPFN = startPFN
        self.spanned = spanned
        self.present = present
        self.managed = managed
    }

    /// Frames that are free since boot and not on lists yet: nobody has asked the zone for anything.
    var unlisted: Range<UInt32> {
        get { unlistedStart..<unlistedEnd }
        set {
            unlistedStart = newValue.lowerBound
            unlistedEnd = newValue.upperBound
        }
    }

    /// The untouched blocks, as frame numbers, a multiple of the largest block apart.
    @inline(__always)
    var run: Range<UInt32> {
        get { runStart..<runEnd }
        set {
            runStart = newValue.lowerBound
            runEnd = newValue.upperBound
        }
    }

    /// Whether more is free than the low mark and the reserve, high-atomic pages and some more apart.
    @inline(__always)
    func isAboveLow(_ highestZoneIndex: Int, besides pages: Int = 0) -> Bool {
        let reserve = lowmemReserve[highestZoneIndex]
        let usable = free &- highAtomicReserved &- pages
        return usable > watermarks.low &+ watermarks.boost &+ reserve
    }

    var endPFN: UInt64 { startPFN + spanned }

    func spans(_ pfn: UInt64) -> Bool { pfn >= startPFN && pfn < endPFN }

    @inline(__always)
    static func list(_ order: Int, _ type: MigrateType) -> Int {
        order &* 5 &+ Int(type.rawValue)
    }

    /// The one list that may hold the run.
    static let runList = list(maxOrder, .movable)

    @inline(__always)
    func isEmpty(_ order: Int, _ type: MigrateType) -> Bool {
        // Unlisted blocks count as movable; whoever asks takes any class.
        if !unlisted.isEmpty { return type != .movable || blockCounts[order] == 0 }
        let index = Self.list(order, type)
        return lists[index].isEmpty && (index != Self.runList || run.isEmpty)
    }
}

/// A zone's marks in pages; the kernel adds the boost to each when it compares.
struct Watermarks: BitwiseCopyable {
    var min = 0
    var low = 0
    var high = 0
    /// Raised by fragmentation, until kswapd works it off.
    var boost = 0
}
