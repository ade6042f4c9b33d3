/// The user half of a process's addresses: `struct mm_struct`.
///
/// Areas are sorted, do not overlap, and merge where neighbours agree. Pages come at the first
/// touch: a read of untouched memory sees the shared zero page, a write gets a page of its own.
struct AddressSpace: Sendable {
    /// First address that is no process's: `TASK_SIZE_MAX`.
    var end = AddressLayout.x8664.userEnd
    /// Where `mmap` begins to look downwards when addresses are not randomised: 128 MiB below.
    var mmapBase: UInt64 { end - (128 << 20) }
    /// `vm.mmap_min_addr`.
    static let lowest: UInt64 = 0x1_0000
    static let pageBytes: UInt64 = 4_096
    /// `vm.max_map_count`.
    static let maximumAreas = 65_530

    private(set) var areas: [VMArea] = []
    /// The frame of its PGD; nil for the first process's, which the boot made.
    var root: UInt32?
    /// Tables below the root, by level: `mm->pgtables_bytes` in pages.
    var tables: InlineArray<4, UInt32> = InlineArray(repeating: 0)
    /// Pages of its own that entries point to.
    var residentPages: UInt64 = 0

    /// Tables below the root.
    var tableCount: Int { Int(tables[1]) + Int(tables[2]) + Int(tables[3]) }

    /// The area that holds an address.
    func area(at address: UInt64) -> VMArea? {
        let index = firstIndex(endingAfter: address)
        guard index < areas.count, areas[index].start <= address else { return nil }
        return areas[index]
    }

    /// The first area that ends behind an address, by bisection.
    private func firstIndex(endingAfter address: UInt64) -> Int {
        var low = 0
        var high = areas.count
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Whether no area touches a range.
    func isFree(_ range: Range<UInt64>) -> Bool {
        let index = firstIndex(endingAfter: range.lowerBound)
        return index == areas.count || areas[index].start >= range.upperBound
    }

    /// The highest gap of a length below the base: the kernel's top-down search.
    func gap(_ length: UInt64) -> UInt64? {
        var top = mmapBase
        for area in areas.reversed() where area.start < mmapBase {
            if area.end < top, top - area.end >= length { return top - length }
            top = min(top, area.start)
        }
        return top >= length && top - length >= Self.lowest ? top - length : nil
    }

    /// Where `mmap` puts a mapping: the hint if it is free, else the highest gap; fixed, the hint.
    ///
    /// - Parameters:
    ///   - hint: the address asked for.
    ///   - length: bytes, whole pages.
    ///   - flags: of `mmap`.
    /// - Returns: the address, or why there is none.
    func place(hint: UInt64, length: UInt64, flags: UInt64) -> Result<UInt64, Errno> {
        guard areas.count < Self.maximumAreas else { return .failure(.ENOMEM) }
        guard flags & (MapFlags.fixed | MapFlags.fixedNoReplace) == 0 else {
            guard hint & 4095 == 0 else { return .failure(.EINVAL) }
            guard hint <= end, length <= end - hint else { return .failure(.ENOMEM) }
            guard hint >= Self.lowest else { return .failure(.EPERM) }
            let isTaken = flags & MapFlags.fixedNoReplace != 0 && !isFree(hint..<hint + length)
            return isTaken ? .failure(.EEXIST) : .success(hint)
        }
        let start = hint & ~4095
        if start >= Self.lowest, start <= end, length <= end - start,
            isFree(start..<start + length)
        {
            return .success(start)
        }
        guard let gap = gap(length) else { return .failure(.ENOMEM) }
        return .success(gap)
    }

    /// Adds an area into free space, joined to neighbours with the same rights.
    mutating func insert(_ area: VMArea) {
        let index = firstIndex(endingAfter: area.start)
        areas.insert(area, at: index)
        merge(around: index)
    }

    private mutating func merge(around index: Int) {
        var index = index
        if index > 0, joins(areas[index - 1], areas[index]) {
            areas[index - 1].end = areas[index].end
            areas.remove(at: index)
            index -= 1
        }
        if index + 1 < areas.count, joins(areas[index], areas[index + 1]) {
            areas[index].end = areas[index + 1].end
            areas.remove(at: index + 1)
        }
    }

    private func joins(_ left: VMArea, _ right: VMArea) -> Bool {
        left.end == right.start && left.rights == right.rights && left.isShared == right.isShared
            && !left.isShared
    }

    /// Whether a range can be cut out: only a hole inside an area makes one area more.
    func mayCut(_ range: Range<UInt64>) -> Bool {
        guard areas.count >= Self.maximumAreas, let area = area(at: range.lowerBound) else {
            return true
        }
        return area.start == range.lowerBound || range.upperBound >= area.end
    }

    /// Cuts a range out of the areas.
    mutating func remove(_ range: Range<UInt64>) {
        split(at: range.lowerBound)
        split(at: range.upperBound)
        areas.removeAll { range.contains($0.start) }
    }

    /// The free space around a range without areas: from the end of the area before it to the
    /// start of the one behind it, nil where there is none.
    func gap(around range: Range<UInt64>) -> (floor: UInt64, ceiling: UInt64?) {
        let index = firstIndex(endingAfter: range.lowerBound)
        let floor = index > 0 ? areas[index - 1].end : 0
        return (floor, index < areas.count ? areas[index].start : nil)
    }

    /// The parts of a range that areas cover, ascending.
    func covered(_ range: Range<UInt64>) -> [Range<UInt64>] {
        var parts: [Range<UInt64>] = []
        var index = firstIndex(endingAfter: range.lowerBound)
        while index < areas.count, areas[index].start < range.upperBound {
            parts.append((areas[index].start..<areas[index].end).clamped(to: range))
            index += 1
        }
        return parts
    }

    /// Changes the rights of a fully mapped range: `mprotect`.
    mutating func protect(_ range: Range<UInt64>, _ rights: MemoryRights) {
        split(at: range.lowerBound)
        split(at: range.upperBound)
        for index in areas.indices where range.contains(areas[index].start) {
            areas[index].rights = rights
        }
        var index = 0
        while index < areas.count {
            let count = areas.count
            merge(around: index)
            if areas.count == count { index += 1 }
        }
    }

    /// How many areas there are once a range begins and ends at areas' borders.
    func areasAfterCutting(_ range: Range<UInt64>) -> Int {
        [range.lowerBound, range.upperBound].reduce(areas.count) { count, border in
            area(at: border).map { $0.start < border } == true ? count + 1 : count
        }
    }

    /// Whether every page of a range belongs to an area.
    func covers(_ range: Range<UInt64>) -> Bool {
        var address = range.lowerBound
        while address < range.upperBound {
            guard let area = area(at: address) else { return false }
            address = area.end
        }
        return true
    }

    private mutating func split(at address: UInt64) {
        let index = firstIndex(endingAfter: address)
        guard index < areas.count, areas[index].start < address else { return }
        var upper = areas[index]
        upper.start = address
        areas[index].end = address
        areas.insert(upper, at: index + 1)
    }
}

/// A process: `struct task_struct`, as far as memory is concerned.
struct Process: Sendable {
    let pid: Int
    var name: String
    var space = AddressSpace()
    /// How often faults were disabled: `current->pagefault_disabled`.
    var pagefaultDisabled = 0
}
