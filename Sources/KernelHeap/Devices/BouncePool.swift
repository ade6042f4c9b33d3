/// Memory below 4 GiB through which devices reach memory that is beyond them: swiotlb, 6.1.
struct BouncePool: Sendable {
    static let slotBytes: UInt64 = 2_048
    /// No mapping is larger: slots of one segment.
    static let segmentSlots = 128
    static let slotCount = 32_768
    /// Host memory, about, in bytes.
    static let heldBytes = 80_000

    /// Slots in a row that stand for the memory of one mapping.
    private struct Run {
        /// Slots that are not given back.
        var slots: Int
        /// The physical address of what they stand for, and its bytes.
        let origin: UInt64
        let bytes: UInt64
    }

    /// What an address in the pool stands for: its slot's share of a mapping, and all behind that.
    struct Part {
        /// The physical address that the slot stands for, and the mapping's bytes from there on.
        let origin: UInt64
        let bytes: UInt64
        /// Of the address in its slot, in bytes.
        let offset: UInt64
    }

    private static let free = UInt16.max

    /// The pool's physical address.
    let start: UInt64
    /// For each slot the first one of its run.
    private var firsts = [UInt16](repeating: free, count: slotCount)
    /// By the first slot.
    private var runs: [UInt16: Run] = [:]
    private(set) var usedCount = 0
    /// Where each area's search goes on.
    private var next: [Int]

    /// - Parameters:
    ///   - start: physical.
    ///   - cpus: each has an area of its own, as many as the next power of two.
    init(start: UInt64, cpus: Int) {
        self.start = start
        var areas = 1
        while areas < cpus, areas < 64 { areas *= 2 }
        next = Array(repeating: 0, count: areas)
    }

    private var areaSlots: Int { Self.slotCount / next.count }

    func contains(_ physical: UInt64) -> Bool {
        physical >= start && physical - start < UInt64(Self.slotCount) * Self.slotBytes
    }

    /// What an address stands for; nil where its slot is free.
    func part(at physical: UInt64) -> Part? {
        guard contains(physical) else { return nil }
        let slot = slot(physical)
        guard let run = runs[firsts[slot]] else { return nil }
        let ahead = UInt64(slot - Int(firsts[slot])) * Self.slotBytes
        guard ahead < run.bytes else { return nil }
        return Part(
            origin: run.origin &+ ahead,
            bytes: run.bytes - ahead,
            offset: (physical - start) % Self.slotBytes
        )
    }

    private func slot(_ physical: UInt64) -> Int { Int((physical - start) / Self.slotBytes) }

    /// `swiotlb_find_slots()`: the CPU's own area first.
    ///
    /// - Parameters:
    ///   - bytes: of the mapping.
    ///   - origin: its physical address.
    ///   - cpu: of the caller.
    /// - Returns: a physical address; nil where no segment has so many free slots in a row.
    mutating func take(_ bytes: UInt64, for origin: UInt64, cpu: Int) -> UInt64? {
        let most = UInt64(Self.segmentSlots) * Self.slotBytes
        guard bytes > 0, bytes <= most else { return nil }
        let count = Self.slots(for: bytes)
        // Whole pages lie on pages.
        let stride = bytes >= 4_096 ? 2 : 1
        for turn in next.indices {
            let area = (cpu + turn) % next.count
            guard let slot = find(count, stride, in: area) else { continue }
            let first = UInt16(truncatingIfNeeded: slot)
            for place in slot..<slot + count { firsts[place] = first }
            usedCount += count
            runs[first] = Run(slots: count, origin: origin, bytes: bytes)
            let behind = slot - area * areaSlots + count
            next[area] = behind < areaSlots ? behind : 0
            return start + UInt64(slot) * Self.slotBytes
        }
        return nil
    }

    private func find(_ count: Int, _ stride: Int, in area: Int) -> Int? {
        let base = area * areaSlots
        let first = (next[area] + stride - 1) / stride * stride % areaSlots
        var place = first
        repeat {
            let slot = base + place
            let fits = slot % Self.segmentSlots + count <= Self.segmentSlots
            if fits, firsts[slot..<slot + count].allSatisfy({ $0 == Self.free }) { return slot }
            place += stride
            if place >= areaSlots { place = 0 }
        } while place != first
        return nil
    }

    /// `swiotlb_release_slots()`: from the address on, whatever of the mapping lies before it.
    mutating func release(_ physical: UInt64) {
        guard let part = part(at: physical) else { return }
        let slot = slot(physical)
        for place in slot..<min(slot + Self.slots(for: part.bytes), Self.slotCount) {
            vacate(place)
        }
    }

    private mutating func vacate(_ slot: Int) {
        let first = firsts[slot]
        guard first != Self.free else { return }
        firsts[slot] = Self.free
        usedCount -= 1
        runs[first]?.slots -= 1
        if runs[first]?.slots == 0 { runs[first] = nil }
    }

    /// How many slots hold bytes; no mapping has more than a segment has.
    private static func slots(for bytes: UInt64) -> Int {
        Int(truncatingIfNeeded: (min(bytes, 1 << 32) + slotBytes - 1) / slotBytes)
    }
}
