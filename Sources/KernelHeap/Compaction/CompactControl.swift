/// How pages may be moved: `enum migrate_mode`.
enum MigrateMode {
    /// Never waits.
    case async
    /// Waits, but not for the disk.
    case syncLight
    case sync
}

/// One compaction of a zone: `struct compact_control`.
struct CompactControl {
    /// `COMPACT_CLUSTER_MAX`: pages moved at a time.
    static let clusterPages = 32

    let zone: Int
    /// Of the wanted block; nil brings together what can be, as `vm.compact_memory` asks.
    var order: Int?
    var migrateType = MigrateType.movable
    /// What may be done for it.
    var flags = GFPFlags.kernel
    var highestZone = ZoneType.device
    var mode: MigrateMode
    let cpu: Int
    /// For a request that waits, not for a daemon.
    var isDirect = false
    /// kcompactd's own.
    var isDaemon = false
    /// From one end of the zone to the other.
    var isWholeZone = false
    /// Pages may move to where other kinds of pages live.
    var ignoresPageblocks = false

    /// Where the next movable page is looked for; goes up.
    var migratePFN = 0
    /// Where the next free page is looked for; goes down.
    var freePFN = 0
    /// The pageblock is gone through to its end, however many pages that moves.
    var finishesPageblock = false
    /// Pages to move, in ascending order.
    var migratePages: [UInt32] = []
    /// Free pages to move to, the next one last.
    var freePages: [UInt32] = []
    /// Where dirty pages of files went.
    var movedDirty: [UInt32: UInt32] = [:]
    /// Searching left in the reverse maps.
    var work = Kernel.reverseMapWork

    var migrateScanned = 0
    var freeScanned = 0
    var moved = 0
    /// Pages that could not be moved, by why.
    var pinned = 0
    var unmovable = 0

    var isSync: Bool { mode != .async }
    /// A block that cannot come free as a whole is not begun.
    var skipsOnFailure: Bool { isDirect && mode == .async }

    init(zone: Int, mode: MigrateMode, cpu: Int) {
        self.zone = zone
        self.mode = mode
        self.cpu = cpu
    }

    /// The end of the aligned block of the wished order that a frame lies in.
    func blockEnd(_ pfn: Int) -> Int {
        let size = 1 << (order ?? 0)
        return (pfn | (size - 1)) + 1
    }
}

/// What a compaction did, for an explanation.
public struct CompactionSummary: Hashable, Sendable {
    public var zone: ZoneType
    public var node: Int
    /// Of the wanted block; -1 where there was no wish.
    public var order: Int
    /// Pages that moved.
    public var moved: Int
    /// Pages that somebody else holds a reference to.
    public var pinned: Int
    /// Pages that could not be moved for another reason.
    public var unmovable: Int
    public var migrateScanned: Int
    public var freeScanned: Int
    public var result: CompactResult
}
