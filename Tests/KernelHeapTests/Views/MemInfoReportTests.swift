import KernelHeap
import TestSupport
import Testing

@Suite("Views: the report of a failed allocation")
struct MemInfoReportTests {
    @Test func `thirteen recorded reports are there`() throws {
        #expect(try MemInfoBlock.names().count == 13)
    }

    @Test("the report is the kernel's, line by line", arguments: try MemInfoBlock.names())
    func recorded(name: String) throws {
        let block = try MemInfoBlock(named: name)

        #expect(block.report.lines == block.lines)
    }

    @Test func `a failed allocation logs the report, a second one its line only`() throws {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        var kernel = try Kernel(description)
        let quiet = GFPFlags.atomic.union(.noWarn)
        while kernel.allocPages(order: 0, flags: quiet) != nil {}
        let before = kernel.log.lines

        let first = kernel.allocPages(order: 0, flags: .atomic)
        let lines = kernel.log.lines
        let second = kernel.allocPages(order: 0, flags: .atomic)
        let last = kernel.log.lines
        let zones = kernel.zoneViews()

        #expect(before.isEmpty)
        #expect(first == nil && second == nil)
        #expect(last.count == lines.count + 1)
        #expect(lines[0].contains("page allocation failure: order:0, mode:0xa20(GFP_ATOMIC)"))
        #expect(lines[1] == "Mem-Info:")
        let free = zones[1].free * 4
        #expect(lines.contains { $0.hasPrefix("Node 0 DMA32 free:\(free)kB boost:") })
        // The recorded machine of 96 MiB has 3998 pages in DMA and 20448 in DMA32.
        #expect(lines.suffix(4).first == "24446 pages RAM")
    }

    @Test(
        "the OOM killer lists caches in the kernel's columns",
        arguments: ["bad-oom.case-90.txt", "bad-oom-256M.case-90.txt", "bad-fail-87.case-87.txt"]
    )
    func slabs(name: String) throws {
        let recorded = try MemInfoBlock.slabLines(named: name)
        // Objects of 1 KiB make the recorded sizes, whatever the real ones were.
        var caches = recorded.dropFirst(2).map { line in
            let words = line.split(separator: " ")
            let sizes = words.dropFirst().compactMap { UInt64($0.dropLast(2)) }
            return CacheView(
                name: String(words[0]),
                activeObjects: sizes.first ?? 0,
                objects: sizes.last ?? 0,
                objectSize: 1024,
                objectsPerSlab: 4,
                pagesPerSlab: 1,
                activeSlabs: 1,
                slabs: 1
            )
        }
        var reclaimable = try #require(caches.first)
        reclaimable.isReclaimable = true
        caches.append(reclaimable)

        #expect(caches.count > 70)
        #expect(UnreclaimableSlabReport.lines(caches) == recorded)
    }
}
