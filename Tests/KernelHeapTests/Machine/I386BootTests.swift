import TestSupport
import Testing

@testable import KernelHeap

@Suite("Boot of 32-bit machines")
struct I386BootTests {
    @Test("zones are the recorded ones", arguments: I386Machine.all)
    func zones(machine: I386Machine) throws {
        let boot = try #require(try I386Recording.boots()[machine.folder])
        let recorded = try #require(boot.zonesAtInit)
        let kernel = try machine.boot()

        #expect(kernel.tuning.minFreeKilobytes == boot.minFreeKbytes)
        let zones = kernel.nodeViews().flatMap(\.zones)
        #expect(zones.map(\.type) == [.dma, .normal, .highMem, .movable])
        for zone in zones {
            let other = try #require(recorded[zone.type.name])
            #expect(zone.startPFN == other.startPfn, "\(zone.type)")
            #expect(zone.spanned == other.spanned, "\(zone.type)")
            #expect(zone.present == other.present, "\(zone.type)")
            #expect(zone.managed == other.managed, "\(zone.type)")
            let marks = [zone.min, zone.low, zone.high].map { Int($0) }
            #expect(marks == [other.min, other.low, other.high], "\(zone.type)")
            #expect(zone.protection.map { Int($0) } == other.protection, "\(zone.type)")
            #expect(zone.pageSets.first.map { Int($0.high) } == other.pcpHigh, "\(zone.type)")
            #expect(zone.pageSets.first.map { Int($0.batch) } == other.pcpBatch, "\(zone.type)")
        }
        let violations = kernel.checkInvariants(misuse: false)
        #expect(violations.isEmpty)
    }

    // Whatever looks at the ratios computes the reserves anew, with the memory of the boot released.
    @Test("a look at the reserve ratios changes the reserves", arguments: I386Machine.all)
    func reserves(machine: I386Machine) throws {
        var kernel = try machine.boot()
        let ratios = kernel.readSysctl(.lowmemReserveRatio)
        let zones = kernel.zoneViews()

        #expect(ratios == [256, 32, 0, 0])
        for row in try I386Recording.rows("\(machine.folder)/zones") {
            guard let zone = zones.first(where: { $0.type.name == row["zone"]?.text }) else {
                #expect(row["managed"]?.number == 0)
                continue
            }
            let recorded = try I386Recording.reserves(machine.folder)[zone.type.name]
            #expect(zone.protection == recorded, "\(zone.type)")
        }
    }

    @Test("constants of the layout are the recorded ones", arguments: I386Machine.all)
    func constants(machine: I386Machine) throws {
        let kernel = try machine.boot()
        let recorded = Dictionary(
            uniqueKeysWithValues: try I386Recording.rows("\(machine.folder)/const").map {
                ($0["name"]?.text ?? "", $0["value"]?.number ?? 0)
            }
        )

        let compared = kernel.constants.filter { recorded[$0.name] != nil }

        for constant in compared {
            #expect(constant.value == recorded[constant.name], "\(constant.name)")
        }
        #expect(compared.count >= 38)
    }

    @Test func `a kernel without PAE ignores what lies above 4 GiB`() throws {
        let three = try I386Machine("686-3G").boot()
        let four = try I386Machine("686-4G").boot()

        #expect(three.zoneViews() == four.zoneViews())
    }

    @Test func `vmalloc= takes its addresses from the direct map`() throws {
        var description = I386Machine("686-1G").description
        description.bootOptions = "vmalloc=256M"

        let kernel = try Kernel(description)

        // The gap below the area is added to what is asked for, the default has it inside.
        #expect(kernel.layout.directMapEndPFN == 0x36bfe - (136 << 8))
        #expect(kernel.layout.vmallocEnd - kernel.layout.vmallocStart == 256 << 20)
    }

    @Test("what no 32-bit machine can have is refused", arguments: ["/nodes", "/memory", "/pae"])
    func refusals(pointer: String) throws {
        var description = I386Machine("pae-1G").description
        switch pointer {
        case "/nodes": description.nodes = 2
        case "/memory": description.memoryBytes = 128 << 30
        default: description.profile = "linux-6.1-x86_64"
        }
        let refused = description

        let error = #expect(throws: MachineError.self) { _ = try Kernel(refused) }

        #expect(error?.pointer == pointer)
    }

    @Test(
        "hostile vmalloc= and cache_line_size= end in a machine",
        arguments: [
            "vmalloc=0", "vmalloc=99999999999T", "vmalloc=-1", "vmalloc=1G", "vmalloc=896M",
            "vmalloc=800M", "cache_line_size=3",
        ]
    )
    func hostileOptions(options: String) throws {
        for profile in ["linux-6.1-i386", "linux-2.6-i386"] {
            var description = MachineDescription()
            description.profile = profile
            description.bootOptions = options
            var booted = false
            do {
                let kernel = try Kernel(description)
                booted = kernel.checkInvariants(misuse: false).isEmpty
            } catch { booted = error.pointer.hasPrefix("/") }
            #expect(booted)
        }
    }
}
