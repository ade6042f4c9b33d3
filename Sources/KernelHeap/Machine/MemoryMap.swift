/// A range of physical memory as the firmware reports it: an entry of the e820 table.
public struct MemoryRegion: Hashable, Sendable {
    /// What the firmware says about a range.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case usable
        case reserved
        case acpiData = "ACPI data"
        case acpiNVS = "ACPI NVS"
        case unusable
    }

    /// The first byte.
    public var start: UInt64
    /// The last byte, as the kernel's log prints ranges.
    public var last: UInt64
    public var kind: Kind

    public init(start: UInt64, last: UInt64, kind: Kind) {
        self.start = start
        self.last = last
        self.kind = kind
    }
}

/// Firmware's table of memory, and what the kernel takes from it.
enum MemoryMap {
    /// The table of the recorded PCs.
    ///
    ///     0        640K   1M                        3G           4G
    ///     | usable | video | usable … | firmware | PCI hole … | usable …
    ///
    /// - Parameter memory: installed bytes, 96 MiB or more; beyond 3 GiB they lie above 4 GiB.
    /// - Returns: the entries in the firmware's order.
    static func pc(memory: UInt64) -> [MemoryRegion] {
        let low = min(memory, MemoryLayout61.lowMemoryLimit) & ~0xfff
        let lowEnd = low - MemoryLayout61.firmwarePages << 12
        var map = [
            MemoryRegion(start: 0, last: 0x9_fbff, kind: .usable),
            MemoryRegion(start: 0x9_fc00, last: 0x9_ffff, kind: .reserved),
            MemoryRegion(start: 0xf_0000, last: 0xf_ffff, kind: .reserved),
            MemoryRegion(start: 0x10_0000, last: lowEnd - 1, kind: .usable),
            MemoryRegion(start: lowEnd, last: low - 1, kind: .reserved),
            MemoryRegion(start: 0xfffc_0000, last: 0xffff_ffff, kind: .reserved),
        ]
        let high = (memory - min(memory, MemoryLayout61.lowMemoryLimit)) & ~0xfff
        if high > 0 {
            let start = MemoryLayout61.dma32End << 12
            map.append(MemoryRegion(start: start, last: start + high - 1, kind: .usable))
        }
        let hole = MemoryRegion(start: 0xfd_0000_0000, last: 0xff_ffff_ffff, kind: .reserved)
        map.append(hole)
        return map
    }

    /// The usable page frames, ascending: whole pages, without the first one and the video memory.
    ///
    /// Follows `e820__memblock_setup()` with `trim_bios_range()`, `arch/x86/kernel`, 6.1.
    static func frames(_ map: [MemoryRegion]) -> [Range<UInt64>] {
        var frames: [Range<UInt64>] = []
        for region in map.sorted(by: { $0.start < $1.start }) where region.kind == .usable {
            let first = max(region.start >> 12 + (region.start & 0xfff == 0 ? 0 : 1), 1)
            let end = region.last >> 12 + (region.last & 0xfff == 0xfff ? 1 : 0)
            for part in [(first, min(end, 0xa0)), (max(first, 0x100), end)]
            where part.0 < part.1 {
                if let before = frames.last, before.upperBound == part.0 {
                    frames[frames.count - 1] = before.lowerBound..<part.1
                } else {
                    frames.append(part.0..<part.1)
                }
            }
        }
        return frames
    }

    /// Cuts frames at the ends of nodes.
    static func split(_ frames: [Range<UInt64>], nodeEnds: [UInt64]) -> [NodeFrames] {
        var parts: [NodeFrames] = []
        for range in frames {
            var first = range.lowerBound
            while first < range.upperBound {
                let node = nodeEnds.firstIndex { first < $0 } ?? nodeEnds.count - 1
                let isLast = node == nodeEnds.count - 1
                let end = isLast ? range.upperBound : min(nodeEnds[node], range.upperBound)
                parts.append(NodeFrames(node: node, frames: first..<end))
                first = end
            }
        }
        return parts
    }
}

/// Page frames that belong to one node.
public struct NodeFrames: Hashable, Sendable {
    public var node: Int
    public var frames: Range<UInt64>

    public init(node: Int, frames: Range<UInt64>) {
        self.node = node
        self.frames = frames
    }
}
