/// A line of `/proc/meminfo`; values are KiB, but for the four numbers of huge pages.
public enum MemInfoCounter: String, NamedCounter {
    case memTotal = "MemTotal"
    case memFree = "MemFree"
    case memAvailable = "MemAvailable"
    case buffers = "Buffers"
    case cached = "Cached"
    case swapCached = "SwapCached"
    case active = "Active"
    case inactive = "Inactive"
    case activeAnon = "Active(anon)"
    case inactiveAnon = "Inactive(anon)"
    case activeFile = "Active(file)"
    case inactiveFile = "Inactive(file)"
    case unevictable = "Unevictable"
    case mlocked = "Mlocked"
    case highTotal = "HighTotal"
    case highFree = "HighFree"
    case lowTotal = "LowTotal"
    case lowFree = "LowFree"
    case swapTotal = "SwapTotal"
    case swapFree = "SwapFree"
    case zswap = "Zswap"
    case zswapped = "Zswapped"
    case dirty = "Dirty"
    case writeback = "Writeback"
    case anonPages = "AnonPages"
    case mapped = "Mapped"
    case shmem = "Shmem"
    case kernelReclaimable = "KReclaimable"
    case slab = "Slab"
    case slabReclaimable = "SReclaimable"
    case slabUnreclaimable = "SUnreclaim"
    case kernelStack = "KernelStack"
    case pageTables = "PageTables"
    case secondaryPageTables = "SecPageTables"
    case nfsUnstable = "NFS_Unstable"
    case bounce = "Bounce"
    case writebackTemp = "WritebackTmp"
    case commitLimit = "CommitLimit"
    case committedAS = "Committed_AS"
    case vmallocTotal = "VmallocTotal"
    case vmallocUsed = "VmallocUsed"
    case vmallocChunk = "VmallocChunk"
    case percpu = "Percpu"
    case hardwareCorrupted = "HardwareCorrupted"
    case anonHugePages = "AnonHugePages"
    case shmemHugePages = "ShmemHugePages"
    case shmemPmdMapped = "ShmemPmdMapped"
    case fileHugePages = "FileHugePages"
    case filePmdMapped = "FilePmdMapped"
    case hugePagesTotal = "HugePages_Total"
    case hugePagesFree = "HugePages_Free"
    case hugePagesRsvd = "HugePages_Rsvd"
    case hugePagesSurp = "HugePages_Surp"
    case hugePageSize = "Hugepagesize"
    case hugetlb = "Hugetlb"
    case directMap4K = "DirectMap4k"
    case directMap4M = "DirectMap4M"
    case directMap2M = "DirectMap2M"
    case directMap1G = "DirectMap1G"

    /// Whether only kernels with high memory have it.
    public var needsHighMemory: Bool {
        switch self {
        case .highTotal, .highFree, .lowTotal, .lowFree: true
        default: false
        }
    }

    /// Whether it counts huge pages and has no unit.
    public var isHugePageCount: Bool { rawValue.hasPrefix("HugePages_") }

    /// Whether x86_64 prints it; `DirectMap1G` is there with processors that map 1 GiB pages.
    public var isOnX8664: Bool {
        !needsHighMemory && self != .directMap4M && self != .directMap1G
    }

    /// Whether i386 prints it, whose large pages have 4 MiB, or 2 MiB with PAE.
    public func isOnI386(hasPAE: Bool) -> Bool {
        self != .directMap1G && self != (hasPAE ? .directMap4M : .directMap2M)
    }
}

/// What `/proc/meminfo` shows.
public typealias MemInfoView = CounterTable<MemInfoCounter>
