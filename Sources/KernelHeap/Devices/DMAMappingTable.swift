/// The mappings of all devices.
///
/// A mapping lies in a slot, and is on several lists that run through the slots, the newest first:
/// of all, of its device, of its device and address, of those nobody has checked, and of a region.
/// So whatever is asked, only mappings are walked that may be the answer.
///
/// Regions answer which mapping holds an address. A mapping of at most 2^k bytes, and of more than
/// half as many, is in the region of 2^k bytes that it begins in: an address inside it is in that
/// region or in the next one.
struct DMAMappingTable: Sendable {
    /// No machine has more mappings at once.
    static let limit = 1 << 20
    private static let none: Int32 = -1

    private enum List: Hashable {
        case all
        case device(UInt64)
        case place(device: UInt64, address: UInt64)
        case unchecked(device: UInt64, address: UInt64)
        case region(device: UInt64, sizeClass: Int8, number: UInt64)

        /// The place of the list's links in a slot.
        var rank: Int {
            switch self {
            case .all: 0
            case .device: 1
            case .place: 2
            case .unchecked: 3
            case .region: 4
            }
        }
    }

    private struct Link {
        var newer = DMAMappingTable.none
        var older = DMAMappingTable.none
    }

    private struct Ends {
        var newest = DMAMappingTable.none
        var oldest = DMAMappingTable.none
        var count = 0
    }

    private struct Slot {
        var mapping: DMAMapping
        /// A number that grows with every mapping.
        var order: UInt64
        var links = InlineArray<5, Link>(repeating: Link())
    }

    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var lists: [List: Ends] = [:]
    private var added: UInt64 = 0
    /// How many mappings are in regions of 2^k bytes.
    private var classCounts = [Int](repeating: 0, count: 65)

    /// Host memory, in bytes.
    var heldBytes: Int { slots.count * (MemoryLayout<Slot>.stride + 4) + lists.count * 80 }

    var count: Int { lists[.all]?.count ?? 0 }

    /// Adds a mapping; false where the table is full.
    @discardableResult
    mutating func add(_ mapping: DMAMapping) -> Bool {
        guard count < Self.limit else { return false }
        added &+= 1
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
            slots[Int(free)] = Slot(mapping: mapping, order: added)
        } else {
            slot = Int32(truncatingIfNeeded: slots.count)
            slots.append(Slot(mapping: mapping, order: added))
        }
        for list in Self.lists(of: mapping) { link(slot, to: list) }
        classCounts[Int(Self.sizeClass(mapping.size))] += 1
        return true
    }

    /// Takes a mapping of a device out: the newest of the size at the address, else the newest there.
    mutating func take(_ address: UInt64, of device: UInt64, size: UInt64) -> DMAMapping? {
        let list = List.place(device: device, address: address)
        guard let slot = newest(of: list, where: { $0.size == size }) ?? newest(of: list) else {
            return nil
        }
        let mapping = slots[slot].mapping
        for list in Self.lists(of: mapping) { unlink(slot, from: list) }
        classCounts[Int(Self.sizeClass(mapping.size))] -= 1
        freeSlots.append(Int32(truncatingIfNeeded: slot))
        return mapping
    }

    /// `dma_mapping_error()` was asked of an address: the newest mapping there that was not.
    mutating func check(_ address: UInt64, of device: UInt64) {
        let list = List.unchecked(device: device, address: address)
        guard let slot = newest(of: list) else { return }
        unlink(slot, from: list)
        slots[slot].mapping.isChecked = true
    }

    /// The newest mapping of a device that holds all of a range: `bucket_find_contain()`.
    ///
    /// - Parameters:
    ///   - device: its `struct device`.
    ///   - address: the device's.
    ///   - size: bytes; any number.
    /// - Returns: nil where no mapping does.
    func mapping(of device: UInt64, holding address: UInt64, size: UInt64) -> DMAMapping? {
        var best: Int?
        for sizeClass in classCounts.indices where classCounts[sizeClass] > 0 {
            let number = address >> sizeClass
            for number in (number > 0 ? number - 1 : 0)...number {
                let list = List.region(
                    device: device,
                    sizeClass: Int8(truncatingIfNeeded: sizeClass),
                    number: number
                )
                guard let slot = newest(of: list, where: { $0.holds(address, size) }) else {
                    continue
                }
                if best.map({ slots[$0].order < slots[slot].order }) ?? true { best = slot }
            }
        }
        return best.map { slots[$0].mapping }
    }

    func count(of device: UInt64) -> Int { lists[.device(device)]?.count ?? 0 }

    func newest(of device: UInt64) -> DMAMapping? {
        newest(of: .device(device)).map { slots[$0].mapping }
    }

    /// What a device has mapped, the oldest first.
    ///
    /// - Parameters:
    ///   - device: its `struct device`.
    ///   - limit: most mappings to give.
    /// - Returns: the first ones.
    func mappings(of device: UInt64, limit: Int) -> [DMAMapping] {
        var found: [DMAMapping] = []
        let list = List.device(device)
        var next = lists[list]?.oldest ?? Self.none
        while next != Self.none, found.count < limit {
            let slot = slots[Int(next)]
            found.append(slot.mapping)
            next = slot.links[list.rank].newer
        }
        return found
    }

    /// Visits every mapping, the oldest first.
    func forEach(_ visit: (DMAMapping) -> Void) {
        var next = lists[.all]?.oldest ?? Self.none
        while next != Self.none {
            let slot = Int(next)
            visit(slots[slot].mapping)
            next = slots[slot].links[List.all.rank].newer
        }
    }

    private static func lists(of mapping: DMAMapping) -> [List] {
        let (device, address) = (mapping.device, mapping.address)
        let sizeClass = sizeClass(mapping.size)
        let lists: [List] = [
            .all, .device(device), .place(device: device, address: address),
            .region(device: device, sizeClass: sizeClass, number: address >> sizeClass),
        ]
        // Nobody asks whether coherent memory is an error.
        guard !mapping.isCoherent, !mapping.isChecked else { return lists }
        return lists + [.unchecked(device: device, address: address)]
    }

    /// The least k with 2^k bytes at least: 0 to 64.
    private static func sizeClass(_ size: UInt64) -> Int8 {
        size <= 1 ? 0 : Int8(truncatingIfNeeded: 64 - (size - 1).leadingZeroBitCount)
    }

    /// The newest slot of a list that fits.
    private func newest(
        of list: List,
        where fits: (DMAMapping) -> Bool = { _ in true }
    ) -> Int? {
        var next = lists[list]?.newest ?? Self.none
        while next != Self.none {
            let slot = Int(next)
            if fits(slots[slot].mapping) { return slot }
            next = slots[slot].links[list.rank].older
        }
        return nil
    }

    private mutating func link(_ slot: Int32, to list: List) {
        let rank = list.rank
        var ends = lists[list] ?? Ends()
        slots[Int(slot)].links[rank] = Link(older: ends.newest)
        if ends.newest == Self.none {
            ends.oldest = slot
        } else {
            slots[Int(ends.newest)].links[rank].newer = slot
        }
        ends.newest = slot
        ends.count += 1
        lists[list] = ends
    }

    private mutating func unlink(_ slot: Int, from list: List) {
        let rank = list.rank
        let link = slots[slot].links[rank]
        guard var ends = lists[list] else { return }
        if link.newer == Self.none {
            ends.newest = link.older
        } else {
            slots[Int(link.newer)].links[rank].older = link.older
        }
        if link.older == Self.none {
            ends.oldest = link.newer
        } else {
            slots[Int(link.older)].links[rank].newer = link.newer
        }
        ends.count -= 1
        lists[list] = ends.count == 0 ? nil : ends
    }
}

extension DMAMapping {
    /// Whether all of a range is in the mapping.
    func holds(_ address: UInt64, _ size: UInt64) -> Bool {
        guard address >= self.address else { return false }
        let offset = address - self.address
        return offset <= self.size && size <= self.size - offset
    }
}
