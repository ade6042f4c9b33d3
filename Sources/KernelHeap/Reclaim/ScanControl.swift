/// What one reclaim wants and may do, and how far it came: `struct scan_control`, 6.1.
struct ScanControl {
    /// `DEF_PRIORITY`: a list's 4096th part is looked at.
    static let startPriority = 12
    /// `SWAP_CLUSTER_MAX`.
    static let clusterPages = 32

    /// Pages that would be enough.
    var wanted = clusterPages
    /// Of the request that is short of memory; kswapd's own allow everything.
    var flags: GFPFlags
    var order: Int
    /// Pages of higher zones are no help.
    var highestZone: ZoneType
    var isKswapd = false
    /// The memory cgroup that is at its limit; the root where the machine is short of memory.
    var group = 0
    var cpu: Int
    var priority = startPriority
    var mayWrite = true
    var maySwap = true
    var mayUnmap = true
    /// Whether pages in use may be taken for unused ones, by list.
    var mayDeactivate = (anon: true, file: true)
    /// Plenty of pages of files that were used once: nothing else is looked at.
    var trimsCache = false
    /// Pages of files are few: only anonymous ones are looked at.
    var isFileTiny = false
    /// Searching left in the reverse maps.
    var work = Kernel.reverseMapWork

    var scanned = 0
    var reclaimed = 0
    var counts = ScanCounts()

    init(
        flags: GFPFlags,
        order: Int = 0,
        highestZone: ZoneType,
        cpu: Int,
        wanted: Int = clusterPages
    ) {
        self.flags = flags
        self.order = order
        self.highestZone = highestZone
        self.cpu = cpu
        self.wanted = wanted
    }
}

/// What a look at inactive pages met.
struct ScanCounts {
    var taken = 0
    var filesTaken = 0
    var dirty = 0
    /// Dirty, and nobody writes them yet.
    var unqueued = 0
    var writeback = 0
    /// To be freed as soon as they are written.
    var immediate = 0
}

/// Reclaim's memory of a node between its runs.
struct NodeReclaimState: Sendable {
    /// What it cost of late to take the wrong anonymous pages, and pages of files: `lruvec->anon_cost`.
    var anonCost = 0
    var fileCost = 0
    /// Runs of kswapd in a row that freed nothing: `kswapd_failures`.
    var failures = 0
    /// `PGDAT_DIRTY`: kswapd met nothing but dirty pages, and writes them itself.
    var isDirty = false
    /// `PGDAT_WRITEBACK`: it met nothing but pages being written.
    var isWriting = false
    /// kswapd was woken, for an order and a highest zone.
    var wanted: (order: Int, highestZone: ZoneType)?

    /// `MAX_RECLAIM_RETRIES`: kswapd gives the node up after so many.
    static let mostFailures = 16
    var isHopeless: Bool { failures >= Self.mostFailures }
}
