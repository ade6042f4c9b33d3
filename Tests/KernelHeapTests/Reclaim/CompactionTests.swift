import Testing

@testable import KernelHeap

@Suite("Compaction: large blocks out of single pages")
struct CompactionTests {
    //   before  |P...P...P...P...P...|      P a page of the process, . free
    //   after   |................PPPP|
    @Test(
        "a large request is served by moving pages, and every byte stays",
        arguments: ["linux-6.1-x86_64", "linux-6.1-i386"]
    )
    func isServed(profile: String) throws {
        var fragmented = try FragmentedMachine(profile: profile)
        let before = fragmented.machine.kernel.pages.ownPages()
        let blocks = fragmented.blocks(order: 4)
        let frames = fragmented.frames

        let page = fragmented.machine.kernel.allocPages(order: 4, flags: .kernel)
        let after = fragmented.machine.kernel.pages.ownPages()
        let moved = fragmented.frames

        #expect(blocks == 0)
        #expect(page != nil)
        #expect(before - after == 16)
        #expect(moved != frames)
        #expect(Set(moved).count == frames.count)
        let wrong = fragmented.wrongPages()
        #expect(wrong == [])
        #expect(fragmented.event(.compactSuccess) == 1)
        #expect(fragmented.event(.pgmigrateSuccess) > 0)
        #expect(fragmented.event(.oomKill) == 0)
        #expect(fragmented.violations == [])
    }

    @Test func `compact_memory gathers what can be, without losing a page`() throws {
        var fragmented = try FragmentedMachine()
        let before = fragmented.machine.kernel.pages.ownPages()
        let freed = fragmented.event(.pgfree)

        let outcome = try fragmented.machine.call("compact_memory")
        fragmented.machine.kernel.drainPages()
        let after = fragmented.machine.kernel.pages.ownPages()

        #expect(outcome.result.value == .integer(0))
        #expect(after == before)
        #expect(fragmented.blocks(order: 9) > 3)
        let moved = fragmented.event(.pgmigrateSuccess)
        #expect(moved > 1_000)
        // Each page that moved was freed where it was.
        #expect(fragmented.event(.pgfree) - freed >= moved)
        let wrong = fragmented.wrongPages()
        #expect(wrong == [])
        #expect(fragmented.violations == [])
    }

    @Test func `kernels before 2.6.35 cannot move pages`() throws {
        var machine = try ReclaimMachine(profile: "linux-2.6-i386")

        let outcome = try machine.call("compact_memory")

        #expect(outcome.result.errno == .ENOENT)
    }

    @Test func `kcompactd makes the block that an impatient request did not get`() throws {
        var fragmented = try FragmentedMachine()
        let flags = GFPFlags.noWait.union(.noWarn)

        let first = fragmented.machine.kernel.allocPages(order: 4, flags: flags)
        try fragmented.machine.call("sync")
        let second = fragmented.machine.kernel.allocPages(order: 4, flags: flags)

        #expect(first == nil && second != nil)
        #expect(fragmented.event(.compactDaemonWake) > 0)
        #expect(fragmented.event(.compactStall) == 0)
        let scanned = fragmented.event(.compactDaemonMigrateScanned)
        #expect(scanned > 0)
        #expect(scanned == fragmented.event(.compactMigrateScanned))
        let wrong = fragmented.wrongPages()
        #expect(wrong == [])
    }

    @Test func `a failure is explained by what stands in the way`() throws {
        var fragmented = try FragmentedMachine()
        for number in FragmentedMachine.kept {
            let found = fragmented.frame(number)
            let frame = try #require(found)
            fragmented.machine.kernel.getPage(UInt32(frame))
        }
        let descriptor = try #require(CallRegistry.byName["alloc_pages"])
        var arguments = CallArguments()
        arguments.set(0, word: UInt64(GFPFlags.kernel.union(.noWarn).rawValue))
        arguments.set(1, word: 4)

        let outcome = fragmented.machine.kernel.apply(
            descriptor,
            arguments,
            in: .standard,
            explaining: true,
            tryingAlternatives: false
        )
        let report = outcome.explanation.lazy.compactMap { step -> FragmentationReport? in
            guard case .fragmented(let report) = step, report.freePages > 1_000 else { return nil }
            return report
        }.first
        let summaries = outcome.explanation.compactMap { step -> CompactionSummary? in
            guard case .compacted(let summary) = step else { return nil }
            return summary
        }

        #expect(outcome.result.value == .pointer(0))
        let found = try #require(report)
        #expect(found.largestOrder < 4)
        #expect(found.fragmentationIndex > 500)
        #expect(found.unusableIndex == 1_000)
        #expect(found.obstacles.pinned > 300)
        #expect(summaries.contains { $0.pinned > 0 && $0.moved == 0 && $0.result != .success })
    }
}
