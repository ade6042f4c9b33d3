/// The zones of a machine that is described by its firmware's table, and what is free in each.
///
///     firmware    | usable      |hole| usable                 |    | usable      |
///     reserved    |##|     |####|              |###|              |         |####|
///     free           |-----|         |---------|   |----------|    |---------|
///
/// `free_area_init()` and `memblock_free_all()`, 6.1: a zone spans from the lowest to the highest
/// frame that it could have on this machine; what is usable in it is present; what is usable and not
/// reserved is managed, and given to the free lists range by range.
struct MemoryMapLayout {
    /// Entries of a firmware's table: `E820_MAX_ENTRIES_ZEROPAGE`; as many reserved ranges.
    static let maximumEntries = 128
    /// Frames outside the longest free range of their zone, whose blocks are linked one by one.
    static let scatteredLimit: UInt64 = 1 << 18

    /// A zone with the ranges of it that the page allocator is given, ascending.
    struct ZoneLayout {
        var zone: Zone
        var free: [Range<UInt64>]
    }

    let zones: [ZoneLayout]
    /// A 32-bit machine's high memory has the PCI hole in it.
    private let scatteredLimit: UInt64

    /// Lays out a machine.
    ///
    /// - Parameters:
    ///   - map: the firmware's table, in any order.
    ///   - reserved: all that is kept, beside the lowest MiB; nil for the kernel's image at 16 MiB
    ///     and its page structures at the top of memory.
    ///   - i386: the layout of a 32-bit machine.
    /// - Throws: `MachineError` for entries that are no ranges, overlap, or leave no memory.
    init(
        _ map: [MemoryRegion],
        reserved: [MemoryReservation]?,
        i386: MemoryLayoutI386? = nil
    ) throws(MachineError) {
        try Self.check(map)
        let frames = i386?.frames(map) ?? MemoryMap.frames(map)
        guard let first = frames.first?.lowerBound, let end = frames.last?.upperBound else {
            throw MachineError("/memory_map", "no usable page lies in this map")
        }
        var kept = [0..<MemoryLayout61.lowReserved]
        if let reserved {
            kept += try Self.frames(of: reserved)
        } else {
            kept += i386?.reservations(frames) ?? Self.ownReservations(frames)
        }
        let free = Self.subtract(kept, from: frames)
        let limits: [(ZoneType, UInt64)] =
            i386?.limits(frames) ?? [
                (.dma, MemoryLayout61.dmaEnd), (.dma32, MemoryLayout61.dma32End), (.normal, end),
            ]
        var zones: [ZoneLayout] = []
        var start = first
        for (type, limit) in limits where start < min(limit, end) {
            let span = start..<min(limit, end)
            let present = Self.clamp(frames, to: span)
            let ranges = Self.clamp(free, to: span)
            start = span.upperBound
            guard !present.isEmpty else { continue }
            let zone = Zone(
                type: type,
                node: 0,
                startPFN: span.lowerBound,
                spanned: UInt64(span.count),
                present: Self.count(present),
                managed: Self.count(ranges)
            )
            zones.append(ZoneLayout(zone: zone, free: ranges))
        }
        self.zones = zones
        scatteredLimit = i386 == nil ? Self.scatteredLimit : 1 << 20
        try checkFree()
    }

    private func checkFree() throws(MachineError) {
        guard zones.contains(where: { !$0.free.isEmpty }) else {
            throw MachineError("/reserved", "no usable page is left")
        }
        for zone in zones {
            let longest = zone.free.map { UInt64($0.count) }.max() ?? 0
            guard zone.zone.managed - longest <= scatteredLimit else {
                throw MachineError(
                    "/memory_map",
                    "zone \(zone.zone.type.name) has more than 1 GiB outside its longest free range"
                )
            }
        }
    }

    private static func check(_ map: [MemoryRegion]) throws(MachineError) {
        guard (1...maximumEntries).contains(map.count) else {
            throw MachineError("/memory_map", "a map has 1 to \(maximumEntries) entries")
        }
        for (index, region) in map.enumerated() {
            let pointer = "/memory_map/\(index)"
            guard region.start <= region.last else {
                throw MachineError("\(pointer)/end", "the last byte lies before the first one")
            }
            guard region.kind != .usable || region.last >> 12 < MachineBoot.frameLimit - 1 else {
                throw MachineError("\(pointer)/end", "usable memory ends below 15T")
            }
            let other = map[..<index].firstIndex {
                $0.start <= region.last && region.start <= $0.last
            }
            if let other { throw MachineError("\(pointer)/start", "overlaps entry \(other)") }
        }
    }

    /// Whole frames that touch a reserved byte.
    private static func frames(
        of reserved: [MemoryReservation]
    ) throws(MachineError) -> [Range<UInt64>] {
        guard reserved.count <= maximumEntries else {
            throw MachineError("/reserved", "at most \(maximumEntries) ranges are reserved")
        }
        var frames: [Range<UInt64>] = []
        for (index, range) in reserved.enumerated() {
            guard range.start <= range.last else {
                throw MachineError(
                    "/reserved/\(index)/end",
                    "the last byte lies before the first one"
                )
            }
            frames.append(range.start >> 12..<(range.last >> 12) + 1)
        }
        return frames
    }

    /// The image, and from the top of memory down the structures of every section's pages.
    private static func ownReservations(_ frames: [Range<UInt64>]) -> [Range<UInt64>] {
        let image = MemoryLayout61.dmaEnd..<MemoryLayout61.dmaEnd + MemoryLayout61.imagePages
        let size = MemoryLayout61.sectionPages
        var sections: UInt64 = 0
        var counted: UInt64 = 0
        for range in frames {
            let first = max(range.lowerBound / size, counted)
            let end = (range.upperBound + size - 1) / size
            sections += end - min(first, end)
            counted = max(counted, end)
        }
        var kept = [image]
        var left = sections * 512
        for range in frames.reversed() where left > 0 {
            let taken = min(left, UInt64(range.count))
            kept.append(range.upperBound - taken..<range.upperBound)
            left -= taken
        }
        return kept
    }

    private static func subtract(
        _ kept: [Range<UInt64>],
        from frames: [Range<UInt64>]
    ) -> [Range<UInt64>] {
        let kept = kept.sorted { $0.lowerBound < $1.lowerBound }
        var free: [Range<UInt64>] = []
        for range in frames {
            var start = range.lowerBound
            for hole in kept where hole.upperBound > start && hole.lowerBound < range.upperBound {
                if start < hole.lowerBound { free.append(start..<hole.lowerBound) }
                start = hole.upperBound
            }
            if start < range.upperBound { free.append(start..<range.upperBound) }
        }
        return free
    }

    private static func clamp(
        _ ranges: [Range<UInt64>],
        to span: Range<UInt64>
    ) -> [Range<UInt64>] {
        ranges.map { $0.clamped(to: span) }.filter { !$0.isEmpty }
    }

    private static func count(_ ranges: [Range<UInt64>]) -> UInt64 {
        ranges.reduce(0) { $0 + UInt64($1.count) }
    }
}
