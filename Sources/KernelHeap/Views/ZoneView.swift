/// A zone as the kernel's texts and the API show it.
///
/// All amounts are pages.
public struct ZoneView: Hashable, Sendable {
    /// The per-CPU page lists of one CPU.
    public struct PageSet: Hashable, Sendable {
        public var cpu: Int
        public var count: UInt64
        public var high: UInt64
        public var batch: UInt64
        /// A CPU's counters may be off by this before they are added to the zone's.
        public var statThreshold: Int

        public init(cpu: Int, count: UInt64, high: UInt64, batch: UInt64, statThreshold: Int) {
            self.cpu = cpu
            self.count = count
            self.high = high
            self.batch = batch
            self.statThreshold = statThreshold
        }
    }

    public var node: Int
    public var type: ZoneType
    public var free: UInt64 = 0
    public var boost: UInt64 = 0
    /// The watermarks with the boost in them, as the kernel prints them.
    public var min: UInt64 = 0
    public var low: UInt64 = 0
    public var high: UInt64 = 0
    public var startPFN: UInt64 = 0
    public var spanned: UInt64 = 0
    public var present: UInt64 = 0
    public var managed: UInt64 = 0
    public var cma: UInt64 = 0
    /// Kept in whole pageblocks for high-order atomic requests; no `/proc` file shows it.
    public var highAtomicReserved: UInt64 = 0
    /// `lowmem_reserve`, by the highest zone that a request may use.
    public var protection: [UInt64] = []
    public var stats = ZoneStats()
    public var pageSets: [PageSet] = []
    /// `NODE_RECLAIM` gave up on the node.
    public var isNodeUnreclaimable = false
    /// Free blocks by order, then by the raw value of `MigrateType`.
    public var freeBlocks: [[UInt64]] = []
    /// Pageblocks by the raw value of `MigrateType`.
    public var pageblocks: [UInt64] = []

    /// An empty zone.
    public init(node: Int, type: ZoneType) {
        self.node = node
        self.type = type
    }

    /// Whether the zone has any memory; `/proc` files leave out most of an empty zone.
    public var isPopulated: Bool { present > 0 }
}

/// A node: its counters, and its zones from the lowest, empty ones included.
public struct NodeView: Hashable, Sendable {
    public var id: Int
    public var stats: NodeStats
    public var zones: [ZoneView]

    public init(id: Int, stats: NodeStats, zones: [ZoneView]) {
        self.id = id
        self.stats = stats
        self.zones = zones
    }
}
