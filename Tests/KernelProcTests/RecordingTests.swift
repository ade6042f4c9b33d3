import KernelHeap
import TestSupport
import Testing

/// The readers of recordings agree with what the recordings say about themselves.
@Suite("Recordings")
struct RecordingTests {
    @Test(
        "the free lists of every state hold as many blocks as it counts",
        arguments: try PageTrace.names()
    )
    func freeListsMatchCounters(name: String) throws {
        let trace = try PageTrace(named: name)

        var states = [trace.start]
        for line in trace.lines {
            if case .state(let state) = line.step { states.append(state) }
        }

        #expect(states.count >= 2)
        for state in states {
            let counters = try #require(state.counters)
            var blocks = [UInt64](repeating: 0, count: 11)
            for list in state.zone.freeLists ?? [] {
                blocks[list.order] += UInt64(list.pfns.count)
            }
            #expect(blocks == counters.freeBlocks, "\(name), \(state.label)")
        }
    }

    @Test func `pages on LRU lists split a run of pageblocks`() throws {
        let trace = try PageTrace(named: "normal-v8-s1")

        let runs = try #require(trace.start.zone.pageblocks)

        // PB … 1056768:2:1 1057792:2:0 … 1806336:55:0 1834496:1:1, LRU 1056768:283 1834496:256
        #expect(
            runs.contains(
                PageblockRun(
                    startPFN: 1_056_768,
                    count: 1,
                    migrateType: .movable,
                    lruPages: 283
                )
            )
        )
        #expect(runs.contains(PageblockRun(startPFN: 1_057_280, count: 1, migrateType: .movable)))
        #expect(
            runs.last
                == PageblockRun(
                    startPFN: 1_834_496,
                    count: 1,
                    migrateType: .movable,
                    lruPages: 256
                )
        )
        #expect(runs.reduce(0) { $0 + $1.count } == 1_536)
    }

    @Test func `a trace of three mobility classes says which request was which`() throws {
        let trace = try PageTrace(named: "dma-v8-s1")

        let classes = trace.lines.prefix(3).compactMap { line -> MigrateType? in
            if case .allocate(_, _, let type) = line.step { type } else { nil }
        }

        // M 2 A …, M 1 A …: the file's own first lines.
        #expect(trace.gfp == 0x20c1)
        #expect(classes == [.reclaimable, .movable, .unmovable])
    }

    @Test func `every boot has its zones and memory size`() throws {
        let boots = try BootTable.boots()

        #expect(boots.count == 17)
        #expect(boots["numa2-2G"]?.zones.map(\.node) == [0, 0, 1])
        #expect(boots["6G"]?.memoryBytes == 6 << 30)
        #expect(boots["1G"]?.zones.first?.watermarkTexts == [15, 18, 21])
        #expect(try BootTable.watermarkSeries()["1G"]?.first?.minFreeKbytes == 3936)
    }
}

extension BootTable.Zone {
    fileprivate var watermarkTexts: [UInt64] { [min, low, high] }
}

extension RecordingTests {
    @Test(
        "slabs on the lists of a slab trace never exceed the slabs that exist",
        arguments: SlabTrace.names
    )
    func slabTraces(name: String) throws {
        let trace = try SlabTrace(named: name)

        #expect(trace.caches.map(\.size) == [64, 256, 1000, 4096, 8192, 40, 700])
        for cache in trace.caches {
            let options = SlabOptions(cpus: 1)
            let request = SlabRequest(name: "trace", size: cache.size)
            let geometry = try #require(SlabGeometry(request: request, options: options))
            #expect(geometry.size == cache.slabSize)
            #expect(geometry.order == cache.order)
            #expect(geometry.cpuPartialSlabs == cache.cpuPartialSlabs)
            #expect(geometry.minPartial == cache.minPartial)
            #expect(cache.start?.zone.name == .dma32)
            #expect(cache.lines.count > 700)
            for line in cache.lines {
                guard let state = line.state else { continue }
                let listed = state.cpuPartial.count + state.nodePartial.count
                #expect(listed + (state.cpuSlab == nil ? 0 : 1) <= state.slabCount)
            }
        }
    }

    @Test("kmalloc's table covers every size from 0 to 8200", arguments: KmallocTable.setups)
    func kmallocTables(setup: KmallocTable.Setup) throws {
        let table = try KmallocTable.named(setup.name)

        #expect(table.variants.count >= 8)
        for variant in table.variants {
            var next: UInt64 = 0
            for range in variant.ranges {
                #expect(range.from == next)
                next = range.to + 1
            }
            #expect(next == 8_201)
        }
    }
}
