import KernelHeap
import Testing

@testable import KernelHeapService

@Suite("Views: processes with many pages")
struct ProcessesViewTests {
    @Test func `views of many tables are work for a worker`() throws {
        var description = MachineDescription()
        description.memoryBytes = 512 << 20
        var kernel = try Kernel(description)
        let mmap = try #require(CallRegistry.byName["mmap"])
        let read = try #require(CallRegistry.byName["user_read"])
        var area = CallArguments()
        // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE
        for (index, word) in [0x4000_0000, 300 << 21, 3, 0x4032].enumerated() {
            area.set(index, word: UInt64(word))
        }
        _ = kernel.apply(mmap, area, in: .standard)
        for table in 0..<UInt64(300) {
            var load = CallArguments()
            load.set(0, word: 0x4000_0000 + table << 21)
            load.set(1, word: 1)
            _ = kernel.apply(read, load, in: .standard)
        }
        let tables = kernel.tableCount(ofProcess: 1)
        let all = try Self.isLong(.processes, "", kernel)
        let one = try Self.isLong(.layout, "pid=1", kernel)
        let none = try Self.isLong(.layout, "", kernel)
        let zones = try Self.isLong(.zones, "", kernel)

        #expect(tables > 300)
        #expect(all && one)
        #expect(!none && !zones)
    }

    private static func isLong(
        _ view: StateView,
        _ query: String,
        _ kernel: borrowing Kernel
    ) throws -> Bool {
        let read = try unsafe Array(query.utf8).withUnsafeBytes { bytes in
            try unsafe ViewQuery(ByteSlice(bytes), of: view, prefersBytes: false)
        }
        return try view.isLong(kernel, read)
    }
}
