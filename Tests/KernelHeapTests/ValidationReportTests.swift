import Testing

@testable import KernelHeap

@Suite("Validation of a machine's own structures")
struct ValidationReportTests {
    @Test func `a machine that worked is sound, and says what was looked at`() throws {
        var kernel = try Kernel()
        let object = kernel.kmalloc(size: 64, flags: .kernel)
        let block = kernel.allocPages(order: 3, flags: .kernel)

        let report = kernel.validate()

        #expect(object != .null)
        #expect(block != nil)
        #expect(report.isSound)
        #expect(report.misuse == [])
        let counts = report.checked.reduce(into: [:]) { $0[$1.what] = $1.count }
        #expect(counts["zones"] == 2)
        #expect(counts["slabs"] == 1)
        #expect(counts["objects"] == 64)
        #expect(counts["slab_pages"] == 1)
        #expect(counts["allocated_blocks"] == 1)
        #expect(counts["processes"] == 1)
    }

    @Test func `a counter that is wrong by one is a violation`() throws {
        var kernel = try Kernel()
        kernel.pages.zones[1].free += 1

        let report = kernel.validate()

        #expect(!report.isSound)
        #expect(report.violations.count == 1)
        #expect(report.violations.first?.hasPrefix("zone 1: ") == true)
    }

    // A freed, B freed, A freed again: the free list runs in a circle, as without slub_debug.
    @Test func `a double free is misuse, not a violation`() throws {
        var kernel = try Kernel()
        let first = kernel.kmalloc(size: 64, flags: .kernel)
        let second = kernel.kmalloc(size: 64, flags: .kernel)

        kernel.kfree(first)
        kernel.kfree(second)
        kernel.kfree(first)
        let report = kernel.validate()

        #expect(report.isSound)
        #expect(!report.misuse.isEmpty)
    }
}
