/// Where the memory of a 32-bit PC lies, and what the kernel keeps of it at boot.
///
///     PFN 0      256     4096                                    MAXMEM            end
///      |low MiB  | DMA   | image | Normal …  | mem_map | archive | HighMem …        |
///
/// The numbers are read off the recorded boots of 512 MiB to 4 GiB with and without PAE (`i386/`): all
/// managed pages come out equal. The image's place is modelled; page descriptors lie where they lay.
struct MemoryLayoutI386 {
    let space: I386AddressSpace
    /// Image, early page tables, per-CPU data and what else boot keeps of low memory.
    var imagePages: UInt64 { space.hasPAE ? 3_673 : 3_629 }
    /// The bounce buffer of a machine with memory beyond 4 GiB, and its slots.
    private static let bouncePages: UInt64 = 16_384 + 128
    /// The initial file system, which lies at the end of low memory until init has unpacked it.
    static let archivePages: UInt64 = 352
    /// The call `sizeof(struct page)`.
    var descriptorBytes: UInt64 { space.isClassic ? 32 : 40 }
    /// Memory that PAE reaches at most: 64 GiB.
    static let memoryLimit: UInt64 = 64 << 30

    /// Released after the marks are computed: the archive, and the image's init sections.
    var releasedPages: UInt64 { Self.archivePages + (space.hasPAE ? 232 : 228) }

    /// Descriptors are set up for whole blocks of the largest order.
    func descriptorPages(endPFN: UInt64) -> UInt64 {
        (((endPFN + 1_023) & ~1_023) * descriptorBytes) >> 12
    }

    /// The usable frames of a machine, ascending: what this kernel can reach.
    func frames(_ map: [MemoryRegion]) -> [Range<UInt64>] {
        let limit: UInt64 = space.hasPAE ? Self.memoryLimit >> 12 : 1 << 20
        return MemoryMap.frames(map).map { $0.clamped(to: 0..<limit) }.filter { !$0.isEmpty }
    }

    /// First frame that is not low memory.
    func lowEnd(_ frames: [Range<UInt64>]) -> UInt64 {
        min(frames.last?.upperBound ?? 0, space.maximumLowMemory >> 12)
    }

    /// The same by zones that are given.
    func lowEnd(_ zones: [Zone]) -> UInt64 {
        let high = zones.filter { $0.type == .highMem }.map(\.startPFN).min()
        let end = high ?? zones.map(\.endPFN).max() ?? 0
        return min(end, space.maximumLowMemory >> 12)
    }

    /// Refuses zones of low memory that the direct map cannot hold.
    func checkLowZones(_ zones: [Zone]) throws(MachineError) {
        let end = lowEnd(zones)
        for (index, zone) in zones.enumerated() where zone.type <= .normal && zone.endPFN > end {
            throw MachineError(
                "/zones/\(index)/spanned",
                "zone \(zone.type.name) must end at frame \(end), where the direct map does"
            )
        }
    }

    /// Where zones end.
    func limits(_ frames: [Range<UInt64>]) -> [(ZoneType, UInt64)] {
        [
            (.dma, MemoryLayout61.dmaEnd), (.normal, lowEnd(frames)),
            (.highMem, frames.last?.upperBound ?? 0),
        ]
    }

    /// What the kernel keeps beside the lowest MiB.
    func reservations(_ frames: [Range<UInt64>]) -> [Range<UInt64>] {
        let low = lowEnd(frames)
        let end = frames.last?.upperBound ?? 0
        let image = MemoryLayout61.dmaEnd..<MemoryLayout61.dmaEnd + imagePages
        let top = low - min(low, Self.archivePages)
        var kept = descriptorPages(endPFN: end) + hashPages(lowPages: low)
        if end > 1 << 20 { kept += Self.bouncePages }
        return [image, top - min(top, kept)..<top]
    }

    /// The tables of directory entries and inodes, which are sized by low memory.
    private func hashPages(lowPages: UInt64) -> UInt64 {
        var entries: UInt64 = 1
        while entries < lowPages / 2 { entries <<= 1 }
        return entries >> 10 + entries >> 11
    }

    /// Where the kernel sees the memory.
    func addressLayout(lowEndPFN: UInt64, endPFN: UInt64) -> AddressLayout {
        let top = lowEndPFN - min(lowEndPFN, Self.archivePages)
        let first = top - min(top, descriptorPages(endPFN: endPFN))
        return space.layout(
            lowEndPFN: lowEndPFN,
            endPFN: endPFN,
            descriptors: I386AddressSpace.pageOffset + first << 12,
            descriptorBytes: descriptorBytes
        )
    }
}
