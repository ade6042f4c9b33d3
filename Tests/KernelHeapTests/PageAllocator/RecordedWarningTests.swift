import TestSupport
import Testing

@testable import KernelHeap

@Suite("Page allocator: requests that it warns about")
struct RecordedWarningTests {
    /// The first lines of a recorded `WARNING` block and its end, without process and call trace.
    private func recorded(_ number: Int) throws -> [String] {
        let text = try Recording.text("warnings/bad-page.case-\(number).txt")
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("[") }.map {
            String($0.drop { $0 != "]" }.dropFirst(2))
        }
        return normal(Array(lines.prefix(2) + lines.suffix(1)))
    }

    private func normal(_ lines: [String]) -> [String] {
        lines.map { $0.replacing(/PID: \d+/, with: "PID: N") }
    }

    private func machine() throws -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = 512 << 20
        return try Kernel(description)
    }

    @Test func `an order above the largest is NULL, with the recorded warning once`() throws {
        var kernel = try machine()

        let quiet = kernel.allocPages(order: 11, flags: [.kernel, .noWarn])
        let before = kernel.log.lines
        let first = kernel.allocPages(order: 11, flags: .kernel)
        let lines = kernel.log.lines
        let second = kernel.allocPages(order: 200, flags: .kernel)

        #expect(quiet == nil && first == nil && second == nil)
        #expect(before == [])
        #expect(normal(lines) == (try recorded(82)))
        #expect(kernel.log.lines == lines)
    }

    @Test func `__GFP_NOFAIL above order 1 is served, with the recorded warning once`() throws {
        var kernel = try machine()
        let flags: GFPFlags = [.kernel, .noFail]

        let pair = kernel.allocPages(order: 1, flags: flags)
        let before = kernel.log.lines
        let block = kernel.allocPages(order: 2, flags: flags)
        let lines = kernel.log.lines
        let another = kernel.allocPages(order: 5, flags: flags)

        #expect(pair != nil && block != nil && another != nil)
        #expect(before == [])
        #expect(normal(lines) == (try recorded(83)))
        #expect(kernel.log.lines == lines)
    }

    @Test func `__GFP_NOFAIL gets the last page where GFP_KERNEL stops at min`() throws {
        var kernel = try machine()
        let quiet = GFPFlags([.kernel, .noWarn])
        while kernel.allocPages(order: 0, flags: quiet) != nil {}
        let plain = kernel.zoneViews()

        let low = kernel.allocPages(order: 0, flags: quiet.union([.noFail, .dma32, .thisNode]))
        while kernel.allocPages(order: 0, flags: quiet.union(.noFail)) != nil {}
        let last = kernel.zoneViews()

        // Neither a low zone nor a single node calls the OOM killer: half of min is their end.
        #expect(low != nil)
        #expect(plain.map(\.free).allSatisfy { $0 > 0 })
        #expect(last.map(\.free) == [0, 0])
    }

    /// The sixteen combinations are in `RecordedGFPTests`: the contradictory ones mean ZONE_DMA.
    @Test(
        "contradictory zone bits are served from ZONE_DMA, without a word",
        arguments: [
            GFPFlags([.dma, .highMem]), [.dma, .dma32], [.dma32, .highMem],
            [.dma, .dma32, .highMem, .movable],
        ]
    )
    func contradictions(bits: GFPFlags) throws {
        var kernel = try machine()

        let page = kernel.allocPages(order: 0, flags: bits.union(.kernel))

        #expect(try #require(page).rawValue < 4_096)
        #expect(kernel.log.lines == [])
    }
}
