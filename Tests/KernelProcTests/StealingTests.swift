import KernelProc
import TestSupport
import Testing

@testable import KernelHeap

/// Whole pageblocks change their class under recorded requests of three classes, as
/// `/proc/pagetypeinfo` shows it.
@Suite("Files of a machine: stolen pageblocks")
struct StealingTests {
    @Test(
        "pagetypeinfo is the recorded one at every checkpoint",
        arguments: ["dma-v8-s1", "dma32-v8-s1", "normal-v8-s1", "dma32-steal-256M"]
    )
    func checkpoints(name: String) throws {
        let trace = try PageTrace(named: name)
        var run = try StealingRun(trace)
        let before = run.text
        var compared = 0
        for line in trace.lines {
            guard case .state(let state) = line.step else {
                run.step(line.step)
                continue
            }
            let recorded = StealingRun.text([state.view])
            try #require(run.text == recorded, "\(name), line \(line.number)")
            compared += 1
        }

        #expect(before == StealingRun.text([trace.start.view]))
        #expect(compared >= 5)
        // The traces were recorded because pageblocks change hands in them.
        #expect(blocks(run.text) != blocks(before))
    }

    private func blocks(_ text: String) -> Substring? { text.split(separator: "\n").last }
}

/// A machine that makes the requests of a trace.
private struct StealingRun: ~Copyable {
    private let trace: PageTrace
    private var kernel: Kernel
    private let zone: Int

    init(_ trace: PageTrace) throws {
        self.trace = trace
        var description = MachineDescription()
        description.zones = trace.zones
        kernel = try Kernel(description)
        zone = kernel.pages.zones.count - 1
        // What CPU 0 held back of the zone's counter at the start.
        let difference = trace.start.counters?.statDifference ?? 0
        kernel.pages.perCPU[zone].freeDifference = difference
        kernel.pages.zones[zone].free -= difference
    }

    /// The file, with the trace's own zone alone.
    var text: String { Self.text(kernel.zoneViews().filter { $0.type == trace.start.zone.name }) }

    static func text(_ zones: [ZoneView]) -> String {
        PageTypeInfo.text([NodeView(id: 0, stats: NodeStats(), zones: zones)])
    }

    mutating func step(_ step: PageTrace.Step) {
        switch step {
        case .allocate(let order, _, let type):
            let pfn = kernel.allocPages(order: order, flags: trace.flags(type).union(.noWarn))
            if let pfn, pfn.rawValue < trace.start.zone.startPFN {
                kernel.freePages(pfn, order: order)
            }
        case .servedElsewhere(let order, _, _):
            let pfn = kernel.allocPages(order: order, flags: trace.flags(.unmovable))
            if let pfn { kernel.freePages(pfn, order: order) }
        case .free(let order, let pfn): kernel.freePages(PFN(rawValue: pfn), order: order)
        case .drain: kernel.pages.drainPerCPU(zone: zone)
        case .bulk, .bulkHoles, .split, .exact, .exactFree, .checkpoint, .state, .remark: break
        }
    }
}
