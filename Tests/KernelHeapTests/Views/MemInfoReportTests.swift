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
}
