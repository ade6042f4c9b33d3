import Testing

@testable import KernelHeap

@Suite("vmalloc: what bounds the work of one call")
struct VmallocLimitTests {
    private func machine(_ memory: UInt64, nodes: Int = 1) throws -> CallMachine {
        var description = MachineDescription()
        description.memoryBytes = memory
        description.nodes = nodes
        return try CallMachine(description)
    }

    /// An area with nothing behind it, which waits for the worker.
    private func deferArea(_ address: UInt64, pages: UInt64, _ machine: CallMachine) {
        let range = address..<address + (pages + 1) << 12
        let isTaken = machine.changeVmalloc { arena in
            arena.deferred.append(address)
            return arena.take(range, VmapUse(.map)) != nil
        }
        #expect(isTaken)
    }

    private func isLongFree(
        _ name: String,
        _ address: UInt64,
        _ machine: CallMachine
    ) throws -> Bool {
        let call = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        arguments.set(0, word: address)
        return machine.kernel.freesLargeArea(call, arguments, in: .standard)
    }

    private static let far: UInt64 = 0xffff_c910_0000_0000

    @Test func `an area of nearly all of a large machine ends as memory that ran out`() throws {
        let machine = try machine(1 << 40)
        let before = machine.heldBytes

        let outcome = try machine.call("vmalloc", .word(900 << 30))
        let tooLarge = try machine.call("vmalloc", .word(1100 << 30))

        #expect(outcome.word == 0)
        let told = "size 4294967296, page order 0, failed to allocate pages, mode:0xcc0"
        #expect(outcome.log.first?.contains(told) == true)
        #expect(tooLarge.log.first?.contains("exceeds total pages") == true)
        #expect(machine.heldBytes - before < 1 << 20)
        #expect(machine.violations == [])
    }

    @Test func `the worker frees a gigabyte for one call, and the rest for the next ones`() throws {
        let machine = try machine(512 << 20)
        let addresses = (UInt64(0)..<3).map { Self.far + $0 << 32 }
        for address in addresses { deferArea(address, pages: 200_000, machine) }

        var waiting: [[UInt64]] = []
        for _ in 0..<3 {
            try machine.call("kfree", 0)
            waiting.append(machine.kernel.vmalloc.deferred)
        }

        #expect(waiting == [Array(addresses[..<2]), Array(addresses[..<1]), []])
        #expect(machine.violations == [])
    }

    @Test func `many small areas wait for one call only`() throws {
        let machine = try machine(512 << 20)
        for number in UInt64(0)..<50 { deferArea(Self.far + number << 24, pages: 7, machine) }

        try machine.call("kfree", 0)

        #expect(machine.kernel.vmalloc.deferred == [])
    }

    @Test("areas of more than a gigabyte are freed apart", arguments: ["vfree", "iounmap"])
    func largeFrees(name: String) throws {
        let machine = try machine(512 << 20)
        deferArea(Self.far, pages: 1 << 18, machine)
        deferArea(Self.far + 1 << 32, pages: 1 << 18 + 1, machine)
        let isNextLong = try isLongFree("kfree", 0, machine)
        try machine.call("kfree", 0)
        let afterLarge = try isLongFree("kfree", 0, machine)
        try machine.call("kfree", 0)
        deferArea(Self.far, pages: 1 << 18, machine)
        deferArea(Self.far + 1 << 32, pages: 1 << 18 + 1, machine)
        machine.changeVmalloc { $0.deferred = [] }

        #expect(isNextLong)
        #expect(!afterLarge)
        #expect(try !isLongFree(name, Self.far, machine))
        #expect(try isLongFree(name, Self.far + 1 << 32, machine))
        #expect(try !isLongFree("kernel_read", Self.far + 1 << 32, machine))
    }

    //   | A's array |  | A …  |     the array is freed alone, B gets its addresses,
    //   | B         |  | A …  |     and then A is freed, which knows where its array was
    @Test func `an area whose page array was freed leaves alone what has its addresses`() throws {
        let machine = try machine(512 << 20)
        let first = try machine.call("vmalloc", 0x20_1000).word
        let array = machine.area(at: first).use.address
        try machine.call("vfree", .word(array))
        try machine.call("vm_unmap_aliases")
        let other = try machine.call("vmalloc", 0x2000).word

        let freed = try machine.call("vfree", .word(first))
        let kept = try machine.read(other, 1)

        #expect(other == array)
        #expect(freed.log.contains { $0.hasPrefix("Trying to vfree() nonexistent vm area (") })
        #expect(kept.count == 1)
        #expect(machine.violations == [])
    }

    @Test func `the boot's area with a page array takes it along`() throws {
        let machine = try machine(1 << 30)
        let start: UInt64 = 0xffff_c900_0014_d000
        let array: UInt64 = 0xffff_c900_0004_5000
        machine.changeVmalloc { _ in }
        let before = machine.area(at: array).use.pageCount

        let freed = try machine.call("vfree", .word(start))

        #expect(before == 2)
        #expect(freed.log == [])
        #expect(machine.kernel.vmalloc.busy.containing(array) == 0)
    }

    @Test("large pages are for areas that fill one on each node", arguments: [1, 2])
    func hugeShares(nodes: Int) throws {
        let machine = try machine(1 << 30, nodes: nodes)

        let one = try machine.call("vmalloc_huge", .word(2 << 20), 0xcc0)
        let two = try machine.call("vmalloc_huge", .word(4 << 20), 0xcc0)

        #expect(machine.area(at: one.word).use.pageOrder == (nodes == 1 ? 9 : 0))
        #expect(machine.area(at: two.word).use.pageOrder == 9)
    }

    @Test func `vmap of more pages than the machine has is NULL without a word`() throws {
        let machine = try machine(96 << 20)
        let page = try machine.call("alloc_page", 0xcc0).word

        let mapped = try machine.call("vmap", .words([page]), 40_000)

        #expect(mapped.word == 0)
        #expect(mapped.log == [])
    }
}
