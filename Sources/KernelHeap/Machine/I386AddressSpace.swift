/// The kernel's gigabyte of a 32-bit machine: windows from its top downwards, low memory below.
///
///     3G                                                                             4G
///     | direct map …   | gap | vmalloc … | gap | pkmap | LDT | CPU entry areas | fixmap | page |
///     PAGE_OFFSET  high_memory                 PKMAP_BASE             FIXADDR_START
///
/// Each window begins where a page-directory entry does, so that it has page tables of its own. What
/// they take is taken from the vmalloc area, and that area from the direct map. Follows
/// `arch/x86/include/asm/pgtable_32_areas.h`, 6.1; the classic kernel has neither LDT nor entry areas.
public struct I386AddressSpace: Hashable, Sendable {
    /// Three levels of page tables, and memory beyond 4 GiB.
    public var hasPAE: Bool
    /// Addresses kept for vmalloc at least, in bytes: `__VMALLOC_RESERVE`, `vmalloc=`.
    public var vmallocReserve: UInt64 = 128 << 20
    /// The kernel of the textbooks.
    public let isClassic: Bool

    public static let pageOffset: UInt64 = 0xc000_0000
    public static let fixmapTop: UInt64 = 0xffff_f000
    /// The gap between the direct map and the vmalloc area.
    public static let vmallocOffset: UInt64 = 8 << 20
    /// `NR_CPUS`, which sizes the windows.
    static let cpuLimit: UInt64 = 32
    /// `KM_MAX_IDX`: atomic mappings that a CPU may hold.
    static let atomicMaps: UInt64 = 16

    public init(hasPAE: Bool, isClassic: Bool = false) {
        self.hasPAE = hasPAE
        self.isClassic = isClassic
    }

    /// Bytes that one entry of a page directory covers.
    public var directoryEntryBytes: UInt64 { hasPAE ? 2 << 20 : 4 << 20 }
    /// Entries of the table behind the permanent maps: `LAST_PKMAP`.
    public var permanentMaps: UInt64 { hasPAE ? 512 : 1_024 }
    /// Slots of the fixed maps: 68 with names and one per CPU and atomic mapping, and a guard.
    private var fixedSlots: UInt64 { isClassic ? 640 : 583 }
    /// Slots that only the boot uses lie below them: 512 for early mappings, on their own boundary.
    var bootSlots: UInt64 { 1_537 }
    /// Pages of each CPU's entry area.
    static let entryAreaPages: UInt64 = 43

    public var fixmapStart: UInt64 { Self.fixmapTop - fixedSlots << 12 }
    public var cpuEntryAreas: UInt64 {
        let start = Self.fixmapTop - bootSlots << 12
        return below(start - (Self.cpuLimit * Self.entryAreaPages) << 12)
    }
    public var ldt: UInt64 { below(cpuEntryAreas) }
    public var pkmapBase: UInt64 {
        // The classic kernel's lie directly below the fixed maps.
        isClassic
            ? (fixmapStart - (permanentMaps + 1) << 12) & ~(directoryEntryBytes - 1) : below(ldt)
    }

    /// The first boundary at least a page below an address.
    private func below(_ address: UInt64) -> UInt64 {
        (address - 4_096) & ~(directoryEntryBytes - 1)
    }

    /// First address behind the vmalloc area.
    ///
    /// - Parameter hasHighMemory: the classic kernel without any has no permanent maps either.
    /// - Returns: an address below the permanent maps, or below the fixed maps.
    public func vmallocEnd(hasHighMemory: Bool = true) -> UInt64 {
        (isClassic && !hasHighMemory ? fixmapStart : pkmapBase) - 8_192
    }

    /// How much the direct map can hold, in bytes: `MAXMEM`.
    public var maximumLowMemory: UInt64 {
        // The classic kernel reckons with the whole gigabyte: 896 MiB.
        isClassic
            ? (1 << 30) - vmallocReserve : vmallocEnd() - Self.pageOffset - vmallocReserve
    }

    /// First address of the vmalloc area, on a machine of so much low memory.
    public func vmallocStart(highMemory: UInt64) -> UInt64 {
        // The classic kernel rounds to the gap's own size.
        isClassic
            ? (highMemory + 2 * Self.vmallocOffset - 1) & ~(Self.vmallocOffset - 1)
            : highMemory + Self.vmallocOffset
    }

    /// Where the kernel of a machine sees its memory.
    ///
    /// - Parameters:
    ///   - lowEndPFN: first frame that is not low memory.
    ///   - endPFN: first frame behind all memory.
    ///   - descriptors: address of the page descriptors.
    ///   - descriptorBytes: bytes of each.
    /// - Returns: the numbers behind its address arithmetic.
    public func layout(
        lowEndPFN: UInt64,
        endPFN: UInt64,
        descriptors: UInt64,
        descriptorBytes: UInt64
    ) -> AddressLayout {
        AddressLayout(
            pageOffset: Self.pageOffset,
            addressMask: 0xffff_ffff,
            directMapEndPFN: lowEndPFN,
            descriptors: descriptors,
            descriptorBytes: descriptorBytes,
            imageOffset: Self.pageOffset,
            userEnd: Self.pageOffset,
            wordBytes: 4,
            pageblockOrder: hasPAE ? 9 : 10,
            vmallocStart: vmallocStart(highMemory: Self.pageOffset + lowEndPFN << 12),
            vmallocEnd: vmallocEnd(hasHighMemory: endPFN > lowEndPFN),
            fixmapStart: fixmapStart,
            descriptorEndPFN: endPFN
        )
    }
}
