import Testing

@testable import KernelHeap

/// Every order, zone combination and mobility class on a machine that fits on a page.
@Suite("Simulation: a small world")
struct SmallWorldTests {
    private static let zoneBits: [UInt64] = Array(0..<16)
    private static let pages: UInt64 = 2_048

    /// Three zones of two largest blocks each: DMA, DMA32, Normal.
    private func world() throws -> CallRun {
        var description = MachineDescription()
        description.zones = [ZoneType.dma, .dma32, .normal].enumerated().map { index, type in
            var zone = ZoneDescription()
            zone.name = type
            zone.startPFN = UInt64(index) * Self.pages
            zone.spanned = Self.pages
            zone.present = Self.pages
            zone.managed = Self.pages
            zone.watermarks = WatermarksDescription(min: 0, low: 0, high: 0)
            zone.lowmemReserve = [0, 0, 0, 0, 0]
            return zone
        }
        return try CallRun(description)
    }

    /// The recorded table of the sixteen combinations: the highest zone that each may use.
    private func highest(_ bits: UInt64) -> UInt64 {
        switch bits {
        case 0, 2, 8, 10: 2
        case 4, 12: 1
        default: 0
        }
    }

    @Test("each request takes the highest zone it may, and all of it comes back", arguments: 0...10)
    func requests(order: UInt64) throws {
        for bits in Self.zoneBits {
            for mobility: UInt64 in [0, 0x10] {
                let run = try world()
                let flags = bits | mobility | 0xcc0
                let top = highest(bits)
                var starts: Set<UInt64> = []
                var taken: UInt64 = 0
                while true {
                    let outcome = try run.call("alloc_pages", flags, order)
                    guard case .pages(let detail) = outcome.result.detail else { break }
                    let pfn = detail.pfn.rawValue
                    #expect(pfn % (1 << order) == 0, "flags \(flags), order \(order)")
                    #expect(starts.insert(pfn).inserted, "flags \(flags), frame \(pfn)")
                    if taken == 0 { #expect(pfn / Self.pages == top, "flags \(flags)") }
                    #expect(pfn / Self.pages <= top, "flags \(flags), frame \(pfn)")
                    taken += 1 << order
                    // Single pages by the thousand teach what a few hundred do.
                    if starts.count == 200 { break }
                }
                let full = run.violations(misuse: false)
                for pfn in starts.sorted() {
                    try run.call("__free_pages", 0xffff_ea00_0000_0000 + pfn * 64, order)
                }
                let held = run.kernel.pages.zones.indices.map {
                    run.kernel.pages.census(zone: $0).allocated
                }

                #expect(taken > 0, "flags \(flags), order \(order)")
                #expect(full == [], "flags \(flags), order \(order)")
                #expect(run.violations(misuse: false) == [], "flags \(flags), order \(order)")
                #expect(held == [0, 0, 0], "flags \(flags), order \(order)")
            }
        }
    }
}
