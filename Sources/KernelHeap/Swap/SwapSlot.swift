/// A page's place in a swap area: `swp_entry_t`.
struct SwapSlot: Hashable, Sendable {
    /// Which of the machine's swap areas.
    var area: Int
    /// Counts pages; the first is the area's header.
    var offset: UInt32

    init(area: Int, offset: UInt32) {
        self.area = area
        self.offset = offset
    }

    /// As an LRU link holds it; 0 means none, for no slot has offset 0.
    init?(packed: UInt32) {
        guard packed != 0 else { return nil }
        area = Int(packed >> 26)
        offset = packed & 0x3ff_ffff
    }

    var packed: UInt32 { UInt32(truncatingIfNeeded: area) << 26 | offset }
}

/// Entries of pages that are in a swap area.
extension PagingFormat {
    /// `_PAGE_SWP_EXCLUSIVE`: no other process may see the page; 64-bit kernels alone have it.
    private static let exclusiveBit: UInt64 = 1 << 3

    /// Whether an entry names a place in a swap area.
    func isSwapEntry(_ entry: PageTableEntry) -> Bool {
        entry.rawValue != 0 && entry.flags.isDisjoint(with: [.present, .noRights])
    }

    /// `swp_entry_to_pte()`: five bits say which area.
    ///
    ///     8 bytes   63 … 59 area | 58 … 9 offset, inverted | 3 exclusive
    ///     4 bytes   31 … 9 offset | 5 … 1 area
    func entry(of slot: SwapSlot, isExclusive: Bool) -> PageTableEntry {
        let area = UInt64(truncatingIfNeeded: slot.area) & 31
        guard entryBytes == 8 else {
            return PageTableEntry(rawValue: UInt64(slot.offset & 0x7f_ffff) << 9 | area << 1)
        }
        let place = (~UInt64(slot.offset) << 14) >> 5
        let bits = isExclusive && levelCount == 4 ? Self.exclusiveBit : 0
        return PageTableEntry(rawValue: area << 59 | place | bits)
    }

    /// The place that an entry names, and whether its page is one process's alone.
    ///
    /// Any bits may stand there: the slot need not exist.
    func swapSlot(of entry: PageTableEntry) -> (slot: SwapSlot, isExclusive: Bool) {
        guard entryBytes == 8 else {
            let offset = UInt32(truncatingIfNeeded: entry.rawValue >> 9)
            return (SwapSlot(area: Int(entry.rawValue >> 1 & 31), offset: offset), false)
        }
        let offset = (~entry.rawValue << 5) >> 14
        let slot = SwapSlot(
            area: Int(entry.rawValue >> 59),
            offset: offset > 0x3ff_ffff ? 0 : UInt32(truncatingIfNeeded: offset)
        )
        return (slot, entry.rawValue & Self.exclusiveBit != 0)
    }
}
