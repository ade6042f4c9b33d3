/// The window of permanent maps: which slot shows which page, and how often it was asked for.
///
///     count 0    free: the entry is empty
///     count 1    given back, but the entry and `page_address()` stay until a flush
///     count n+1  in use n times
///
/// New pages take the slots one after another. When the number comes round to 0, all slots of count 1
/// are flushed; before that, a page that was given back finds its old slot again. Follows `kmap_high()`,
/// `map_new_virtual()` and `flush_all_zero_pkmaps()`, `mm/highmem.c`, 6.1; the recordings are
/// `i386/*/kmap`. The page tables are the machine's: see `Kernel+Kmap.swift`.
struct PkmapTable: Sendable {
    /// Someone who waits for a slot.
    struct Sleeper: Hashable, Sendable {
        var frame: UInt32
        var pid: Int
        var cpu: Int
        /// The call that sleeps.
        var call: UInt64
    }

    /// What became of a wish for a page.
    enum Outcome: Hashable, Sendable {
        /// The page has a slot already.
        case found(slot: Int)
        /// It takes a new one, and the flushed ones lost theirs.
        case taken(slot: Int)
        /// No slot is free.
        case full
    }

    /// A slot that a page is or was shown by.
    struct Slot: Hashable, Sendable {
        /// `pkmap_count`.
        var count: UInt32 = 0
        var frame: UInt32 = 0
        /// The call that mapped it first.
        var call: UInt64 = 0
    }

    /// `PKMAP_BASE`.
    let base: UInt64
    /// `LAST_PKMAP`: a power of two, or 0 on machines without such a window.
    let slotCount: Int
    /// Empty until something is mapped.
    private(set) var slots: [Slot] = []
    /// `page_address_htable`: the slot of each frame that has one.
    private var places: [UInt32: Int] = [:]
    /// `last_pkmap_nr`.
    private(set) var last = 0
    /// How often the window was flushed.
    private(set) var flushes: UInt64 = 0
    /// Slots flushed since this was last emptied.
    private(set) var flushed: [Int] = []
    /// Longest waiting first.
    var sleepers: [Sleeper] = []

    /// More that sleep are answered so, and not woken.
    static let sleeperLimit = 256

    init(base: UInt64 = 0, slotCount: Int = 0) {
        self.base = base
        self.slotCount = slotCount
    }

    var heldBytes: Int {
        slots.count * MemoryLayout<Slot>.stride + places.count * 32
            + sleepers.count * MemoryLayout<Sleeper>.stride
    }

    var addresses: Range<UInt64> { base..<base + UInt64(slotCount) << 12 }

    /// `PKMAP_ADDR()`.
    func address(of slot: Int) -> UInt64 { base + UInt64(slot) << 12 }

    /// The slot that a frame has, in use or not yet flushed.
    func slot(of frame: UInt32) -> Int? { places[frame] }

    /// Maps a page once more: `kmap_high()`.
    ///
    /// - Parameters:
    ///   - frame: of high memory.
    ///   - call: that asks.
    /// - Returns: its slot, counted; or that none is free. `flushed` names what the search flushed.
    mutating func map(_ frame: UInt32, call: UInt64) -> Outcome {
        flushed = []
        if let slot = places[frame] {
            count(slot)
            return .found(slot: slot)
        }
        guard let slot = newSlot() else { return .full }
        slots[slot] = Slot(count: 1, frame: frame, call: call)
        places[frame] = slot
        count(slot)
        return .taken(slot: slot)
    }

    private mutating func count(_ slot: Int) {
        // The kernel's count is an int; a session does not live to see its end.
        if slots[slot].count < UInt32(Int32.max) { slots[slot].count += 1 }
    }

    /// The next slot of count 0: `map_new_virtual()` up to where it would sleep.
    private mutating func newSlot() -> Int? {
        if slots.isEmpty { slots = Array(repeating: Slot(), count: slotCount) }
        var rest = slotCount
        while rest > 0 {
            last = (last + 1) & (slotCount - 1)
            if last == 0 {
                flush()
                rest = slotCount
            }
            if slots[last].count == 0 { return last }
            rest -= 1
        }
        return nil
    }

    /// What is wrong with an unmap.
    enum Misuse: Error, Hashable {
        /// The page has no slot.
        case notMapped
        /// It has one that nobody uses.
        case notInUse
    }

    /// Gives one use back: `kunmap_high()`.
    ///
    /// - Returns: the slot, where its last use was given back and sleepers are woken; nil else.
    mutating func unmap(_ frame: UInt32) throws(Misuse) -> Int? {
        guard let slot = places[frame] else { throw .notMapped }
        guard slots[slot].count > 1 else { throw .notInUse }
        slots[slot].count -= 1
        return slots[slot].count == 1 ? slot : nil
    }

    /// Flushes what nobody uses, as `kmap_flush_unused()` does.
    ///
    /// - Returns: the slots whose entries go.
    mutating func flushUnused() -> [Int] {
        flushed = []
        flush()
        return flushed
    }

    private mutating func flush() {
        flushes &+= 1
        for slot in slots.indices where slots[slot].count == 1 {
            places[slots[slot].frame] = nil
            slots[slot] = Slot()
            flushed.append(slot)
        }
    }
}
