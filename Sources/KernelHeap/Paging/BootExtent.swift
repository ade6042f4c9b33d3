/// Addresses that the kernel maps at boot, one after another, to frames one after another.
struct BootExtent: Sendable {
    var start: UInt64
    /// First address behind it.
    var end: UInt64
    /// Where its first byte lies in physical memory.
    var physical: UInt64
    /// Of single pages; large ones have `PS` besides.
    var flags: PageTableEntry.Flags
    /// The largest page that may map it, as a shift.
    var largestShift: UInt64
    /// Of the entries that point to tables below which it is mapped.
    var tableFlags: PageTableEntry.Flags

    /// Whether one page of 2^shift bytes at an aligned address may map it.
    func allowsPage(at address: UInt64, shift: UInt64) -> Bool {
        shift <= largestShift && start <= address && address < end
            && end - address >= 1 << shift
            && (address &- start &+ physical) & (1 << shift - 1) == 0
    }
}

/// What the kernel's tables map at boot, and which frames they are in.
struct BootLayout: Sendable {
    var format: PagingFormat
    /// Ascending, without overlap.
    var extents: [BootExtent] = []
    /// Tables that exist although nothing is mapped below them, by level and range of addresses.
    var emptyTables: [(level: Int, addresses: ClosedRange<UInt64>)] = []
    /// Where the tables are, in the order in which frames are used up.
    var tableFrames: [Range<UInt64>] = []
    /// `empty_zero_page`.
    var zeroFrame: UInt64 = 0
    /// Pages of the boot's segment descriptors, CPU by CPU; empty on 64-bit machines.
    var descriptorFrames: Range<UInt64> = 0..<0
    /// Whether those are mapped in a window of their own, too.
    var hasEntryAreas = true
    /// The first entry of a root that all processes share.
    var firstKernelIndex: Int

    /// Frames that no memory is behind: the tables of machines that leave the kernel no frame.
    static let framesBeyondMemory: Range<UInt64> = 0xffff_0001..<0xffff_ffff

    /// Adds an extent, cut where frames have flags of their own.
    ///
    /// - Parameters:
    ///   - extent: the whole, with the flags of what lies between the parts.
    ///   - parts: frames with other flags, ascending.
    mutating func add(
        _ extent: BootExtent,
        cutting parts: [(frames: Range<UInt64>, flags: PageTableEntry.Flags)] = []
    ) {
        var rest = extent
        for part in parts {
            let first = max(part.frames.lowerBound << 12, rest.physical)
            let end = min(part.frames.upperBound << 12, rest.physical + (rest.end - rest.start))
            guard first < end else { continue }
            append(rest, first: rest.physical, end: first, rest.flags)
            append(rest, first: first, end: end, part.flags)
            rest.start += end - rest.physical
            rest.physical = end
        }
        if rest.start < rest.end { extents.append(rest) }
    }

    private mutating func append(
        _ whole: BootExtent,
        first: UInt64,
        end: UInt64,
        _ flags: PageTableEntry.Flags
    ) {
        guard first < end else { return }
        var part = whole
        part.start = whole.start + (first - whole.physical)
        part.end = part.start + (end - first)
        part.physical = first
        part.flags = flags
        extents.append(part)
    }
}

/// The kernel's image as the loader lays it out, in frames.
struct KernelImage: Sendable {
    var text: Range<UInt64>
    var readOnlyData: Range<UInt64>
    /// Where the last of it ends.
    var end: UInt64

    /// What is not writable, in the direct map.
    var readOnlyParts: [Range<UInt64>] { [text, readOnlyData] }
}
