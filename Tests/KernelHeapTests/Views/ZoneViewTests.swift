import TestSupport
import Testing

@testable import KernelHeap

@Suite("Views: zones")
struct ZoneViewTests {
    static let boots: [String] = ((try? BootTable.boots()) ?? [:]).keys.sorted()

    // A machine is put into the recorded state; its views must show the recorded numbers.
    @Test("a machine in a recorded state shows that state", arguments: boots)
    func recordedStates(name: String) throws {
        let boot = try #require(try BootTable.boots()[name])
        let states = try ZoneState.boot(named: name)
        var description = MachineDescription()
        description.cpus = boot.smp
        description.nodes = Set(states.map(\.zone.node)).count
        description.zones = states.map(\.zone)
        var machine = MachineBoot(description)
        let allocator = try machine.pageAllocator()

        let nodes = allocator.nodeViews()

        let views = nodes.flatMap(\.zones)
        #expect(views.count == description.nodes * 5)
        let populated = views.filter(\.isPopulated)
        #expect(populated.map(\.type) == states.map(\.zone.name))
        for (view, state) in zip(populated, states) {
            let zone = state.zone
            let counters = try #require(state.counters)
            let marks = try #require(zone.watermarks)
            #expect(view.freeBlocks.map { $0.reduce(0, +) } == counters.freeBlocks)
            for list in zone.freeLists ?? [] {
                let count = view.freeBlocks[list.order][Int(list.migrateType.rawValue)]
                #expect(count == UInt64(list.pfns.count))
            }
            for type in MigrateType.allCases {
                let runs = (zone.pageblocks ?? []).filter { $0.migrateType == type }
                #expect(view.pageblocks[Int(type.rawValue)] == runs.reduce(0) { $0 + $1.count })
            }
            #expect(view.protection == zone.lowmemReserve)
            #expect([view.boost, view.min] == [marks.boost, marks.min + marks.boost])
            #expect([view.low, view.high] == [marks.low + marks.boost, marks.high + marks.boost])
            #expect(view.pageSets.count == boot.smp)
            #expect(view.pageSets[0].count == counters.pcpCount)
            #expect(view.pageSets[0].batch == counters.pcpBatch)
            #expect(view.pageSets[0].statThreshold == state.statThreshold)
            #expect([view.startPFN, view.spanned] == [zone.startPFN, zone.spanned])
            #expect([view.present, view.managed] == [zone.present, zone.managed])
        }
    }
}
