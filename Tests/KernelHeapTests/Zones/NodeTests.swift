import TestSupport
import Testing

@testable import KernelHeap

/// The recorded machine of two nodes with 1 GiB each; CPU 0 is node 0's, CPU 1 is node 1's.
///
///     node 0:  | DMA 1… | DMA32 4096 …          |
///     node 1:                                    | DMA32 262144 …     524255 |
@Suite("Zones: two recorded nodes")
struct NodeTests {
    private let start: [ZoneState]
    private static let secondNode: Range<UInt64> = 262_144..<524_256

    init() throws { start = try ZoneState.boot(named: "numa2-2G") }

    private func machine(cpus: Int = 2) throws -> Kernel {
        var description = MachineDescription()
        description.cpus = cpus
        description.nodes = 2
        description.zones = start.map(\.zone)
        return try Kernel(description)
    }

    private func exhaust(_ kernel: inout Kernel, _ flags: GFPFlags, cpu: Int) -> [PFN] {
        var taken: [PFN] = []
        let context = CallContext(cpu: cpu)
        while let pfn = kernel.allocPages(order: 0, flags: flags.union(.noWarn), in: context) {
            taken.append(pfn)
        }
        return taken
    }

    /// The first block on the recorded list of the lowest order that has one.
    private func firstFree(_ zone: Int, _ type: MigrateType) throws -> UInt64 {
        let lists = (start[zone].zone.freeLists ?? []).filter {
            $0.migrateType == type && !$0.pfns.isEmpty
        }
        return try #require(lists.min { $0.order < $1.order }?.pfns.first)
    }

    @Test func `the recorded machine has three zones on two nodes`() {
        #expect(start.map(\.zone.node) == [0, 0, 1])
        #expect(start.map(\.zone.name) == [.dma, .dma32, .dma32])
        #expect(start[2].zone.startPFN == Self.secondNode.lowerBound)
    }

    @Test func `a request is served by its CPU's node, from its CPU's lists`() throws {
        var kernel = try machine()
        let recorded = try #require(start[1].zone.pcp?.first?.lists.first { $0.index == 0 })

        let first = kernel.allocPages(order: 0, flags: .kernel, in: CallContext(cpu: 0))
        let second = kernel.allocPages(order: 0, flags: .kernel, in: CallContext(cpu: 1))

        // CPU 0 has the recorded list; CPU 1 has none yet and fills it from the free lists.
        #expect(first?.rawValue == recorded.pfns[0])
        #expect(second?.rawValue == (try firstFree(2, .unmovable)))
    }

    @Test func `a page goes back to the list of the CPU that frees it, in its own zone`() throws {
        var kernel = try machine()
        let other = kernel.allocPages(order: 0, flags: .kernel, in: CallContext(cpu: 1))
        let pfn = try #require(other)
        let before = kernel.zoneViews()

        kernel.freePages(pfn, order: 0, in: CallContext(cpu: 0))
        let after = kernel.zoneViews()
        let again = kernel.allocPages(
            order: 0,
            flags: [.kernel, .thisNode],
            in: CallContext(cpu: 1)
        )

        #expect(Self.secondNode.contains(pfn.rawValue))
        #expect(after[2].pageSets[0].count == before[2].pageSets[0].count + 1)
        #expect(after[2].pageSets[1].count == before[2].pageSets[1].count)
        #expect(after[0..<2] == before[0..<2])
        #expect(again != pfn)
    }

    @Test func `__GFP_THISNODE stays on its node, and is NULL when that is used up`() throws {
        var kernel = try machine()
        let before = kernel.zoneViews()

        let taken = exhaust(&kernel, [.kernel, .thisNode], cpu: 1)
        let after = kernel.zoneViews()
        let free = kernel.allocPages(order: 0, flags: .kernel, in: CallContext(cpu: 1))

        #expect(taken.count > 200_000)
        #expect(taken.allSatisfy { Self.secondNode.contains($0.rawValue) })
        #expect(Array(after[0..<2]) == Array(before[0..<2]))
        // The last refill was admitted above min and its boost, and took at most 63 pages.
        #expect(after[2].free <= after[2].min)
        #expect(after[2].free + 63 > after[2].min)
        #expect(free.map { Self.secondNode.contains($0.rawValue) } == false)
    }

    @Test func `__GFP_THISNODE with a zone that the node has not is NULL at once`() throws {
        var kernel = try machine()
        let before = kernel.zoneViews()

        let page = kernel.allocPages(
            order: 0,
            flags: [.kernel, .dma, .thisNode],
            in: CallContext(cpu: 1)
        )
        let bulk = kernel.allocPagesBulk(
            8,
            flags: [.kernel, .dma, .thisNode],
            in: CallContext(cpu: 1)
        )
        let lower = kernel.allocPages(order: 0, flags: [.kernel, .dma], in: CallContext(cpu: 1))

        #expect(page == nil && bulk == [])
        #expect(kernel.zoneViews()[2] == before[2])
        #expect(try #require(lower).rawValue < 4_096)
    }

    // Node 1 to low, node 0 to low, DMA to low and its reserve of 947, then the same to min.
    @Test func `the other node serves when a node is down to its low mark`() throws {
        var kernel = try machine()
        let low = Int(start[2].zone.watermarks?.low ?? 0)
        var inOrder: [Int] = []
        var freeAtChange = 0
        let context = CallContext(cpu: 1)
        while let pfn = kernel.allocPages(order: 0, flags: [.kernel, .noWarn], in: context) {
            let zone = kernel.pages.map[Int(pfn.rawValue)].zone
            if inOrder.last != zone {
                if inOrder == [2] { freeAtChange = kernel.pages.zones[2].free }
                inOrder.append(zone)
            }
        }
        let views = kernel.zoneViews()

        #expect(inOrder.prefix(4) == [2, 1, 0, 2])
        let boost = kernel.pages.zones[2].watermarks.boost
        #expect(freeAtChange <= low + boost && freeAtChange > low - 64)
        #expect(views[0].free >= 947)
        #expect(views[1].stats[.numaMiss] > 200_000)
        #expect(views[1].stats[.numaOther] == views[1].stats[.numaMiss])
        #expect(
            views[2].stats[.numaForeign] == views[0].stats[.numaMiss] + views[1].stats[.numaMiss]
        )
        #expect(views[2].stats[.numaLocal] == views[2].stats[.numaHit])
    }

    @Test func `a zone that only one node has is a hit for every CPU, but not local`() throws {
        var kernel = try machine()

        let page = kernel.allocPages(order: 0, flags: [.kernel, .dma], in: CallContext(cpu: 1))
        let bulk = kernel.allocPagesBulk(4, flags: [.kernel, .dma], in: CallContext(cpu: 1))
        let dma = kernel.zoneViews()[0].stats

        #expect(page != nil && bulk.count == 4)
        #expect([dma[.numaHit], dma[.numaMiss], dma[.numaForeign]] == [5, 0, 0])
        #expect([dma[.numaLocal], dma[.numaOther]] == [0, 5])
    }

    @Test func `the CPUs of a node share its lists' size, a node without CPUs has all`() throws {
        let shared = try machine(cpus: 3).zoneViews()
        let alone = try machine(cpus: 1).zoneViews()
        var plain = MachineDescription()
        plain.memoryBytes = 2 << 30
        plain.nodes = 2
        plain.cpus = 3
        let booted = try Kernel(plain).zoneViews()

        // What CPU 0 had is part of the recorded state; the others' follows from the zone.
        #expect(shared[2].pageSets.map(\.high)[1] == alone[2].low)
        #expect(booted[1].pageSets.map(\.high) == [UInt64](repeating: booted[1].low / 2, count: 3))
        #expect(booted[2].pageSets.map(\.high) == [UInt64](repeating: booted[2].low, count: 3))
    }
}
