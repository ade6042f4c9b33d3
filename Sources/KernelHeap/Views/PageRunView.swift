/// Neighbouring frames that share one state: a block, a slab, or a stretch of like frames.
public struct PageRunView: Hashable, Sendable {
    /// What the frames are used for.
    public enum State: Hashable, Sendable {
        /// A block on a buddy list.
        case free(order: Int, migrateType: MigrateType)
        /// Free blocks of the largest order that nobody has split or linked since boot.
        case untouched(order: Int)
        /// A block on a CPU's list.
        case perCPU(order: Int, migrateType: MigrateType)
        case allocated(Block)
        case slab(Slab)
        /// Kept at boot, or in use since before the first call.
        case reserved
        /// No zone spans the frames.
        case hole
    }

    /// An allocated block.
    public struct Block: Hashable, Sendable {
        public var order: Int
        /// `page_count()` of the first page.
        public var references: UInt64
        /// The class that the block goes back to.
        public var migrateType: MigrateType
        /// Allocated with `__GFP_COMP`.
        public var isCompound: Bool
        /// Belongs to a process or to the page cache.
        public var isOnLRU: Bool
        /// Of a page on an LRU list.
        public var user: UserPage?
    }

    /// Whose memory a page on an LRU list is.
    public struct UserPage: Hashable, Sendable {
        public enum Content: String, Hashable, Sendable {
            /// A process's own.
            case anonymous
            /// A file's that lives in memory, or shared anonymous memory.
            case shmem
            /// A file's on a disk.
            case file
        }

        public var content: Content
        public var list: LRUList
    }

    /// A block cut into objects.
    public struct Slab: Hashable, Sendable {
        public var cache: String
        public var order: Int
        public var objects: Int
        public var objectsInUse: Int
        /// Belongs to a CPU: its slab, or in its chain.
        public var isFrozen: Bool
    }

    public var start: PFN
    public var pageCount: UInt64
    /// Nil in a hole.
    public var zone: ZoneType?
    public var node: Int?
    public var state: State
}

/// How the frames of a stretch of memory are used: one column of a picture.
///
/// All amounts are pages; together they are `pageCount`.
public struct PageBucketView: Hashable, Sendable {
    public var start: PFN
    public var pageCount: UInt64
    /// On buddy lists, untouched blocks included.
    public var free: UInt64 = 0
    public var perCPU: UInt64 = 0
    public var allocated: UInt64 = 0
    public var slab: UInt64 = 0
    public var reserved: UInt64 = 0
    public var hole: UInt64 = 0

    init(start: PFN, pageCount: UInt64) {
        self.start = start
        self.pageCount = pageCount
    }

    mutating func add(_ pages: UInt64, of use: FrameRun.Use) {
        switch use {
        case .hole: hole += pages
        case .reserved: reserved += pages
        case .untouched: free += pages
        case .slab: slab += pages
        case .block(let page):
            switch page.kind {
            case .buddy: free += pages
            case .perCPU: perCPU += pages
            case .allocated: allocated += pages
            case .slab: slab += pages
            case .inner: reserved += pages
            }
        }
    }
}
