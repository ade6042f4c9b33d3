/// `enum dma_data_direction`.
enum DMADirection: UInt64, CaseIterable, Hashable, Sendable {
    case bidirectional, toDevice, fromDevice

    /// The C name.
    var name: String {
        switch self {
        case .bidirectional: "DMA_BIDIRECTIONAL"
        case .toDevice: "DMA_TO_DEVICE"
        case .fromDevice: "DMA_FROM_DEVICE"
        }
    }

    /// The values of the parameter; the last one is for nobody.
    static let names = FlagNames(
        "direction",
        allCases.map { FlagName($0.name, $0.rawValue) } + [FlagName("DMA_NONE", 3)]
    )

    /// Whether the device's stores reach the memory.
    var isRead: Bool { self != .toDevice }
    /// Whether the device sees what the memory holds.
    var isWrite: Bool { self != .fromDevice }
}

/// Memory that a device may reach.
struct DMAMapping: Sendable {
    /// The `struct device`.
    let device: UInt64
    /// What the device is given.
    let address: UInt64
    /// Bytes.
    let size: UInt64
    let direction: DMADirection
    /// From `dma_alloc_coherent()` rather than `dma_map_single()`.
    let isCoherent: Bool
    /// What the processor uses.
    let virtual: UInt64
    /// The call that made it, and its function.
    let call: UInt64
    let function: String
    let isBounced: Bool
    /// Whether `dma_mapping_error()` was asked.
    var isChecked = false

    /// As DMA-API debug calls it.
    var kindName: String { isCoherent ? "coherent" : "single" }
}

/// Memory below 4 GiB through which devices reach memory that is beyond them: swiotlb, 6.1.
struct BouncePool: Sendable {
    static let slotBytes: UInt64 = 2_048
    /// No mapping is larger: slots of one segment.
    static let segmentSlots = 128
    static let slotCount = 32_768

    /// A run of slots that is taken.
    struct Run: Sendable {
        let slots: Int
        /// The physical address of what they stand for, and its bytes.
        let origin: UInt64
        let bytes: UInt64
    }

    /// The pool's physical address.
    let start: UInt64
    private(set) var isUsed = [Bool](repeating: false, count: slotCount)
    /// By the first slot.
    private(set) var runs: [Int: Run] = [:]
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

    /// The run that begins with the slot of an address.
    func run(at physical: UInt64) -> Run? {
        contains(physical) ? runs[slot(physical)] : nil
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
        let count = Int((bytes + Self.slotBytes - 1) / Self.slotBytes)
        // Whole pages lie on pages.
        let stride = bytes >= 4_096 ? 2 : 1
        for turn in next.indices {
            let area = (cpu + turn) % next.count
            guard let slot = find(count, stride, in: area) else { continue }
            for place in slot..<slot + count { isUsed[place] = true }
            usedCount += count
            runs[slot] = Run(slots: count, origin: origin, bytes: bytes)
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
            if fits, !isUsed[slot..<slot + count].contains(true) { return slot }
            place += stride
            if place >= areaSlots { place = 0 }
        } while place != first
        return nil
    }

    /// `swiotlb_release_slots()`.
    mutating func release(_ physical: UInt64) {
        guard contains(physical), let run = runs.removeValue(forKey: slot(physical)) else { return }
        let first = slot(physical)
        for place in first..<first + run.slots { isUsed[place] = false }
        usedCount -= run.slots
    }
}
