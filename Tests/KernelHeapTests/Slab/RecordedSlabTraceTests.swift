import TestSupport
import Testing

@testable import KernelHeap

@Suite("Slabs: recorded traces")
struct RecordedSlabTraceTests {
    @Test("slabs, chains and lists equal the recording", arguments: SlabTrace.names)
    func replays(name: String) throws {
        let trace = try SlabTrace(named: name)

        #expect(trace.caches.count >= 7)
        for (number, cache) in trace.caches.enumerated() {
            var replay = try SlabReplay(cache)
            for line in cache.lines {
                if let difference = replay.run(line) {
                    Issue.record("\(name), cache \(number), line \(line.number): \(difference)")
                    break
                }
            }
            #expect(replay.operations > 0)
        }
    }
}

/// Runs the trace of one cache on an engine whose zone starts in the recorded state.
struct SlabReplay: ~Copyable {
    private var pages: PageAllocator
    private var slab: SlabAllocator
    private let cache: Int
    /// Objects handed out, by the first frame of their slab.
    private var live: [UInt64: [SlabAllocator.Object]] = [:]
    private(set) var operations = 0

    init(_ recorded: SlabTrace.Cache) throws {
        var description = MachineDescription()
        let start = try #require(recorded.start)
        description.zones = [start.zone]
        var boot = MachineBoot(description)
        var pages = try boot.pageAllocator()
        let difference = start.counters?.statDifference ?? 0
        pages.perCPU[0].freeDifference = difference
        pages.zones[0].free -= difference
        let options = SlabOptions(bootOptions: "slub_nomerge", cpus: 1)
        var slab = SlabAllocator(options, nodeCount: 1, seed: 1)
        let created = slab.create(SlabRequest(name: "recorded", size: recorded.size))
        cache = Int(created?.rawValue ?? 0)
        let shape = slab.caches[cache]
        #expect(Int(shape.size) == recorded.slabSize)
        #expect(Int(shape.objects) == recorded.objects)
        self.pages = pages
        self.slab = slab
    }

    mutating func run(_ line: SlabTrace.Line) -> String? {
        switch line.step {
        case .allocate(let expected):
            operations += 1
            guard
                let object = try? slab.allocate(
                    cache,
                    requested: 0,
                    flags: .kernel,
                    cpu: 0,
                    call: 0,
                    pages: &pages
                )
            else { return "NULL, recorded slab \(expected)" }
            live[UInt64(object.pfn), default: []].append(object)
            if UInt64(object.pfn) != expected { return "slab \(object.pfn), recorded \(expected)" }
        case .free(let frame):
            operations += 1
            guard let object = live[frame]?.popLast() else { return "no live object in \(frame)" }
            let offset = UInt64(object.index) * UInt64(slab.caches[cache].size)
            _ = slab.free(
                at: slab.layout.virtual(object.pfn) + offset,
                of: pages.map[Int(object.pfn)],
                cpu: 0,
                call: 0,
                pages: &pages
            )
        case .shrink:
            operations += 1
            _ = slab.shrink(cache, cpu: 0, pages: &pages)
        case .remark:
            return nil
        }
        return line.state.flatMap { difference($0) }
    }

    private func difference(_ recorded: SlabTrace.State) -> String? {
        let cpu = cache < slab.cpuSlabs.count ? slab.cpuSlabs[cache] : CPUSlab()
        let active = cpu.slab == Slab.none ? nil : UInt64(cpu.pfn)
        if active != recorded.cpuSlab { return "active \(String(describing: active)): \(recorded)" }
        let chain = listed(from: cpu.partial)
        if chain != recorded.cpuPartial { return "chain \(chain): \(recorded.cpuPartial)" }
        let partial = listed(from: slab.nodes[cache].partial.head)
        if partial != recorded.nodePartial { return "node \(partial): \(recorded.nodePartial)" }
        let count = slab.nodes[cache].slabCount
        if count != recorded.slabCount { return "\(count) slabs, recorded \(recorded.slabCount)" }
        return nil
    }

    private func listed(from head: UInt32) -> [SlabTrace.ListedSlab] {
        var slabs: [SlabTrace.ListedSlab] = []
        var number = head
        while number != Slab.none {
            let entry = slab.slabs[Int(number)]
            slabs.append(SlabTrace.ListedSlab(pfn: UInt64(entry.pfn), inUse: Int(entry.inuse)))
            number = entry.next
        }
        return slabs
    }
}
