import TestSupport
import Testing

@testable import KernelHeap

@Suite("Contiguity of what calls allocate")
struct ContiguityTests {
    private static func view(
        _ machine: CallMachine,
        _ outcome: CallOutcome
    ) throws -> ContiguityView {
        let view = machine.kernel.contiguity(of: outcome.result)
        return try #require(view)
    }

    @Test func `objects and blocks are in one piece`() throws {
        let machine = try CallMachine()
        let calls: [(String, [CallMachine.Argument], UInt64, UInt64)] = [
            ("kmalloc", [192, 0xcc0], 192, 1), ("kmalloc", [8_192, 0xcc0], 8_192, 2),
            ("kmalloc", [20_000, 0xcc0], 32_768, 8), ("kvmalloc", [5_000, 0xcc0], 8_192, 2),
            ("__get_free_pages", [0xcc0, 3], 32_768, 8), ("alloc_pages", [0xcc0, 0], 4_096, 1),
            ("alloc_pages_exact", [12_000, 0xcc0], 12_288, 3),
        ]
        for (name, arguments, bytes, pages) in calls {
            let outcome = try machine.call(name, arguments)
            let view = try Self.view(machine, outcome)
            #expect(view.bytes == bytes, "\(name)")
            #expect(view.isVirtuallyContiguous && view.isPhysicallyContiguous, "\(name)")
            #expect(view.runs.first?.count == pages, "\(name)")
            #expect(view.allowsDirectDMA, "\(name)")
            #expect(view.isReached(byMaskOf: 32) && !view.isReached(byMaskOf: 24), "\(name)")
        }
    }

    @Test func `the runs of an area are those that the page tables have`() throws {
        let machine = try CallMachine()
        // Pages that go back out of order come out of order.
        var pages: [UInt64] = []
        for _ in 0..<64 { pages.append(try machine.call("__get_free_page", 0xcc0).word) }
        for page in pages.enumerated().filter({ $0.offset % 2 == 0 }).map(\.element) {
            try machine.call("free_page", .word(page))
        }

        let outcome = try machine.call("vmalloc", 40_000)
        let view = try Self.view(machine, outcome)

        var frames: [UInt64] = []
        for page in 0..<10 as Range<UInt64> {
            frames.append(
                try machine.call("vmalloc_to_pfn", .word(outcome.word + page << 12)).word
            )
        }
        let listed = view.runs.flatMap { run in
            (0..<run.count).map { run.step < 0 ? run.first - $0 : run.first + $0 }
        }
        #expect(listed == frames)
        #expect(view.isVirtuallyContiguous)
        #expect(!view.isPhysicallyContiguous)
        #expect(!view.allowsDirectDMA)
        #expect(view.lastPhysical.rawValue == (frames.max() ?? 0) << 12 | 4_095)
    }

    @Test func `old devices reach ZONE_DMA, and registers are no memory`() throws {
        let machine = try CallMachine()
        let dma = try machine.call("__get_dma_pages", 0xcc0, 2)
        let device = try machine.call("ioremap", 0xfe00_0000, 8_192)

        let low = try Self.view(machine, dma)
        let registers = try Self.view(machine, device)

        #expect(low.isReached(byMaskOf: 24))
        #expect(registers.isPhysicallyContiguous)
        #expect(!registers.allowsDirectDMA)
        #expect(registers.lastPhysical.rawValue == 0xfe00_1fff)
    }

    @Test func `memory beyond 4 GiB is out of reach for 32 bits`() throws {
        var description = MachineDescription()
        description.memoryBytes = 6 << 30
        let machine = try CallMachine(description)

        let view = try Self.view(machine, machine.call("__get_free_pages", 0xcc0, 4))

        #expect(!view.isReached(byMaskOf: 32))
        #expect(view.isReached(byMaskOf: 33))
        #expect(view.isReached(byMaskOf: 64))
    }

    @Test func `high memory has no addresses until it is mapped`() throws {
        let machine = try CallMachine(I386Machine("686-1G").description)
        let high = UInt64(GFPFlags.highUser.rawValue)

        let view = try Self.view(machine, machine.call("alloc_pages", .word(high), 2))

        #expect(!view.isVirtuallyContiguous)
        #expect(view.isPhysicallyContiguous)
    }

    @Test func `many runs are listed up to a limit and counted beyond`() throws {
        let machine = try CallMachine()
        var pages: [UInt64] = []
        for _ in 0..<600 { pages.append(try machine.call("__get_free_page", 0xcc0).word) }
        for page in pages.enumerated().filter({ $0.offset % 2 == 0 }).map(\.element) {
            try machine.call("free_page", .word(page))
        }

        let view = try Self.view(machine, machine.call("vmalloc", 800_000))

        #expect(view.runCount > ContiguityView.runLimit)
        #expect(view.runs.count == ContiguityView.runLimit)
    }

    @Test func `several allocations in one call are one list of runs`() throws {
        let machine = try CallMachine()
        let bulk = try machine.call("alloc_pages_bulk_array", 0xcc0, 8)

        let view = try Self.view(machine, bulk)

        #expect(view.bytes == 8 * 4_096)
        #expect(view.runs.reduce(0) { $0 + $1.count } == 8)
    }

    @Test func `mapped pages lie as their list says`() throws {
        let machine = try CallMachine()
        let pages = (0..<3).map { _ in try? machine.call("alloc_page", 0xcc0).word }
        let list = try pages.map { try #require($0) }

        let mapped = try machine.call("vmap", .words([list[0], list[2], list[1]]))
        let view = try Self.view(machine, mapped)
        let few = try machine.call("vm_map_ram", .words(list))
        let many = try machine.call("vm_map_ram", .words([UInt64](repeating: list[0], count: 65)))
        let whole = try Self.view(machine, many)

        #expect(view.bytes == 12_288)
        #expect(view.isVirtuallyContiguous)
        #expect(!view.isPhysicallyContiguous)
        let isNothing = machine.kernel.contiguity(of: few.result) == nil
        #expect(isNothing)
        #expect(whole.runs.allSatisfy { $0.count == 1 })
        #expect(whole.runCount == 65)
    }

    @Test func `calls that allocate nothing say nothing`() throws {
        let machine = try CallMachine()
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let calls: [(String, [CallMachine.Argument])] = [
            ("virt_to_page", [.word(object)]), ("translate", [.word(object)]),
            ("kernel_read", [.word(object), 8]), ("kfree", [.word(object)]),
            ("kmalloc", [0, 0xcc0]), ("kmalloc", [.word(.max), 0xcc0]),
            ("vfree", [.word(0)]),
        ]
        for (name, arguments) in calls {
            let outcome = try machine.call(name, arguments)
            let isNothing = machine.kernel.contiguity(of: outcome.result) == nil
            #expect(isNothing, "\(name)")
        }
    }
}
