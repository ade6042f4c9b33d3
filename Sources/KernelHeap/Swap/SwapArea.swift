/// A swap area: `struct swap_info_struct`, and what is written in it.
struct SwapArea: Sendable {
    let path: String
    /// Slots, the header's among them.
    let pageCount: UInt32
    /// The higher one is used first.
    var priority: Int
    private(set) var isOn = true
    /// Slots in use.
    private(set) var usedPages: UInt32 = 0
    /// How many entries name a slot, and whether its page is in memory; by slot, as long as the
    /// highest one that was used: `swap_map`.
    private var counts: [UInt16] = [0]
    /// The pages in memory of slots.
    private var cached: [UInt32: UInt32] = [:]
    /// What was written, without the zeros at the end.
    private var stored: [UInt32: [UInt8]] = [:]
    private var storedBytes = 0
    /// The memory cgroups that had the pages, where it was not the root: `swap_cgroup`.
    private var owners: [UInt32: Int] = [:]
    /// Where the search for a free slot goes on: `cluster_next`.
    private var nextOffset: UInt32 = 1

    /// `SWAP_HAS_CACHE`.
    private static let cacheBit: UInt16 = 1 << 15
    /// A count that is never gone down from.
    private static let mostUses = cacheBit - 1

    init(path: String, pageCount: UInt32, priority: Int) {
        self.path = path
        self.pageCount = pageCount
        self.priority = priority
    }

    /// Pages that may be swapped out into it.
    var usablePages: UInt32 { isOn ? pageCount - 1 : 0 }
    var freePages: UInt32 { isOn ? pageCount - 1 - usedPages : 0 }
    var heldBytes: Int {
        counts.capacity * 2 + cached.capacity * 12 + stored.capacity * 16 + storedBytes
            + owners.capacity * 16
    }
    /// Slots in use, ascending.
    var usedOffsets: [UInt32] {
        (1..<UInt32(truncatingIfNeeded: max(counts.count, 1))).filter { isUsed($0) }
    }

    func isUsed(_ offset: UInt32) -> Bool {
        counts.indices.contains(Int(offset)) && counts[Int(offset)] != 0
    }

    /// Entries that name a slot: `swap_count`.
    func uses(_ offset: UInt32) -> UInt16 {
        counts.indices.contains(Int(offset)) ? counts[Int(offset)] & Self.mostUses : 0
    }

    /// The page of a slot that is in memory.
    func cachedPage(_ offset: UInt32) -> UInt32? { cached[offset] }

    /// Whether anything more is swapped out into it: not from the beginning of `swapoff()`.
    mutating func turn(on isOn: Bool) { self.isOn = isOn }

    /// Takes the next free slot for a page in memory: `get_swap_pages()`.
    mutating func take(for pfn: UInt32) -> UInt32? {
        guard freePages > 0 else { return nil }
        var offset = nextOffset
        for _ in 1..<pageCount {
            if offset >= pageCount { offset = 1 }
            if !isUsed(offset) {
                if Int(offset) >= counts.count {
                    counts += Array(repeating: 0, count: Int(offset) + 1 - counts.count)
                }
                nextOffset = offset + 1
                usedPages += 1
                counts[Int(offset)] = Self.cacheBit
                cached[offset] = pfn
                return offset
            }
            offset += 1
        }
        return nil
    }

    /// One entry more names a slot: `swap_duplicate()`.
    mutating func use(_ offset: UInt32) {
        guard isUsed(offset), uses(offset) < Self.mostUses else { return }
        counts[Int(offset)] += 1
    }

    /// One entry less does: `swap_free()`.
    mutating func free(_ offset: UInt32) {
        guard uses(offset) > 0, uses(offset) < Self.mostUses else { return }
        counts[Int(offset)] -= 1
        releaseIfUnused(offset)
    }

    /// The page of a slot came into memory.
    mutating func cache(_ offset: UInt32, _ pfn: UInt32) {
        guard isUsed(offset) else { return }
        counts[Int(offset)] |= Self.cacheBit
        cached[offset] = pfn
    }

    /// The page of a slot is in memory no more: `delete_from_swap_cache()`.
    mutating func uncache(_ offset: UInt32) {
        guard cached.removeValue(forKey: offset) != nil else { return }
        counts[Int(offset)] &= Self.mostUses
        releaseIfUnused(offset)
    }

    private mutating func releaseIfUnused(_ offset: UInt32) {
        guard !isUsed(offset) else { return }
        usedPages -= 1
        owners[offset] = nil
        if let bytes = stored.removeValue(forKey: offset) { storedBytes -= bytes.count }
    }

    /// Whose page a slot's is: 0 for the root.
    func owner(_ offset: UInt32) -> Int { owners[offset] ?? 0 }

    func holdsPages(of group: Int) -> Bool { owners.values.contains(group) }

    mutating func own(_ offset: UInt32, _ group: Int) {
        if isUsed(offset), group > 0 { owners[offset] = group }
    }

    /// What a slot holds: a page's bytes, cut where only zeros follow.
    func bytes(_ offset: UInt32) -> [UInt8] { stored[offset] ?? [] }

    mutating func store(_ bytes: [UInt8], at offset: UInt32) {
        guard isUsed(offset) else { return }
        storedBytes += bytes.count - (stored[offset]?.count ?? 0)
        stored[offset] = bytes.isEmpty ? nil : bytes
    }
}

/// All swap areas of a machine.
struct SwapAreas: Sendable {
    private(set) var areas: [SwapArea] = []

    /// `MAX_SWAPFILES` of the recorded configuration is 24; this many are offered.
    static let limit = 8
    /// Most pages of one area: 64 GiB.
    static let pageLimit: UInt64 = 1 << 24

    var totalPages: UInt64 { areas.reduce(0) { $0 + UInt64($1.usablePages) } }
    var freePages: UInt64 { areas.reduce(0) { $0 + UInt64($1.freePages) } }
    var heldBytes: Int { areas.reduce(0) { $0 + $1.heldBytes + 128 } }
    /// `vm_swap_full()`: slots of pages in memory are given up early.
    var isFull: Bool { freePages * 2 < totalPages }

    func area(_ index: Int) -> SwapArea? { areas.indices.contains(index) ? areas[index] : nil }

    /// Adds an area behind the others, with the next lower priority.
    ///
    /// - Returns: its place; nil where there are too many.
    mutating func add(_ path: String, pageCount: UInt32) -> Int? {
        let lowest = areas.reduce(-1) { $1.isOn ? min($0, $1.priority) : $0 }
        let area = SwapArea(path: path, pageCount: pageCount, priority: lowest - 1)
        if let free = areas.firstIndex(where: { !$0.isOn && $0.usedPages == 0 }) {
            areas[free] = area
            return free
        }
        guard areas.count < Self.limit else { return nil }
        areas.append(area)
        return areas.count - 1
    }

    mutating func turn(_ index: Int, on isOn: Bool) {
        if areas.indices.contains(index) { areas[index].turn(on: isOn) }
    }

    /// An area is gone: those that came after it move up, `swapoff()`.
    mutating func closeGap(_ index: Int) {
        for place in areas.indices where areas[place].priority < areas[index].priority {
            areas[place].priority += 1
        }
    }

    /// Takes a free slot for a page, of the area with the highest priority that has one.
    mutating func take(for pfn: UInt32) -> SwapSlot? {
        for index in areas.indices.sorted(by: { areas[$0].priority > areas[$1].priority }) {
            if let offset = areas[index].take(for: pfn) {
                return SwapSlot(area: index, offset: offset)
            }
        }
        return nil
    }

    func owner(_ slot: SwapSlot) -> Int { area(slot.area)?.owner(slot.offset) ?? 0 }

    mutating func own(_ slot: SwapSlot, _ group: Int) {
        if areas.indices.contains(slot.area) { areas[slot.area].own(slot.offset, group) }
    }

    mutating func use(_ slot: SwapSlot) {
        if areas.indices.contains(slot.area) { areas[slot.area].use(slot.offset) }
    }

    mutating func free(_ slot: SwapSlot) {
        if areas.indices.contains(slot.area) { areas[slot.area].free(slot.offset) }
    }

    mutating func cache(_ slot: SwapSlot, _ pfn: UInt32) {
        if areas.indices.contains(slot.area) { areas[slot.area].cache(slot.offset, pfn) }
    }

    mutating func uncache(_ slot: SwapSlot) {
        if areas.indices.contains(slot.area) { areas[slot.area].uncache(slot.offset) }
    }

    mutating func store(_ bytes: [UInt8], at slot: SwapSlot) {
        if areas.indices.contains(slot.area) { areas[slot.area].store(bytes, at: slot.offset) }
    }

    /// Whether a slot holds a page.
    func isUsed(_ slot: SwapSlot) -> Bool { area(slot.area)?.isUsed(slot.offset) ?? false }
    func uses(_ slot: SwapSlot) -> UInt16 { area(slot.area)?.uses(slot.offset) ?? 0 }
    func cachedPage(_ slot: SwapSlot) -> UInt32? { area(slot.area)?.cachedPage(slot.offset) }
    func bytes(_ slot: SwapSlot) -> [UInt8] { area(slot.area)?.bytes(slot.offset) ?? [] }
}
