/// What `/proc/kpageflags` says of a page: the `KPF_*` bits of the kernel's interface.
///
/// Raw values are the kernel's, `include/uapi/linux/kernel-page-flags.h`; the bits from 32 on are
/// those that it shows for its developers. The machine has no state for the bits that are missing.
public struct PageFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let locked = PageFlags(rawValue: 1 << 0)
    public static let upToDate = PageFlags(rawValue: 1 << 3)
    public static let lru = PageFlags(rawValue: 1 << 5)
    public static let slab = PageFlags(rawValue: 1 << 7)
    public static let buddy = PageFlags(rawValue: 1 << 10)
    public static let mmap = PageFlags(rawValue: 1 << 11)
    public static let anon = PageFlags(rawValue: 1 << 12)
    public static let swapBacked = PageFlags(rawValue: 1 << 14)
    public static let compoundHead = PageFlags(rawValue: 1 << 15)
    public static let compoundTail = PageFlags(rawValue: 1 << 16)
    public static let noPage = PageFlags(rawValue: 1 << 20)
    public static let ksm = PageFlags(rawValue: 1 << 21)
    public static let reserved = PageFlags(rawValue: 1 << 32)

    /// A page of a process's own, as a write fault leaves it.
    static let anonymous: PageFlags = [.upToDate, .lru, .mmap, .anon, .swapBacked]

    private static let allNames: [(flag: PageFlags, name: String)] = [
        (.locked, "LOCKED"), (.upToDate, "UPTODATE"), (.lru, "LRU"), (.slab, "SLAB"),
        (.buddy, "BUDDY"), (.mmap, "MMAP"), (.anon, "ANON"), (.swapBacked, "SWAPBACKED"),
        (.compoundHead, "COMPOUND_HEAD"), (.compoundTail, "COMPOUND_TAIL"), (.noPage, "NOPAGE"),
        (.ksm, "KSM"), (.reserved, "RESERVED"),
    ]

    /// The names of the bits, lowest first, without `KPF_`.
    public var names: [String] { Self.allNames.filter { contains($0.flag) }.map(\.name) }
}

/// Neighbouring frames of which `/proc/kpageflags` and `/proc/kpagecount` say the same.
public struct PageFlagRun: Hashable, Sendable {
    public var start: PFN
    public var pageCount: UInt64
    public var flags: PageFlags
    /// How often the pages are mapped: `page_mapcount()`.
    public var mapCount: UInt64
}
