import TestSupport
import Testing

@testable import KernelHeap

@Suite("Machine: memory maps")
struct MemoryMapTests {
    static let boots = [
        "96M", "128M", "256M", "384M", "512M", "1G", "2G", "3G", "4G", "5G", "6G", "smp4-1G",
    ]

    /// The table that the kernel printed while it booted.
    private func recordedMap(_ name: String) throws -> [MemoryRegion] {
        var map: [MemoryRegion] = []
        for line in try Recording.text("boot/\(name)/dmesg.txt").split(separator: "\n") {
            guard let cut = line.firstRange(of: "BIOS-e820: [mem ") else { continue }
            let parts = line[cut.upperBound...].split(separator: "] ")
            let ends = parts[0].split(separator: "-").map { UInt64($0.dropFirst(2), radix: 16) }
            map.append(
                MemoryRegion(
                    start: try #require(ends[0]),
                    last: try #require(ends[1]),
                    kind: try #require(MemoryRegion.Kind(rawValue: String(parts[1])))
                )
            )
        }
        return map
    }

    @Test("the firmware's table of a recorded boot gives its zones", arguments: boots)
    func recordedZones(name: String) throws {
        let boot = try #require(try BootTable.boots()[name])
        var machine = MachineDescription()
        machine.memoryMap = try recordedMap(name)

        let views = try Kernel(machine).zoneViews()

        #expect(views.map(\.type) == boot.zones.map(\.type))
        #expect(views.map(\.startPFN) == boot.zones.map(\.startPfn))
        #expect(views.map(\.spanned) == boot.zones.map(\.spanned))
        #expect(views.map(\.present) == boot.zones.map(\.present))
    }

    //   frame  256        4096   4101        6000 6002           8192
    //         |   free   |image |    free     | ## |    free     |
    @Test func `free ranges are listed in the largest aligned blocks, ascending`() throws {
        var machine = MachineDescription()
        machine.memoryMap = [
            MemoryRegion(start: 0x10_0000, last: 0x1ff_ffff, kind: .usable),
            MemoryRegion(start: 0, last: 0x9_fbff, kind: .usable),
        ]
        machine.reserved = [
            MemoryReservation(start: 6000 << 12, last: (6002 << 12) - 1),
            MemoryReservation(start: 4096 << 12, last: (4100 << 12) + 1),
        ]

        let kernel = try Kernel(machine)
        let zones = kernel.zoneViews()
        let lists = (0...10).map { order in
            kernel.pages.freeBlocks(zone: 1, order: order, type: .movable)
        }

        #expect(zones.map(\.managed) == [3840, 4089])
        #expect(zones.map(\.present) == [3998, 4096])
        #expect(kernel.pages.freeBlocks(zone: 0, order: 8, type: .unmovable) == [256])
        #expect(kernel.pages.freeBlocks(zone: 0, order: 10, type: .movable) == [1024, 2048, 3072])
        let expected: [[UInt64]] = [
            [4101], [4102, 6002], [6004], [4104, 6008], [4112, 5984], [4128, 5952], [4160, 5888],
            [4224, 6016], [4352, 5632], [4608, 5120], [6144, 7168],
        ]
        #expect(lists == expected)
        #expect(kernel.checkInvariants(misuse: false).isEmpty)
    }

    @Test func `all memory of a map can be had, page by page`() throws {
        var machine = MachineDescription()
        machine.memoryMap = [
            MemoryRegion(start: 0x100_0000, last: 0x13f_ffff, kind: .usable),
            MemoryRegion(start: 0x140_0000, last: 0x14f_ffff, kind: .acpiNVS),
            MemoryRegion(start: 0x150_0000, last: 0x1ff_ffff, kind: .usable),
        ]
        machine.reserved = []
        machine.bootOptions = ""
        var kernel = try Kernel(machine)
        let alloc = try #require(CallRegistry.byName["alloc_pages"])
        var arguments = CallArguments()
        let reserves: GFPFlags = [.memAlloc, .noWarn]
        arguments.set(0, word: UInt64(reserves.rawValue))
        arguments.set(1, word: 0)

        var frames: Set<UInt64> = []
        while true {
            let outcome = kernel.apply(alloc, arguments, in: CallContext())
            guard case .pages(let pages) = outcome.result.detail else { break }
            frames.insert(pages.pfn.rawValue)
        }

        #expect(frames == Set(0x1000..<0x1400).union(0x1500..<0x2000))
        #expect(kernel.checkInvariants(misuse: false).isEmpty)
    }

    @Test func `without reserved ranges the image and the page structures are kept`() throws {
        var machine = MachineDescription()
        machine.memoryMap = try recordedMap("1G")

        let zones = try Kernel(machine).zoneViews()

        // Eight sections of 512 pages of structures, and the image of 11,318 pages.
        #expect(zones.map(\.managed) == [3_840, 258_016 - 11_318 - 4_096])
    }

    static let wrong: [(map: [MemoryRegion], reserved: [MemoryReservation]?, pointer: String)] = [
        ([], nil, "/memory_map"),
        ([MemoryRegion(start: 0, last: 0xfff, kind: .usable)], nil, "/memory_map"),
        ([MemoryRegion(start: 0, last: .max, kind: .reserved)], nil, "/memory_map"),
        ([MemoryRegion(start: 0, last: .max, kind: .usable)], nil, "/memory_map/0/end"),
        ([MemoryRegion(start: 8192, last: 4096, kind: .usable)], nil, "/memory_map/0/end"),
        (
            [
                MemoryRegion(start: 0, last: 1 << 30, kind: .usable),
                MemoryRegion(start: 1 << 30, last: 1 << 31, kind: .reserved),
            ], nil, "/memory_map/1/start"
        ),
        (
            [MemoryRegion(start: 0, last: (1 << 30) - 1, kind: .usable)],
            [MemoryReservation(start: 0, last: .max)], "/reserved"
        ),
        (
            [MemoryRegion(start: 0, last: (1 << 30) - 1, kind: .usable)],
            [MemoryReservation(start: 1, last: 0)], "/reserved/0/end"
        ),
        (
            [
                MemoryRegion(start: 1 << 32, last: (1 << 34) - 1, kind: .usable),
                MemoryRegion(start: 1 << 35, last: (1 << 36) - 1, kind: .usable),
            ], [], "/memory_map"
        ),
    ]

    @Test("a map that no machine can have is refused at its place", arguments: wrong)
    func refuses(
        map: [MemoryRegion],
        reserved: [MemoryReservation]?,
        pointer: String
    ) throws {
        var machine = MachineDescription()
        machine.memoryMap = map
        machine.reserved = reserved

        let error = #expect(throws: MachineError.self) {
            _ = try Kernel(machine).sequence
        }

        #expect(error?.pointer == pointer)
    }

    @Test func `reserved ranges, nodes and movable zones need what they go with`() throws {
        var alone = MachineDescription()
        alone.reserved = []
        var nodes = MachineDescription()
        nodes.memoryMap = try recordedMap("1G")
        nodes.nodes = 2
        var movable = nodes
        movable.nodes = 1
        movable.bootOptions = "movablecore=64M"

        for (machine, pointer) in [
            (alone, "/reserved"), (nodes, "/nodes"), (movable, "/boot_options"),
        ] {
            let error = #expect(throws: MachineError.self) { _ = try Kernel(machine).sequence }
            #expect(error?.pointer == pointer)
        }
    }
}
