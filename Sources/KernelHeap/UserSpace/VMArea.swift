/// A range of user addresses with one set of rights: `struct vm_area_struct`.
public struct VMArea: Hashable, Sendable {
    /// First address; a multiple of the page size.
    public internal(set) var start: UInt64
    /// First address behind it.
    public internal(set) var end: UInt64
    public internal(set) var rights: MemoryRights
    public internal(set) var flags: VMFlags
    /// Where the area begins in its file, in pages: `vm_pgoff`.
    ///
    /// Of private anonymous memory, the page that it was made at.
    public internal(set) var pageOffset: UInt64
    /// The place of its file among the machine's; nil for private anonymous memory.
    var file: Int?
    /// The `struct file` of a device that the area shows, by its address.
    var device: UInt64?
    /// Which `anon_vma` its own pages belong to; 0 while it has none.
    var pageOwner: UInt64 = 0

    init(
        start: UInt64,
        end: UInt64,
        rights: MemoryRights,
        flags: VMFlags = [],
        pageOffset: UInt64? = nil,
        file: Int? = nil
    ) {
        self.start = start
        self.end = end
        self.rights = rights
        self.flags = flags
        self.pageOffset = pageOffset ?? start >> 12
        self.file = file
    }

    public var length: UInt64 { end - start }
    public var pageCount: UInt64 { (end - start) >> 12 }
    public var isShared: Bool { flags.contains(.shared) }
    /// Where the area's claim begins: a stack keeps `stack_guard_gap` below it free.
    var guardedStart: UInt64 {
        flags.contains(.growsDown) ? start - min(start, Self.stackGuardBytes) : start
    }

    /// `stack_guard_gap`: 256 pages.
    static let stackGuardBytes: UInt64 = 256 << 12

    /// The page of its file that an address shows.
    func filePage(_ address: UInt64) -> UInt64 { pageOffset &+ (address &- start) >> 12 }

    /// What the area promises to back with memory: `VM_ACCOUNT`.
    var isAccounted: Bool { flags.contains(.accounted) }
}

/// Joining of neighbours, as in `mm/mmap.c`, 6.1.
extension VMArea {
    /// Whether an area becomes the end of this one: `can_vma_merge_after()`.
    func takesBehind(_ area: VMArea) -> Bool {
        end == area.start && isAlike(area) && pageOffset &+ pageCount == area.pageOffset
            && takesPages(of: area)
    }

    /// Whether an area becomes the beginning of this one: `can_vma_merge_before()`.
    func takesBefore(_ area: VMArea) -> Bool {
        area.end == start && isAlike(area) && area.pageOffset &+ area.pageCount == pageOffset
            && takesPages(of: area)
    }

    /// Whether this area's `anon_vma` may serve a neighbour that has none, when that one needs one:
    /// `reusable_anon_vma()`.
    func lendsPageOwner(to area: VMArea) -> Bool {
        pageOwner != 0 && !flags.contains(.inherited) && file == area.file
            && flags.symmetricDifference(area.flags).isDisjoint(with: .decidesMerging)
            && pageOffset &+ start.distancePages(to: area.start) == area.pageOffset
    }

    private func isAlike(_ area: VMArea) -> Bool {
        rights == area.rights && file == area.file && device == area.device
            && flags.isDisjoint(with: .special)
            && flags.symmetricDifference(area.flags).isDisjoint(with: .decidesMerging)
    }

    /// `is_mergeable_anon_vma()`: pages of another owner never come in, and an area from before a
    /// fork takes no page that came after.
    private func takesPages(of area: VMArea) -> Bool {
        pageOwner == area.pageOwner || (area.pageOwner == 0 && !flags.contains(.inherited))
    }
}

extension UInt64 {
    /// Pages from here to another address, as a number that wraps where that is lower.
    fileprivate func distancePages(to other: UInt64) -> UInt64 {
        other >= self ? (other - self) >> 12 : 0 &- (self - other) >> 12
    }
}

/// What an area is beside its rights: the `VM_*` bits that act here.
public struct VMFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let shared = VMFlags(rawValue: 1 << 0)
    public static let growsDown = VMFlags(rawValue: 1 << 1)
    public static let locked = VMFlags(rawValue: 1 << 2)
    public static let sequential = VMFlags(rawValue: 1 << 3)
    public static let random = VMFlags(rawValue: 1 << 4)
    public static let notCopied = VMFlags(rawValue: 1 << 5)
    public static let accounted = VMFlags(rawValue: 1 << 6)
    public static let notReserved = VMFlags(rawValue: 1 << 7)
    public static let wipedOnFork = VMFlags(rawValue: 1 << 8)
    public static let notDumped = VMFlags(rawValue: 1 << 9)
    public static let hugePages = VMFlags(rawValue: 1 << 10)
    public static let noHugePages = VMFlags(rawValue: 1 << 11)
    public static let mergeable = VMFlags(rawValue: 1 << 12)
    /// `VM_IO`.
    public static let deviceMemory = VMFlags(rawValue: 1 << 13)
    /// Its pages are frames that nobody counts: `VM_PFNMAP`.
    public static let pfnMapped = VMFlags(rawValue: 1 << 14)
    /// `VM_DONTEXPAND`.
    public static let notExpanded = VMFlags(rawValue: 1 << 15)
    /// `VM_SPECIAL`: never merged, locked or brought in.
    static let special: VMFlags = [.deviceMemory, .pfnMapped, .notExpanded]
    /// The area came by a fork, so that its `anon_vma_chain` has more than one link.
    static let inherited = VMFlags(rawValue: 1 << 31)

    private static let table: [(VMFlags, String)] = [
        (.growsDown, "grows_down"), (.locked, "locked"), (.sequential, "sequential"),
        (.random, "random"), (.notCopied, "dont_fork"), (.accounted, "accounted"),
        (.notReserved, "no_reserve"), (.wipedOnFork, "wipe_on_fork"),
        (.notDumped, "dont_dump"), (.hugePages, "huge_page"), (.noHugePages, "no_huge_page"),
        (.mergeable, "mergeable"), (.deviceMemory, "io"), (.pfnMapped, "pfn_map"),
        (.notExpanded, "dont_expand"),
    ]

    /// The names of the bits but `shared`, which the letters of the rights show.
    public var names: [String] { Self.table.filter { contains($0.0) }.map(\.1) }

    /// Bits that neighbours must agree in.
    static let decidesMerging = VMFlags(rawValue: ~VMFlags.inherited.rawValue)
}

/// What user code may do with memory: the `PROT_*` bits.
public struct MemoryRights: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let read = MemoryRights(rawValue: 1)
    public static let write = MemoryRights(rawValue: 2)
    public static let execute = MemoryRights(rawValue: 4)

    /// The names that `mmap` takes.
    static let names = FlagNames(
        "prot",
        [
            FlagName("PROT_NONE", 0), FlagName("PROT_READ", 1), FlagName("PROT_WRITE", 2),
            FlagName("PROT_EXEC", 4),
        ]
    )

    /// `rw-` as in `/proc/<pid>/maps`.
    var text: String {
        (contains(.read) ? "r" : "-") + (contains(.write) ? "w" : "-")
            + (contains(.execute) ? "x" : "-")
    }
}
