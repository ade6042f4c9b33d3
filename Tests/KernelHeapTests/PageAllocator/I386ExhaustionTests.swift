import TestSupport
import Testing

@testable import KernelHeap

/// How far each class of request can go, zone by zone (`i386/*/exhaust*.jsonl`).
@Suite("Giving up on 32-bit machines")
struct I386ExhaustionTests {
    /// Recorded requests of one page, and the row that says where they gave up.
    struct Stage: Sendable {
        var folder: String
        var test: String
        var flags: GFPFlags
    }

    static let stages = ["686-1G", "686-1G-nothp", "pae-1G"].flatMap { folder in
        [
            Stage(folder: folder, test: "dma", flags: .kernel.union([.dma, .noRetry])),
            Stage(folder: folder, test: "kernel", flags: .kernel.union(.noRetry)),
            Stage(folder: folder, test: "nowait", flags: .noWait),
        ]
    }

    // The mark is compared before a batch is taken, so a zone ends up to a batch below it.
    @Test("single pages end at the recorded marks", arguments: stages)
    func givingUp(stage: Stage) throws {
        var kernel = try I386Machine(stage.folder).boot()
        _ = kernel.readSysctl(.lowmemReserveRatio)
        let rows = try I386Recording.givingUp("\(stage.folder)/exhaust", test: stage.test)
        let recorded = try #require(rows.first)

        while kernel.allocPages(order: 0, flags: stage.flags.union(.noWarn)) != nil {}

        for index in kernel.pages.zones.indices {
            let zone = kernel.pages.zones[index]
            let other = try #require(recorded[zone.type.name])
            guard other.eligible == 1 else {
                #expect(zone.free == Int(zone.managed), "\(zone.type)")
                continue
            }
            let boost = zone.watermarks.boost
            let mark = other.min + boost + other.lowmemReserveForRequest
            let batch = kernel.pages.perCPU[kernel.pages.perCPUIndex(zone: index, cpu: 0)].batch
            #expect(zone.watermarks.min == other.min)
            // The counter lags by what a processor may hold back.
            let lag = zone.statThreshold
            #expect(zone.free <= mark + lag, "\(zone.type)")
            // A boost comes while the zone is being emptied, and may come too late.
            #expect(zone.free > mark - boost - batch - lag, "\(zone.type)")
            // Whether the last steals raise a boost depends on which small blocks are left.
            if boost == other.boost {
                #expect(abs(zone.free - other.free) < batch + lag, "\(zone.type) \(other.free)")
            }
        }
    }

    @Test func `GFP_ATOMIC goes deeper, and __GFP_MEMALLOC to the end`() throws {
        var kernel = try I386Machine("686-1G").boot()
        _ = kernel.readSysctl(.lowmemReserveRatio)
        let rows = try I386Recording.givingUp(
            "686-1G/exhaust_memalloc",
            test: "kernel_atomic_memalloc"
        )
        try #require(rows.count == 3)
        let stages: [GFPFlags] = [
            .kernel.union(.noRetry), .atomic, .atomic.union(.memAlloc),
        ]

        for (flags, recorded) in zip(stages, rows) {
            while kernel.allocPages(order: 0, flags: flags.union(.noWarn)) != nil {}
            for zone in kernel.zoneViews() where zone.type != .highMem {
                let other = try #require(recorded[zone.type.name])
                #expect(abs(Int(zone.free) - other.free) <= 63, "\(zone.type) \(flags)")
            }
        }
    }

    @Test func `high memory is used first, and kept from nobody below`() throws {
        var kernel = try I386Machine("686-1G-nothp").boot()
        var order: [ZoneType] = []

        while let pfn = kernel.allocPages(order: 0, flags: .highUser.union([.noRetry, .noWarn])) {
            let zone = kernel.detail(of: UInt32(pfn.rawValue)).zone
            if order.last != zone { order.append(zone) }
        }

        #expect(order.prefix(3) == [.highMem, .normal, .dma])
        let dma = try #require(kernel.zoneViews().first)
        // Recorded: 996 with a reserve of 982 against requests that may lie in high memory.
        #expect(abs(Int(dma.free) - 996) <= 3)
    }
}
