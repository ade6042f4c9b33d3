import Testing

@testable import KernelHeap

@Suite("Page allocator: bulk counts")
struct BulkCountTests {
    @Test("a count that no zone has is served by a single page", arguments: [1 << 40, Int.max])
    func hugeCount(count: Int) throws {
        var kernel = try Kernel(MachineDescription())
        let request = AllocationRequest(order: 0, flags: .kernel, cpu: 0)

        let frames = kernel.pages.allocateBulk(count, request)

        #expect(frames.count == 1)
    }
}
