import TestSupport

@testable import KernelHeap

/// A machine whose zones have the counters of a recording; which frames are free is not recorded.
///
/// All free pages are of the request's class and in the largest blocks, so nothing is ever stolen:
/// runs in which the kernel stole have no place here.
struct FallbackMachine: ~Copyable {
    private(set) var allocator: PageAllocator
    private let flags: GFPFlags
    private let order: Int

    /// Boots the machine; `own` counts, by zone, the blocks on the request's own per-CPU list: other
    /// per-CPU pages are out of its reach.
    ///
    /// - Throws: `MachineError` where the recording describes no machine.
    init(
        _ start: [ZoneState],
        _ levels: [FallbackRecording.Level],
        flags: GFPFlags,
        order: Int,
        own: [ZoneType: Int]
    ) throws {
        self.flags = flags
        self.order = order
        var description = MachineDescription()
        description.zones = start.map { state in
            let level = levels.first { $0.zone == state.zone.name }
            return Self.zone(state, level, type: flags.migrateType, order: order, own: own)
        }
        var boot = MachineBoot(description)
        allocator = try boot.pageAllocator()
        for level in levels {
            Self.fill(&allocator, start, level, type: flags.migrateType)
            guard let zone = start.firstIndex(where: { $0.zone.name == level.zone }) else {
                continue
            }
            allocator.zones[zone].free = level.statFree
            allocator.zones[zone].watermarks.boost = level.boost
            allocator.perCPU[zone].freeDifference = level.exactFree - level.statFree
            allocator.zones[zone].statThreshold = start[zone].statThreshold
        }
    }

    private static func zone(
        _ state: ZoneState,
        _ level: FallbackRecording.Level?,
        type: MigrateType,
        order: Int,
        own: [ZoneType: Int]
    ) -> ZoneDescription {
        var zone = state.zone
        guard let level else { return zone }
        let end = zone.startPFN + zone.spanned
        let reserve = UInt64(level.highAtomic) / 512
        let reserveStart = end / 512 * 512 - reserve * 512
        zone.pageblocks = [
            PageblockRun(
                startPFN: zone.startPFN,
                count: reserveStart / 512 - zone.startPFN / 512,
                migrateType: type
            )
        ]
        if reserve > 0 {
            zone.pageblocks?.append(
                PageblockRun(startPFN: reserveStart, count: reserve, migrateType: .highAtomic)
            )
        }
        zone.freeLists = []
        guard PerCPUPages.allows(order: order) else {
            zone.pcp?[0].lists = []
            return zone
        }
        let step = UInt64(1) << UInt64(order)
        let bottom = (zone.startPFN + step - 1) / step * step
        let ownPages = (0..<UInt64(own[level.zone] ?? 0)).map { (block: UInt64) -> UInt64 in
            bottom + block * step
        }
        let index = PerCPUPages.list(order: order, type: type)
        let list = PerCPUPagesDescription.List(index: index, pfns: ownPages)
        zone.pcp?[0].lists = [list]
        return zone
    }

    /// Lists the free pages: the high-atomic reserve, all free between runs, at the zone's end.
    private static func fill(
        _ allocator: inout PageAllocator,
        _ start: [ZoneState],
        _ level: FallbackRecording.Level,
        type: MigrateType
    ) {
        guard let zone = start.firstIndex(where: { $0.zone.name == level.zone }) else { return }
        let end = allocator.zones[zone].endPFN / 512 * 512
        let reserve = end - UInt64(level.highAtomic)
        let first = end - UInt64(level.exactFree)
        PageAllocator.forEachBootBlock(first..<reserve) { pfn, order, count in
            for block in 0..<UInt64(count) {
                let frame = UInt32(pfn + block << UInt64(order))
                allocator.addToFreeList(frame, zone: zone, order: order, type: type, atTail: true)
            }
        }
        for frame in stride(from: reserve, to: end, by: 512) {
            allocator.addToFreeList(
                UInt32(frame),
                zone: zone,
                order: 9,
                type: .highAtomic,
                atTail: true
            )
        }
    }

    /// The zone that serves one more request of the run's class; nil is NULL.
    mutating func take() -> ZoneType? { allocate(flags)?.zone }

    /// A request of another class, given back at once.
    mutating func probe(_ flags: GFPFlags) -> ZoneType? {
        guard let (pfn, zone) = allocate(flags) else { return nil }
        allocator.release(pfn, order: order, cpu: 0)
        return zone
    }

    private mutating func allocate(_ flags: GFPFlags) -> (pfn: UInt32, zone: ZoneType)? {
        let request = AllocationRequest(order: order, flags: flags, cpu: 0)
        guard let pfn = allocator.allocate(request) else { return nil }
        return (pfn, allocator.zones[allocator.map[Int(pfn)].zone].type)
    }

    /// Free pages with what the CPU holds back, and what the watermark test reads.
    func free(_ type: ZoneType) -> (exact: Int, stat: Int)? {
        for zone in allocator.zones.indices where allocator.zones[zone].type == type {
            return (allocator.exactFreePages(zone: zone), allocator.zones[zone].free)
        }
        return nil
    }

    /// `nr_reserved_highatomic`.
    func reserved(_ type: ZoneType) -> Int? {
        for zone in allocator.zones.indices where allocator.zones[zone].type == type {
            return allocator.zones[zone].highAtomicReserved
        }
        return nil
    }
}
