import TestSupport
import Testing

@testable import KernelHeap

@Suite("Page allocator: recorded traces")
struct RecordedTraceTests {
    static let names = (try? PageTrace.names()) ?? []

    @Test func `the recordings are there`() {
        #expect(Self.names.count >= 20)
    }

    @Test("every frame, NULL and checkpoint equals the recording", arguments: names)
    func replays(name: String) throws {
        let trace = try PageTrace(named: name)
        var replay = try TraceReplay(trace)
        for line in trace.lines {
            if let difference = replay.run(line.step) {
                Issue.record("\(name), line \(line.number): \(difference)")
                return
            }
        }
        #expect(replay.allocations > 0)
    }
}

/// Runs a recorded trace on an engine that starts in the recorded state.
struct TraceReplay: ~Copyable {
    private var allocator: PageAllocator
    private let flags: GFPFlags
    private(set) var allocations = 0

    init(_ trace: PageTrace) throws {
        var description = MachineDescription()
        description.zones = trace.zones
        var boot = MachineBoot(description)
        allocator = try boot.pageAllocator()
        let difference = trace.start.counters?.statDifference ?? 0
        allocator.perCPU[allocator.zones.count - 1].freeDifference = difference
        allocator.zones[allocator.zones.count - 1].free -= difference
        flags = GFPFlags(rawValue: UInt32(truncatingIfNeeded: trace.gfp ?? 0xcc0))
    }

    private var zone: Int { allocator.zones.count - 1 }

    /// Runs one step.
    ///
    /// - Returns: how the outcome differs from the recording, or nil.
    mutating func run(_ step: PageTrace.Step) -> String? {
        switch step {
        case .allocate(let order, let expected, let type):
            let got = allocate(order: order, type: type)
            return got == expected ? nil : "A \(order): \(text(got)), recorded \(text(expected))"
        case .servedElsewhere(let order, _, _):
            let got = allocate(order: order, type: nil)
            return got == nil ? nil : "A \(order): \(text(got)), recorded from another zone"
        case .free(let order, let pfn):
            allocator.release(UInt32(pfn), order: order, cpu: 0)
        case .bulk(let asked, let expected):
            let got = bulk(asked)
            return got == expected ? nil : "BULK \(asked): \(got), recorded \(expected)"
        case .bulkHoles(_, let expected):
            return bulkHoles(expected)
        case .split(let order, let pfn):
            return split(order: order, pfn: pfn)
        case .exact(let bytes, let expected):
            let got = exact(bytes: bytes)
            return got == expected ? nil : "EXACT: \(text(got)), recorded \(text(expected))"
        case .exactFree(let bytes, let pfn):
            for page in 0..<(bytes + 4095) / 4096 {
                allocator.release(UInt32(pfn + page), order: 0, cpu: 0)
            }
        case .drain:
            allocator.drainPerCPU(zone: zone)
        case .checkpoint(let counters):
            return difference(counters)
        case .state(let state):
            return difference(state)
        case .remark:
            break
        }
        return nil
    }

    private func text(_ pfn: UInt64?) -> String { pfn.map(String.init) ?? "NULL" }

    private func request(order: Int, type: MigrateType?) -> AllocationRequest {
        var flags = flags
        if let type {
            flags.subtract([.movable, .reclaimable])
            if type == .movable { flags.insert(.movable) }
            if type == .reclaimable { flags.insert(.reclaimable) }
        }
        return AllocationRequest(order: order, flags: flags, cpu: 0)
    }

    private mutating func allocate(order: Int, type: MigrateType?) -> UInt64? {
        allocations += 1
        guard order <= Zone.maxOrder else { return nil }
        guard let pfn = allocator.allocate(request(order: order, type: type)) else { return nil }
        guard UInt64(pfn) >= allocator.zones[zone].startPFN else {
            allocator.release(pfn, order: order, cpu: 0)
            return nil
        }
        return UInt64(pfn)
    }

    private mutating func bulk(_ count: Int) -> [UInt64] {
        allocations += count
        return allocator.allocateBulk(count, request(order: 0, type: nil)).map(UInt64.init)
    }

    private mutating func bulkHoles(_ expected: [UInt64]) -> String? {
        // Every second place was taken beforehand; the trace allocated those singly before.
        let got = bulk(expected.count / 2)
        let recorded = stride(from: 1, to: expected.count, by: 2).map { expected[$0] }
        return got == recorded ? nil : "BULKHOLES: \(got), recorded \(expected)"
    }

    private mutating func split(order: Int, pfn: UInt64) -> String? {
        allocator.splitAllocated(UInt32(pfn))
        return nil
    }

    private mutating func exact(bytes: UInt64) -> UInt64? {
        let pages = Int((bytes + 4095) / 4096)
        var order = 0
        while 1 << order < pages { order += 1 }
        guard let pfn = allocate(order: order, type: nil) else { return nil }
        allocator.splitAllocated(UInt32(pfn))
        allocator.releaseSurplus(UInt32(pfn), order: order, kept: pages, cpu: 0)
        return pfn
    }

    private func difference(_ counters: ZoneCounters) -> String? {
        let zone = allocator.zones[self.zone]
        let lists = allocator.perCPU[self.zone]
        let blocks = (0..<Zone.orderCount).map { UInt64(zone.blockCounts[$0]) }
        if blocks != counters.freeBlocks { return "nr_free \(blocks), recorded \(counters)" }
        if UInt64(lists.count) != counters.pcpCount { return "pcp \(lists.count): \(counters)" }
        if UInt64(lists.freeFactor) != counters.pcpFreeFactor {
            return "free_factor \(lists.freeFactor), recorded \(counters)"
        }
        let free = allocator.exactFreePages(zone: self.zone)
        if free != counters.statFree + counters.statDifference {
            return "free \(free), recorded \(counters)"
        }
        if UInt64(zone.watermarks.boost) != counters.boost {
            return "boost \(zone.watermarks.boost), recorded \(counters.boost)"
        }
        return nil
    }

    private func difference(_ state: ZoneState) -> String? {
        for order in 0...Zone.maxOrder {
            for type in MigrateType.allCases {
                let recorded =
                    state.zone.freeLists?
                    .first { $0.order == order && $0.migrateType == type }?.pfns ?? []
                let got = allocator.freeBlocks(zone: zone, order: order, type: type)
                if got != recorded {
                    return "list \(order) \(type): \(got), recorded \(recorded)"
                }
            }
        }
        for index in 0..<PerCPUPages.listCount {
            let recorded = state.zone.pcp?.first?.lists.first { $0.index == index }?.pfns ?? []
            let got = allocator.map.frames(of: allocator.perCPU[zone].lists[index])
            if got != recorded { return "pcp list \(index): \(got), recorded \(recorded)" }
        }
        for run in state.zone.pageblocks ?? [] {
            for block in 0..<run.count {
                let frame = UInt32(run.startPFN / 512 + block) * 512
                guard allocator.isValid(UInt64(frame) + 511), frame > 0 else { continue }
                let got = allocator.pageblockType(of: frame)
                if got != run.migrateType {
                    return "pageblock \(frame) is \(got), recorded \(run.migrateType)"
                }
            }
        }
        return state.counters.flatMap { difference($0) }
    }
}
