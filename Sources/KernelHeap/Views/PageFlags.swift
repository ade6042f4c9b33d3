/// What `/proc/kpageflags` says of a page: the `KPF_*` bits of the kernel's interface.
///
/// Raw values are the kernel's, `include/uapi/linux/kernel-page-flags.h`; the bits from 32 on are
/// those that it shows for its developers. The machine has no state for the bits that are missing.
public struct PageFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let locked = PageFlags(rawValue: 1 << 0)
    public static let referenced = PageFlags(rawValue: 1 << 2)
    public static let upToDate = PageFlags(rawValue: 1 << 3)
    public static let dirty = PageFlags(rawValue: 1 << 4)
    public static let lru = PageFlags(rawValue: 1 << 5)
    public static let active = PageFlags(rawValue: 1 << 6)
    public static let slab = PageFlags(rawValue: 1 << 7)
    public static let writeback = PageFlags(rawValue: 1 << 8)
    public static let reclaim = PageFlags(rawValue: 1 << 9)
    public static let buddy = PageFlags(rawValue: 1 << 10)
    public static let mmap = PageFlags(rawValue: 1 << 11)
    public static let anon = PageFlags(rawValue: 1 << 12)
    public static let swapCache = PageFlags(rawValue: 1 << 13)
    public static let swapBacked = PageFlags(rawValue: 1 << 14)
    public static let compoundHead = PageFlags(rawValue: 1 << 15)
    public static let compoundTail = PageFlags(rawValue: 1 << 16)
    public static let unevictable = PageFlags(rawValue: 1 << 18)
    public static let noPage = PageFlags(rawValue: 1 << 20)
    public static let ksm = PageFlags(rawValue: 1 << 21)
    public static let reserved = PageFlags(rawValue: 1 << 32)
    public static let mlocked = PageFlags(rawValue: 1 << 33)

    /// What a page on an LRU list shows of what reclaim keeps of it.
    init(_ page: Page) {
        let aging = page.aging
        self = [.upToDate, .lru]
        if page.mapCount > 0 { insert(.mmap) }
        if !page.isOfFile { insert(.anon) }
        if aging.isDisjoint(with: [.onDisk, .lazyFree]) { insert(.swapBacked) }
        for (state, flags) in Self.agingFlags where aging.contains(state) { formUnion(flags) }
    }

    private static let agingFlags: [(Page.Aging, PageFlags)] = [
        (.referenced, .referenced), (.dirty, .dirty), (.active, .active),
        (.writeback, .writeback), (.reclaim, .reclaim), (.swapCache, .swapCache),
        (.unevictable, [.unevictable, .mlocked]),
    ]

    private static let allNames: [(flag: PageFlags, name: String)] = [
        (.locked, "LOCKED"), (.referenced, "REFERENCED"), (.upToDate, "UPTODATE"),
        (.dirty, "DIRTY"), (.lru, "LRU"), (.active, "ACTIVE"), (.slab, "SLAB"),
        (.writeback, "WRITEBACK"), (.reclaim, "RECLAIM"), (.buddy, "BUDDY"), (.mmap, "MMAP"),
        (.anon, "ANON"), (.swapCache, "SWAPCACHE"), (.swapBacked, "SWAPBACKED"),
        (.compoundHead, "COMPOUND_HEAD"), (.compoundTail, "COMPOUND_TAIL"),
        (.unevictable, "UNEVICTABLE"), (.noPage, "NOPAGE"), (.ksm, "KSM"),
        (.reserved, "RESERVED"), (.mlocked, "MLOCKED"),
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
