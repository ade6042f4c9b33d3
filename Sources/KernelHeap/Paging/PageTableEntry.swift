/// An entry of a page table, of any format: `pte_t`, `pmd_t`, and so on.
///
///     63   62…52   51 … 12        11…9     8    7     6   5   4     3     2    1    0
///     NX | free  | frame        | SW3…1 |  G  | PS  | D | A | PCD | PWT | US | RW | P |
///
/// Entries of four bytes end at bit 31. An entry that is not present holds what the kernel likes; with
/// bit 8 (`_PAGE_PROTNONE`) it is a page of a process that has no rights to it.
public struct PageTableEntry: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The bits that are no frame number.
    public struct Flags: OptionSet, Hashable, Sendable, BitwiseCopyable {
        public let rawValue: UInt64

        public init(rawValue: UInt64) { self.rawValue = rawValue }

        public static let present = Flags(rawValue: 1 << 0)
        public static let writable = Flags(rawValue: 1 << 1)
        public static let user = Flags(rawValue: 1 << 2)
        public static let writeThrough = Flags(rawValue: 1 << 3)
        public static let cacheDisabled = Flags(rawValue: 1 << 4)
        public static let accessed = Flags(rawValue: 1 << 5)
        public static let dirty = Flags(rawValue: 1 << 6)
        /// Above the last level: the entry maps a large page.
        public static let large = Flags(rawValue: 1 << 7)
        public static let global = Flags(rawValue: 1 << 8)
        /// `_PAGE_SPECIAL`: the frame has no owner, as the shared zero page.
        public static let special = Flags(rawValue: 1 << 9)
        public static let noExecute = Flags(rawValue: 1 << 63)

        /// `_PAGE_PROTNONE`: the same bit as `global`, in an entry that is not present.
        public static let noRights = global

        /// `_KERNPG_TABLE`: a table of the kernel's own.
        static let kernelTable: Flags = [.present, .writable, .accessed, .dirty]
        /// `_PAGE_TABLE`: a table below which each entry says who may.
        static let table: Flags = [.kernelTable, .user]
        /// `PAGE_KERNEL` without the bit that some formats lack.
        static let kernelPage: Flags = [.kernelTable, .global]
        /// `PAGE_KERNEL_NOCACHE`.
        static let kernelDevice: Flags = [.kernelPage, .writeThrough, .cacheDisabled]

        /// What `mprotect` keeps of an entry: `_PAGE_CHG_MASK`.
        static let keptByProtection: Flags = [
            .accessed, .dirty, .special, .writeThrough, .cacheDisabled,
        ]
    }

    /// Names as the recordings print them, lowest bit first.
    static let names: [(name: String, bits: UInt64)] = [
        ("P", 1), ("RW", 1 << 1), ("US", 1 << 2), ("PWT", 1 << 3), ("PCD", 1 << 4), ("A", 1 << 5),
        ("D", 1 << 6), ("PS/PAT", 1 << 7), ("G", 1 << 8), ("SW1", 1 << 9), ("SW2", 1 << 10),
        ("SW3", 1 << 11), ("NX", 1 << 63),
    ]

    public var flags: Flags { Flags(rawValue: rawValue & 0xfff0_0000_0000_0fff) }
    public var isPresent: Bool { rawValue & 1 != 0 }

    /// Names of the set bits: `P RW US A D`.
    public var text: String {
        Self.names.filter { rawValue & $0.bits != 0 }.map(\.name).joined(separator: " ")
    }
}

extension PagingFormat {
    /// Which bits of an entry are a frame number.
    var frameMask: UInt64 { entryBytes == 4 ? 0xffff_f000 : 0x000f_ffff_ffff_f000 }

    /// The frame of an entry; large pages have low bits of their own, which are left out.
    func frame(of entry: PageTableEntry) -> UInt64 { (entry.rawValue & frameMask) >> 12 }

    /// The frame of a page that a process has no rights to.
    ///
    /// Entries of eight bytes hold it inverted, so that a processor which guesses ahead finds no
    /// memory there: `pgtable-invert.h`, 6.1.
    func storedFrame(of entry: PageTableEntry) -> UInt64 {
        let isInverted = entryBytes == 8 && !entry.isPresent && entry.rawValue != 0
        return frame(of: isInverted ? PageTableEntry(rawValue: ~entry.rawValue) : entry)
    }

    /// Makes an entry; what the format has no bits for is left out.
    func entry(frame: UInt64, _ flags: PageTableEntry.Flags) -> PageTableEntry {
        let isInverted = entryBytes == 8 && !flags.contains(.present)
        let place = (isInverted ? ~(frame << 12) : frame << 12) & frameMask
        var bits = flags.rawValue
        if !hasNoExecute { bits &= ~PageTableEntry.Flags.noExecute.rawValue }
        return PageTableEntry(rawValue: place | bits)
    }

    /// An entry with other flags and the same frame.
    func entry(_ entry: PageTableEntry, with flags: PageTableEntry.Flags) -> PageTableEntry {
        self.entry(frame: storedFrame(of: entry), flags)
    }
}
