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
