/// Where a PC's memory lies, and what the kernel keeps of it at boot.
///
///     PFN 0      256       4096          15414                              end
///      |low MiB  | DMA      | image …     | free                 | mem_map … |
///
/// The sizes are read off the recorded boots of 96 MiB to 6 GiB (`boot/*/zoneinfo`, `iomem`), where
/// the managed pages of every zone come out equal, but for one page at 3 and 5 GiB. The places
/// inside a zone are modelled: image at the bottom, page metadata and hash tables at the top.
struct MemoryLayout61 {
    /// Frames below 1 MiB are kept: 158 present pages that are never managed.
    static let lowReserved: UInt64 = 256
    static let lowPresent: UInt64 = 3998
    static let dmaEnd: UInt64 = 4096
    static let dma32End: UInt64 = 1 << 20
    /// Above this much memory the rest lies beyond 4 GiB.
    static let lowMemoryLimit: UInt64 = 3 << 30
    /// The firmware keeps the last 32 pages of low memory.
    static let firmwarePages: UInt64 = 32
    /// The image with its static tables.
    static let imagePages: UInt64 = 11_318
    /// The bounce buffer that a machine with memory beyond 4 GiB has.
    static let bouncePages: UInt64 = 16_384
    /// Pages whose structures are set up together: 128 MiB.
    static let sectionPages: UInt64 = 1 << 15
    /// In use already when the memory is first counted.
    static let earlyPages: UInt64 = 64
    /// Image sections released after the marks are computed, and the initial file system.
    static let releasedImagePages: UInt64 = 2_005
    static let releasedArchivePages: UInt64 = 277

    /// A zone with the frames of it that the page allocator is given.
    struct ZoneLayout {
        var zone: Zone
        var free: Range<UInt64>
    }

    /// The zones of a machine, in the order of their frames.
    ///
    /// - Parameters:
    ///   - memory: installed bytes.
    ///   - cpus: each needs 62 pages of per-CPU data beyond the first.
    ///   - nodes: memory is divided evenly between them.
    ///   - movable: pages at the end that form `ZONE_MOVABLE`: `movablecore=`.
    /// - Returns: each zone with its free frames.
    static func zones(memory: UInt64, cpus: Int, nodes: Int, movable: UInt64) -> [ZoneLayout] {
        let low = min(memory, lowMemoryLimit) >> 12
        let high = memory > lowMemoryLimit ? (memory - lowMemoryLimit) >> 12 : 0
        let lowEnd = low - firmwarePages
        let top = topPages(memory: memory, cpus: cpus, nodes: nodes, hasHigh: high > 0)

        var layouts = [
            layout(.dma, 1..<dmaEnd, present: lowPresent, free: lowReserved..<dmaEnd)
        ]
        var spans: [(type: ZoneType, span: Range<UInt64>, present: UInt64, free: Range<UInt64>)] =
            []
        let image = dmaEnd + imagePages
        if high > 0 {
            // What does not fit above 4 GiB is taken from below.
            let above = min(top, high)
            let lowFree = image..<lowEnd - bouncePages - (top - above)
            spans.append((.dma32, dmaEnd..<dma32End, lowEnd - dmaEnd, lowFree))
            spans.append(
                (.normal, dma32End..<dma32End + high, high, dma32End..<dma32End + high - above)
            )
        } else {
            spans.append((.dma32, dmaEnd..<lowEnd, lowEnd - dmaEnd, image..<lowEnd - top))
        }
        for (type, span, present, free) in spans {
            layouts.append(layout(type, span, present: present, free: free))
        }
        splitMovable(&layouts, pages: movable)
        splitNodes(&layouts, nodes: nodes, pages: memory >> 12)
        return layouts
    }

    /// Page metadata, hash tables and per-CPU data, taken from the top of memory.
    ///
    /// With several nodes the hash tables are mapped later, from pages of all of them.
    private static func topPages(memory: UInt64, cpus: Int, nodes: Int, hasHigh: Bool) -> UInt64 {
        let sections = (memory + (128 << 20) - 1) >> 27
        var rounded: UInt64 = 128 << 20
        while rounded < memory { rounded <<= 1 }
        let others = UInt64(max(nodes - 1, 0))
        let hashes = others > 0 ? others * 44 : (rounded >> 22) * 3 / 2
        return 122 + sections * 512 + hashes + UInt64(max(cpus - 1, 0)) * 62 + (hasHigh ? 195 : 0)
    }

    private static func layout(
        _ type: ZoneType,
        _ span: Range<UInt64>,
        present: UInt64,
        free: Range<UInt64>
    ) -> ZoneLayout {
        ZoneLayout(
            zone: Zone(
                type: type,
                node: 0,
                startPFN: span.lowerBound,
                spanned: UInt64(span.count),
                present: present,
                managed: UInt64(free.count)
            ),
            free: free
        )
    }

    /// Cuts the movable zone off the end of memory, on a boundary of the largest block.
    private static func splitMovable(_ layouts: inout [ZoneLayout], pages: UInt64) {
        guard pages > 0, let last = layouts.last, last.zone.type != .dma else { return }
        let end = last.zone.endPFN
        let wanted = end - min(pages, end - last.zone.startPFN)
        let start = max((wanted + 1023) & ~1023, last.zone.startPFN)
        guard start < last.free.upperBound else { return }
        let lower = max(start, last.free.lowerBound)
        layouts[layouts.count - 1] = layout(
            last.zone.type,
            last.zone.startPFN..<start,
            present: start - last.zone.startPFN,
            free: last.free.lowerBound..<lower
        )
        if start == last.zone.startPFN { layouts.removeLast() }
        layouts.append(
            layout(.movable, start..<end, present: end - start, free: lower..<last.free.upperBound)
        )
    }

    /// Where each node's memory ends; what lies beyond the PCI hole counts on from below it.
    static func nodeEnds(nodes: Int, pages: UInt64) -> [UInt64] {
        let share = max(pages / UInt64(max(nodes, 1)) & ~0x7fff, 1 << 15)
        let limit = lowMemoryLimit >> 12
        return (1...UInt64(max(nodes, 1))).map { place in
            let end = place * share
            return end > limit ? end - limit + dma32End : end
        }
    }

    /// What the kernel counts when it prints `Memory:`, before the last of its boot memory is freed.
    ///
    /// The page structures of a node's last zone are set up later but for the first section, so
    /// that much of a large machine is not available yet.
    ///
    /// - Returns: pages kept, and pages that can be allocated at that time.
    static func firstCount(_ zones: [Zone]) -> (reserved: UInt64, available: UInt64) {
        var present: UInt64 = 0
        var managed: UInt64 = 0
        var later: UInt64 = 0
        for zone in zones {
            present += zone.present
            managed += zone.managed
            let isLast = !zones.contains { $0.node == zone.node && $0.startPFN > zone.startPFN }
            let end = (zone.startPFN + 2 * sectionPages - 1) & ~(sectionPages - 1)
            if isLast && end < zone.endPFN { later += zone.endPFN - end }
        }
        let reserved = present - managed + releasedImagePages + releasedArchivePages + 10
        let hasHigh = zones.contains { $0.startPFN >= dma32End }
        var below = lowReserved - 98 + imagePages + releasedImagePages + 6
        if hasHigh { below += bouncePages + releasedArchivePages + 4 }
        let above = min(reserved - min(below, reserved), later)
        let used = later - above + reserved + earlyPages
        return (reserved, present - min(used, present))
    }

    /// Divides memory between nodes at even boundaries of 128 MiB.
    private static func splitNodes(_ layouts: inout [ZoneLayout], nodes: Int, pages: UInt64) {
        guard nodes > 1 else { return }
        let ends = nodeEnds(nodes: nodes, pages: pages)
        var result: [ZoneLayout] = []
        for whole in layouts {
            var start = whole.zone.startPFN
            while start < whole.zone.endPFN {
                let node = ends.firstIndex { start < $0 } ?? nodes - 1
                let stop =
                    node == nodes - 1 ? whole.zone.endPFN : min(ends[node], whole.zone.endPFN)
                let free = whole.free.clamped(to: start..<stop)
                let gap = (whole.zone.endPFN - whole.zone.startPFN) - whole.zone.present
                var part = layout(
                    whole.zone.type,
                    start..<stop,
                    present: stop - start
                        - (stop == whole.zone.endPFN ? min(gap, stop - start) : 0),
                    free: free
                )
                part.zone.node = node
                result.append(part)
                start = stop
            }
        }
        layouts = result
    }
}
