import TestSupport
import Testing

@testable import KernelHeap

@Suite("Zones: recorded boots")
struct RecordedBootTests {
    static let boots: [String] = ((try? BootTable.boots()) ?? [:]).keys.sorted()

    @Test func `all seventeen boots are there`() {
        #expect(Self.boots.count == 17)
    }

    @Test(
        "marks, reserves and per-CPU sizes follow from present and managed pages",
        arguments: boots
    )
    func derivesMarks(name: String) throws {
        let boot = try #require(try BootTable.boots()[name])
        var description = MachineDescription()
        description.cpus = boot.smp
        description.nodes = Set(boot.zones.map(\.node)).count
        description.zones = try boot.zones.map { recorded in
            var zone = ZoneDescription()
            zone.node = recorded.node
            zone.name = try #require(recorded.type)
            zone.startPFN = recorded.startPfn
            zone.spanned = recorded.spanned
            zone.present = recorded.present
            zone.managed = recorded.managed
            return zone
        }

        var machine = MachineBoot(description)
        let allocator = try machine.pageAllocator()

        #expect(machine.tuning.minFreeKilobytes == Int(boot.minFreeKbytes))
        for (index, recorded) in boot.zones.enumerated() {
            let zone = allocator.zones[index]
            let lists = allocator.perCPU[allocator.perCPUIndex(zone: index, cpu: 0)]
            let boost = Int(recorded.boost)
            #expect(zone.watermarks.min == Int(recorded.min) - boost, "\(zone.type) min")
            #expect(zone.watermarks.low == Int(recorded.low) - boost, "\(zone.type) low")
            #expect(zone.watermarks.high == Int(recorded.high) - boost, "\(zone.type) high")
            let reserves = ZoneType.allCases.filter { $0 != .highMem }
                .map { UInt64(zone.lowmemReserve[Int($0.rawValue)]) }
            #expect(reserves == recorded.protection, "\(zone.type) protection")
            #expect(lists.high == Int(recorded.pcpHigh), "\(zone.type) pcp high")
            #expect(lists.batch == Int(recorded.pcpBatch), "\(zone.type) pcp batch")
            #expect(zone.statThreshold == recorded.statThreshold, "\(zone.type) stat threshold")
        }
    }

    static let plain = ["96M", "128M", "256M", "384M", "512M", "1G", "2G", "3G", "4G", "5G", "6G"]

    @Test("a memory size alone gives the recorded zones", arguments: plain)
    func derivesZones(name: String) throws {
        let boot = try #require(try BootTable.boots()[name])
        var description = MachineDescription()
        description.memoryBytes = try #require(BootOptions.bytes(name))

        var machine = MachineBoot(description)
        let allocator = try machine.pageAllocator()

        try #require(allocator.zones.count == boot.zones.count)
        for (index, recorded) in boot.zones.enumerated() {
            let zone = allocator.zones[index]
            #expect(zone.startPFN == recorded.startPfn)
            #expect(zone.spanned == recorded.spanned)
            #expect(zone.present == recorded.present)
            // 3 and 5 GiB differ by the one page that docs/fidelity.md names.
            let slack = name == "3G" || name == "5G" ? 1 : 0
            #expect(abs(Int(zone.managed) - Int(recorded.managed)) <= slack, "\(zone.type)")
            #expect(zone.watermarks.min == Int(recorded.min - recorded.boost))
            #expect(zone.watermarks.high == Int(recorded.high - recorded.boost))
        }
    }
}
