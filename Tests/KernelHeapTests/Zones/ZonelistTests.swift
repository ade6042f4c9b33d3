import Testing

@testable import KernelHeap

@Suite("Zones: zonelists of several nodes")
struct ZonelistTests {
    private func zone(
        _ type: ZoneType,
        node: Int,
        _ start: UInt64,
        pages: UInt64 = 8_192
    ) -> ZoneDescription {
        var zone = ZoneDescription()
        zone.name = type
        zone.node = node
        zone.startPFN = start
        zone.spanned = pages
        zone.present = pages
        zone.managed = pages
        zone.watermarks = WatermarksDescription(min: 16, low: 20, high: 24)
        zone.lowmemReserve = [0, 0, 0, 0, 0]
        return zone
    }

    private func machine(_ zones: [ZoneDescription], cpus: Int) throws -> Kernel {
        var description = MachineDescription()
        description.cpus = cpus
        description.zones = zones
        return try Kernel(description)
    }

    /// The zones in the order in which a CPU's requests use them up.
    private func order(_ kernel: inout Kernel, _ flags: GFPFlags, cpu: Int) -> [Int] {
        var zones: [Int] = []
        let context = CallContext(cpu: cpu)
        while let pfn = kernel.allocPages(order: 4, flags: flags.union(.noWarn), in: context) {
            let zone = kernel.pages.map[Int(pfn.rawValue)].zone
            if !zones.contains(zone) { zones.append(zone) }
        }
        return zones
    }

    //   distances are equal: 10 to itself, 20 to every other node
    @Test func `nodes above come first, and the lead among the others is dealt out`() {
        let all = Zonelist.nodeOrders(count: 4, memory: [0, 1, 2, 3], cpus: 4)
        let withoutCPUs = Zonelist.nodeOrders(count: 3, memory: [0, 1, 2], cpus: 2)
        let withoutMemory = Zonelist.nodeOrders(count: 3, memory: [0, 2], cpus: 3)
        let two = Zonelist.nodeOrders(count: 2, memory: [0, 1], cpus: 1)

        #expect(all == [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]])
        // A node without CPUs is the better helper.
        #expect(withoutCPUs == [[0, 2, 1], [1, 2, 0], [2, 0, 1]])
        #expect(withoutMemory == [[0, 2], [1, 2, 0], [2, 0]])
        #expect(two == [[0, 1], [1, 0]])
    }

    @Test func `each node's zones are tried from the highest before the next node's`() throws {
        let zones = [
            zone(.dma, node: 0, 0, pages: 4_096), zone(.dma32, node: 0, 8_192),
            zone(.normal, node: 0, 16_384), zone(.normal, node: 1, 24_576),
            zone(.movable, node: 1, 32_768),
        ]
        var first = try machine(zones, cpus: 2)
        var second = first.fork()
        var movable = first.fork()
        var low = first.fork()

        #expect(order(&first, .kernel, cpu: 0) == [2, 1, 0, 3])
        #expect(order(&second, .kernel, cpu: 1) == [3, 2, 1, 0])
        #expect(order(&movable, .highUserMovable, cpu: 1) == [4, 3, 2, 1, 0])
        #expect(order(&low, [.kernel, .dma32], cpu: 1) == [1, 0])
    }

    @Test func `a CPU of a node without memory is served by others, unless it wants its own`()
        throws
    {
        let zones = [zone(.dma32, node: 0, 8_192), zone(.dma32, node: 2, 16_384)]
        var kernel = try machine(zones, cpus: 3)

        let bound = kernel.allocPages(
            order: 0,
            flags: [.kernel, .thisNode],
            in: CallContext(cpu: 1)
        )
        let page = kernel.allocPages(order: 0, flags: .kernel, in: CallContext(cpu: 1))

        #expect(bound == nil)
        #expect(try #require(page).rawValue >= 16_384)
        #expect(kernel.log.lines.first?.contains("__GFP_THISNODE") == true)
    }

    @Test func `the high-atomic reserve of another node is no help to __GFP_THISNODE`() throws {
        var kernel = try machine(
            [zone(.dma32, node: 0, 8_192), zone(.dma32, node: 1, 16_384)],
            cpus: 2
        )
        let bound = GFPFlags([.kernel, .thisNode, .noWarn])
        while kernel.allocPages(order: 3, flags: bound, in: CallContext(cpu: 0)) != nil {}
        let atomic = kernel.allocPages(order: 3, flags: .atomic, in: CallContext(cpu: 0))
        let reserved = kernel.zoneViews().map(\.highAtomicReserved)

        while kernel.allocPages(order: 3, flags: bound, in: CallContext(cpu: 1)) != nil {}

        #expect(atomic != nil)
        #expect(kernel.zoneViews()[0].highAtomicReserved == reserved[0])
        #expect(kernel.checkInvariants(misuse: false) == [])
    }
}
