/// One owner of a page: the one that it has or had last, or an earlier one.
public struct PageOwnerView: Hashable, Sendable {
    public var pfn: PFN
    /// Of the block that the page was allocated with; 0 after `split_page()`.
    public var order: Int
    public var zone: ZoneType
    public var node: Int
    /// The class that the flags asked for.
    public var migrateType: MigrateType
    /// The class of the pageblock now.
    public var blockType: MigrateType
    public var flags: GFPFlags
    public var pid: Int
    public var command: String
    public var allocation: PageMoment
    /// Nil while the owner has the page.
    public var release: PageMoment?
    /// Whether compaction has moved the page's content here.
    public var isMigrated: Bool
    /// Owners that the page had before.
    public var earlierCount: UInt64

    public var isAllocated: Bool { release == nil }
    /// Bytes of the block.
    public var size: UInt64 { 4096 << UInt64(order) }
}

/// When and by which call a page was allocated or freed.
public struct PageMoment: Hashable, Sendable {
    /// Nil for what the boot did.
    public var call: UInt64?
    public var function: String?
    /// Since boot.
    public var nanoseconds: UInt64
}

/// Every owner of one page that is known.
public struct PageOwnerHistory: Hashable, Sendable {
    /// The one it has, or had last; nil where nobody was seen to allocate the page.
    public var owner: PageOwnerView?
    /// Those before, oldest first.
    public var earlier: [PageOwnerView]
}

/// A block of pages in use, with all that `/sys/kernel/debug/page_owner` tells of it.
public struct PageOwnerEntry: Hashable, Sendable {
    public var owner: PageOwnerView
    /// `free_ts`: when an earlier owner freed the page; 0 for never.
    public var freedAt: UInt64
    /// Logarithm of the pages of a pageblock.
    public var pageblockOrder: Int
    /// `page->flags` with their names.
    public var pageFlags: String
    /// Function and call of the allocation, as reports name them.
    public var stack: [String]
    /// What the page is charged to; empty where it is no group's.
    public var charge: [String]
}

/// Which owners are wanted.
public struct PageOwnerFilter: Hashable, Sendable {
    /// Whether pages in use are wanted, or those that were given back.
    public var isAllocated = true
    /// Bytes of a block.
    public var sizes: ClosedRange<UInt64> = 0...UInt64.max
    public var zone: ZoneType?
    public var migrateType: MigrateType?
    public var function: String?
    public var call: UInt64?
    public var pid: UInt64?
    /// Calls since the allocation; the boot's is as old as the machine.
    public var ages: ClosedRange<UInt64> = 0...UInt64.max

    public init() {}
}

/// Which owners come first.
public enum PageOwnerOrder: String, CaseIterable, Hashable, Sendable {
    /// The largest blocks.
    case size
    /// The oldest allocations.
    case age
}
