import KernelHeap
import KernelProc
import Testing

@Suite("/sys/kernel/debug/extfrag")
struct ExtFragTests {
    /// A node with one zone that has these free blocks by order.
    private func node(_ blocks: [UInt64]) -> [NodeView] {
        var zone = ZoneView(node: 0, type: .dma32)
        zone.present = 1
        // Indices look at orders, not at classes.
        zone.freeBlocks = blocks.map { [$0 / 2, $0 - $0 / 2] }
        return [NodeView(id: 0, stats: NodeStats(), zones: [zone])]
    }

    // 8 + 2 * 4 + 16 = 32 pages, 16 of them in the block of order 4.
    @Test func `the unusable index is the share of free memory in smaller blocks`() {
        let text = ExtFrag.text("unusable_index", of: node([8, 0, 2, 0, 1, 0]))

        #expect(text == "Node 0, zone    DMA32 0.000 0.250 0.250 0.500 0.500 1.000 \n")
    }

    // Order 5 wants 32 pages: 1000 - (1000 + 32 * 1000 / 32) / 11 = 819.
    @Test func `the fragmentation index is negative until an order is used up`() {
        let text = ExtFrag.text("extfrag_index", of: node([8, 0, 2, 0, 1, 0]))

        #expect(text == "Node 0, zone    DMA32 -1.000 -1.000 -1.000 -1.000 -1.000  0.819 \n")
    }

    @Test func `without free memory everything is unusable, and not because of fragments`() {
        let full = node([0, 0, 0])

        #expect(
            ExtFrag.text("unusable_index", of: full) == "Node 0, zone    DMA32 1.000 1.000 1.000 \n"
        )
        #expect(
            ExtFrag.text("extfrag_index", of: full)
                == "Node 0, zone    DMA32  0.000  0.000  0.000 \n"
        )
    }

    // One block of half the pages: 1000 - (1000 + 500) / 1, which C prints as 0 and -500.
    @Test func `one block of half the size prints as C does`() {
        let text = ExtFrag.text("extfrag_index", of: node([0, 1, 0]))

        #expect(text == "Node 0, zone    DMA32 -1.000 -1.000  0.-500 \n")
    }

    @Test func `a machine has both files, for its zones with memory`() throws {
        let kernel = try Kernel()
        let directory = "kernel/debug/extfrag/"

        let unusable = SysFiles.text(path: directory + "unusable_index", of: kernel) ?? ""
        let index = SysFiles.text(path: directory + "extfrag_index", of: kernel) ?? ""
        let other = SysFiles.text(path: directory + "index", of: kernel)

        #expect(unusable.split(separator: "\n").count == kernel.zoneViews().count)
        #expect(index.hasPrefix("Node 0, zone      DMA -1.000 "))
        #expect(other == nil)
    }
}
