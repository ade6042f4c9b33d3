/// A memory cgroup: what the processes in it may have of memory, and what they have.
///
/// Follows the second version of control groups (`Documentation/admin-guide/cgroup-v2.rst`, 6.1):
/// a group's pages count in all groups above it, and every limit on the way must hold.
struct MemoryCgroup: Sendable {
    /// From the root, with a slash in front: `/a/b`; the root's is `/`.
    let path: String
    /// The group above; nil for the root.
    let parent: Int?
    /// The group and all above it but the root, which has no limits.
    let lineage: [Int]
    /// The groups below it, in the order of their making.
    var children: [Int] = []
    /// Removed groups stay until their last page is free.
    var isRemoved = false
    var limits = CgroupLimits()
    /// Pages of the group and of those below it.
    var usage: UInt64 = 0
    /// Most that `usage` ever was.
    var peak: UInt64 = 0
    /// Charges that met the limit: `failcnt`.
    var failures: UInt64 = 0
    var events = CgroupEvents()
    var statistics = CgroupStatistics()
    /// `memory.oom.group`: all of its processes are killed, or none.
    var isKilledWhole = false

    init(path: String, parent: Int?, lineage: [Int] = []) {
        self.path = path
        self.parent = parent
        self.lineage = lineage
    }
}

/// Limits of a group, in pages; `max` is none.
struct CgroupLimits: Hashable, Sendable {
    /// What is never taken from it.
    var min: UInt64 = 0
    /// What is taken only where nothing else is left.
    var low: UInt64 = 0
    /// Above, its processes reclaim what they charge.
    var high: UInt64 = .max
    /// Above, nothing is charged.
    var max: UInt64 = .max
}

/// `memory.events`: the group's, and of all below it.
struct CgroupEvents: Hashable, Sendable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var max: UInt64 = 0
    var oom: UInt64 = 0
    var oomKill: UInt64 = 0
    var oomGroupKill: UInt64 = 0

    /// In the order of the file.
    var named: [(name: String, count: UInt64)] {
        [
            ("low", low), ("high", high), ("max", max), ("oom", oom), ("oom_kill", oomKill),
            ("oom_group_kill", oomGroupKill),
        ]
    }
}

/// What a group's own memory is, without the groups below it.
struct CgroupStatistics: Hashable, Sendable {
    /// Pages of processes.
    var anonymous: UInt64 = 0
    /// Pages of files, those that live in memory among them.
    var file: UInt64 = 0
    /// Of these, pages of files that live in memory.
    var shared: UInt64 = 0
    /// Pages of the kernel's: tables, and what was asked for with `__GFP_ACCOUNT`.
    var kernelPages: UInt64 = 0
    /// Of these, page tables.
    var tables: UInt64 = 0
    /// Bytes of slab objects with what the kernel keeps beside each: a pointer to the group.
    var objectBytes: UInt64 = 0
    /// Of these, in caches that can be reclaimed.
    var reclaimableBytes: UInt64 = 0
    var scannedByKswapd: UInt64 = 0
    var scannedDirectly: UInt64 = 0
    var freedByKswapd: UInt64 = 0
    var freedDirectly: UInt64 = 0

    mutating func add(_ other: CgroupStatistics) {
        anonymous &+= other.anonymous
        file &+= other.file
        shared &+= other.shared
        kernelPages &+= other.kernelPages
        tables &+= other.tables
        objectBytes &+= other.objectBytes
        reclaimableBytes &+= other.reclaimableBytes
        scannedByKswapd &+= other.scannedByKswapd
        scannedDirectly &+= other.scannedDirectly
        freedByKswapd &+= other.freedByKswapd
        freedDirectly &+= other.freedDirectly
    }

    /// Pages that objects of so many bytes are charged for.
    static func pages(ofObjects bytes: UInt64) -> UInt64 { (bytes &+ 4095) / 4096 }
}
