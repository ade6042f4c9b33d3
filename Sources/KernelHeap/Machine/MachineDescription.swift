/// What a client asks for when a machine is booted.
///
/// Everything has a default.
public struct MachineDescription: Hashable, Sendable {
    public var profile = "linux-6.1-x86_64"
    /// Installed memory in bytes; ignored where `memoryMap` or `zones` is given.
    public var memoryBytes: UInt64 = 1 << 30
    /// Whether a 32-bit machine's kernel has three levels of page tables, and reaches 64 GiB.
    public var pae = false
    /// The largest `kmalloc()` of the classic kernel in bytes; nil for 128 KiB less 16 bytes.
    public var kmallocLimit: UInt64?
    public var cpus = 1
    public var nodes = 1
    /// Source of all randomness of the session.
    public var seed: UInt64 = 1
    /// The kernel's command line.
    public var bootOptions = ""
    public var swapBytes: UInt64 = 0
    /// Most allocations and frees of slab objects to remember, for `biography(of:)`; 0 for none, nil
    /// for as many as the reports of `kasan` want, and none without it.
    public var objectHistory: Int?
    /// Whether the kernel has the address sanitizer: `CONFIG_KASAN_GENERIC`; on x86_64 alone.
    public var kasan = false
    /// The firmware's table of memory; ignored where `zones` is given.
    public var memoryMap: [MemoryRegion]?
    /// All that the kernel keeps of a memory map, beside the lowest MiB; what is left out is the
    /// kernel's image and its page structures.
    public var reserved: [MemoryReservation]?
    /// An explicit zone table, for machines that start in a given state.
    public var zones: [ZoneDescription]?

    public init() {}

    /// What `objectHistory` comes to.
    public var rememberedEvents: Int { objectHistory ?? (kasan ? ObjectHistory.sanitizedLimit : 0) }
}

/// Bytes that the kernel keeps from boot on: its image, an initial file system, page structures.
public struct MemoryReservation: Hashable, Sendable {
    /// The first byte.
    public var start: UInt64
    /// The last byte.
    public var last: UInt64

    public init(start: UInt64, last: UInt64) {
        self.start = start
        self.last = last
    }
}

/// A zone in a given state.
///
/// What is left out is computed as at boot.
public struct ZoneDescription: Hashable, Sendable {
    public var node = 0
    public var name = ZoneType.normal
    public var startPFN: UInt64 = 0
    public var spanned: UInt64 = 0
    public var present: UInt64 = 0
    public var managed: UInt64 = 0
    public var watermarks: WatermarksDescription?
    /// Pages withheld from requests that could use a higher zone, by the request's zone.
    public var lowmemReserve: [UInt64]?
    public var pageblocks: [PageblockRun]?
    public var freeLists: [FreeListDescription]?
    public var pcp: [PerCPUPagesDescription]?

    public init() {}
}

/// Watermarks in pages.
public struct WatermarksDescription: Hashable, Sendable {
    public var min: UInt64
    public var low: UInt64
    public var high: UInt64
    public var boost: UInt64

    public init(min: UInt64, low: UInt64, high: UInt64, boost: UInt64 = 0) {
        self.min = min
        self.low = low
        self.high = high
        self.boost = boost
    }
}

/// `count` pageblocks of one mobility class.
public struct PageblockRun: Hashable, Sendable {
    public var startPFN: UInt64
    public var count: UInt64
    public var migrateType: MigrateType
    /// Pages of these blocks that sit on LRU lists.
    public var lruPages: UInt64

    public init(startPFN: UInt64, count: UInt64, migrateType: MigrateType, lruPages: UInt64 = 0) {
        self.startPFN = startPFN
        self.count = count
        self.migrateType = migrateType
        self.lruPages = lruPages
    }
}

/// A buddy free list, head to tail.
public struct FreeListDescription: Hashable, Sendable {
    public var order: Int
    public var migrateType: MigrateType
    public var pfns: [UInt64]

    public init(order: Int, migrateType: MigrateType, pfns: [UInt64]) {
        self.order = order
        self.migrateType = migrateType
        self.pfns = pfns
    }
}

/// The per-CPU page lists of one CPU in one zone.
public struct PerCPUPagesDescription: Hashable, Sendable {
    public struct List: Hashable, Sendable {
        /// The kernel's list index.
        public var index: Int
        /// Head to tail.
        public var pfns: [UInt64]

        public init(index: Int, pfns: [UInt64]) {
            self.index = index
            self.pfns = pfns
        }
    }

    public var cpu: Int
    public var batch: UInt64?
    public var high: UInt64?
    public var freeFactor: UInt64
    public var lists: [List]

    public init(
        cpu: Int,
        batch: UInt64? = nil,
        high: UInt64? = nil,
        freeFactor: UInt64 = 0,
        lists: [List] = []
    ) {
        self.cpu = cpu
        self.batch = batch
        self.high = high
        self.freeFactor = freeFactor
        self.lists = lists
    }
}

/// A description that no machine can be booted from.
public struct MachineError: Error, Hashable, Sendable {
    /// JSON pointer inside the machine object: `/zones/0/spanned`.
    public let pointer: String
    /// What is wrong, and what would be valid.
    public let message: String

    public init(_ pointer: String, _ message: String) {
        self.pointer = pointer
        self.message = message
    }
}
