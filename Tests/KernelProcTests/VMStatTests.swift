import KernelHeap
import KernelProc
import TestSupport
import Testing

@Suite("/proc/vmstat")
struct VMStatTests {
    static let boots = try? Recording.names(in: "boot").filter { !$0.hasSuffix(".json") }

    @Test("vmstat is the kernel's, byte for byte", arguments: boots ?? [])
    func text(boot: String) throws {
        let recorded = try Recording.text("boot/\(boot)/vmstat")

        #expect(VMStat.text(try ProcParser.vmStat(recorded)) == recorded)
    }

    // Counters were folded between the two reads, and kswapd worked at 96M: 102 pages there.
    @Test("the limits of dirty memory follow from the zones", arguments: boots ?? [])
    func thresholds(boot: String) throws {
        let recorded = try ProcParser.vmStat(Recording.text("boot/\(boot)/vmstat"))
        var nodes = try ProcParser.zoneInfo(Recording.text("boot/\(boot)/zoneinfo"))
        let late = nodes.flatMap(\.zones).reduce(0) { $0 + $1.free }
        for place in nodes.indices { nodes[place].zones.removeAll { !$0.isPopulated } }
        let moved = Int(late) - Int(recorded.zones[.freePages])

        let view = VMStatView(nodes: nodes)

        let distance = Int(view.dirtyThreshold) - Int(recorded.dirtyThreshold)
        let background =
            Int(view.dirtyBackgroundThreshold) - Int(recorded.dirtyBackgroundThreshold)
        #expect(abs(distance) <= abs(moved) / 4 + 2)
        #expect(abs(background) <= abs(moved) / 8 + 2)
    }

    // What was freed and not allocated is what the allocator has: the law that `pgfree` rests on.
    @Test("pages freed less pages allocated are those on the lists", arguments: boots ?? [])
    func conservation(boot: String) throws {
        let events = try ProcParser.vmStat(Recording.text("boot/\(boot)/vmstat"))
        let nodes = try ProcParser.zoneInfo(Recording.text("boot/\(boot)/zoneinfo"))
        let allocations: [VMEventCounter] = [
            .pgallocDMA, .pgallocDMA32, .pgallocNormal, .pgallocMovable,
        ]

        let allocated = allocations.reduce(0) { $0 + Int(events.events[$1]) }
        let free = Int(events.zones[.freePages])
        let kept = nodes.flatMap(\.zones).flatMap(\.pageSets).reduce(0) { $0 + Int($1.count) }

        let difference = Int(events.events[.pgfree]) - allocated - free - kept
        // The files were read one after the other, by a process that needs pages itself.
        #expect(abs(difference) < 100)
    }

    @Test func `a machine's events follow its calls, and every name is there in order`() throws {
        let names = try Recording.text("boot/1G/vmstat").split(separator: "\n").compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        var kernel = try Kernel()
        let before = kernel.vmStatView()

        let single = kernel.allocPages(order: 0, flags: .kernel)
        let block = kernel.allocPages(order: 5, flags: [.kernel, .dma])
        let slab = kernel.kmalloc(size: 4_096, flags: .kernel)
        let page = try #require(single)
        kernel.freePages(page, order: 0)
        let after = kernel.vmStatView()

        #expect(block != nil)
        #expect(slab != .null)
        #expect(after.counters.map(\.name) == names)
        // A page, and a slab of eight.
        #expect(after.events[.pgallocDMA32] - before.events[.pgallocDMA32] == 9)
        #expect(after.events[.pgallocDMA] - before.events[.pgallocDMA] == 32)
        #expect(after.events[.pgfree] - before.events[.pgfree] == 1)
        #expect(after.zones[.numaHit] - before.zones[.numaHit] == 3)
        #expect(after.nodes[.slabUnreclaimable] == 8)
        #expect(before.events[.pgfree] == before.zones[.freePages])
        #expect(after.events[.allocstallDMA32] == 0)
    }

    @Test func `pages lost to a bad state are counted neither freed nor allocated`() throws {
        var kernel = try Kernel()
        for _ in 0..<40 {
            let taken = kernel.allocPages(order: 6, flags: .kernel)
            let block = try #require(taken)
            kernel.freePages(block, order: 6)
            kernel.freePages(block, order: 6)
        }
        let next = kernel.allocPages(order: 6, flags: .kernel)

        let view = kernel.vmStatView()

        #expect(next != nil)
        // 41 requests served; each block freed once, its second free only dropped a reference.
        #expect(view.events[.pgallocDMA32] == 41 * 64)
        let boot = try Kernel().vmStatView().events[.pgfree]
        #expect(view.events[.pgfree] == boot + 40 * 64)
    }
}
