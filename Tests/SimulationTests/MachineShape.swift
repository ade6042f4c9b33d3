import KernelHeap
import Testing

/// A machine to simulate on.
struct MachineShape: CustomTestStringConvertible, Sendable {
    let name: String
    let description: MachineDescription

    var testDescription: String { name }

    init(_ name: String, _ configure: (inout MachineDescription) -> Void) {
        self.name = name
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        configure(&description)
        self.description = description
    }

    /// Machines with lists that booting makes.
    static let booted: [MachineShape] = [
        MachineShape("96M") { _ in },
        MachineShape("128M, 4 CPUs") {
            $0.memoryBytes = 128 << 20
            $0.cpus = 4
        },
        MachineShape("1G, 2 nodes") {
            $0.memoryBytes = 1 << 30
            $0.cpus = 2
            $0.nodes = 2
        },
        MachineShape("4 nodes of 3200M, 3 CPUs") {
            $0.memoryBytes = 3_200 << 20
            $0.cpus = 3
            $0.nodes = 4
        },
        MachineShape("256M, movablecore") {
            $0.memoryBytes = 256 << 20
            $0.bootOptions = "movablecore=64M"
        },
        MachineShape("init_on_alloc and init_on_free") {
            $0.bootOptions = "init_on_alloc=1 init_on_free=1 slub_nomerge"
        },
        MachineShape("small slabs") { $0.bootOptions = "slub_max_order=0 slub_min_objects=1" },
        MachineShape("checked slabs") { $0.bootOptions = "slub_debug=FZPU" },
        MachineShape("owners of pages, 2 CPUs") {
            $0.cpus = 2
            $0.bootOptions = "page_owner=on"
        },
        MachineShape("kasan") { $0.kasan = true },
        MachineShape("kasan, checked slabs, 2 CPUs") {
            $0.kasan = true
            $0.cpus = 2
            $0.bootOptions = "slub_debug=FZPU init_on_free=1"
        },
    ]

    /// Machines with a zone table of their own.
    static let explicit: [MachineShape] = [
        MachineShape("one zone of 64 pages") { $0.zones = [zone(.dma, 0, 64)] },
        MachineShape("one zone that starts inside a pageblock") {
            $0.zones = [zone(.normal, 700, 5_000)]
        },
        MachineShape("three zones that meet inside pageblocks") {
            $0.cpus = 2
            $0.zones = [
                zone(.dma, 1, 299), zone(.dma32, 300, 1_700), zone(.normal, 2_000, 2_096),
            ]
        },
        MachineShape("movable zone and a second node") {
            $0.cpus = 2
            $0.nodes = 2
            var far = zone(.normal, 8_192, 2_048)
            far.node = 1
            $0.zones = [zone(.normal, 0, 2_048), zone(.movable, 2_048, 2_048), far]
        },
        MachineShape("pageblocks of all classes") {
            var mixed = zone(.normal, 0, 5_120)
            mixed.watermarks = WatermarksDescription(min: 8, low: 10, high: 12)
            mixed.pageblocks = MigrateType.allCases.enumerated().map { index, type in
                PageblockRun(startPFN: UInt64(index) * 1_024, count: 2, migrateType: type)
            }
            mixed.freeLists = MigrateType.allCases.enumerated().map { index, type in
                FreeListDescription(
                    order: 9,
                    migrateType: type,
                    pfns: [UInt64(index) * 1_024, UInt64(index) * 1_024 + 512]
                )
            }
            $0.zones = [mixed]
        },
        MachineShape("every mark and batch at zero") {
            var bare = zone(.normal, 0, 1_024)
            bare.watermarks = WatermarksDescription(min: 0, low: 0, high: 0)
            bare.pcp = [PerCPUPagesDescription(cpu: 0, batch: 0, high: 0)]
            bare.freeLists = [FreeListDescription(order: 10, migrateType: .unmovable, pfns: [0])]
            $0.zones = [bare]
        },
    ]

    static let all = booted + explicit

    private static func zone(_ type: ZoneType, _ start: UInt64, _ pages: UInt64) -> ZoneDescription
    {
        var zone = ZoneDescription()
        zone.name = type
        zone.startPFN = start
        zone.spanned = pages
        zone.present = pages
        zone.managed = pages
        zone.watermarks = WatermarksDescription(min: 4, low: 5, high: 6)
        return zone
    }
}
