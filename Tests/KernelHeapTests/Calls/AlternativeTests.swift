import Testing

@testable import KernelHeap

@Suite("Explanations: what would have succeeded")
struct AlternativeTests {
    @Test func `a request that may not sleep is told of GFP_ATOMIC's reserves`() throws {
        var machine = try AlternativeMachine()
        _ = try machine.exhaust()

        let nothing = try machine.call("alloc_page", 0x800, explaining: true)
        let atomic = try machine.call("alloc_page", 0xa20)

        #expect(nothing.isNull)
        #expect(nothing.variation(.asAtomic) == .atomic)
        #expect(nothing.variation(.withHigh) == [.kswapdReclaim, .high])
        #expect(nothing.variation(.asKernel) == nil)
        #expect(nothing.variation(.withMemAlloc) == [.kswapdReclaim, .memAlloc])
        #expect(!atomic.isNull)
    }

    @Test func `a smaller min_free_kbytes opens the way, and the largest that does is named`()
        throws
    {
        var machine = try AlternativeMachine()
        _ = try machine.exhaust()
        let before = machine.kernel.tuning.minFreeKilobytes

        let nothing = try machine.call("alloc_page", 0x10cc0, explaining: true)

        #expect(nothing.sysctl("vm.min_free_kbytes") == "\(before / 2)")
    }

    //   order 4:  | A |   |   |   | B |   |   |   | …    nothing of order 6, but for one in four
    @Test func `a large block is to be had by freeing what stands in its place`() throws {
        var machine = try AlternativeMachine()
        let taken = try machine.exhaust(order: 4, [.kernel, .memAlloc])
        for address in taken where address >> 16 & 3 != 0 {
            try machine.call("free_pages", address, 4)
        }

        let nothing = try machine.call("__get_free_pages", 0xcc0, 6, explaining: true)

        let freed = try #require(nothing.freed)
        #expect(nothing.isNull)
        #expect(freed.allocations.map(\.order) == [4])
        #expect(freed.allocations.allSatisfy { $0.address.rawValue >> 16 & 3 == 0 })
        #expect(freed.drainedPages == 0)
        #expect(nothing.order == 5)
    }

    //   order 5:  | A | B | C | …    the low mark asks for more than the block itself
    @Test func `more is freed where a watermark refuses`() throws {
        var machine = try AlternativeMachine()
        let taken = try machine.exhaust(order: 5)

        let nothing = try machine.call("__get_free_pages", 0xcc0, 5, explaining: true)

        let freed = try #require(nothing.freed)
        #expect(freed.allocations.allSatisfy { taken.contains($0.address.rawValue) })
        #expect((1...20).contains(freed.allocations.count))
        // One allocation fewer is not enough: the search stops at the smallest number.
        for allocation in freed.allocations.dropLast() {
            try machine.call("free_pages", allocation.address.rawValue, 5)
        }
        let still = try machine.call("__get_free_pages", 0xcc0, 5)
        #expect(still.isNull)
    }

    @Test func `a refused object of a cache is told which flags and which free would do`() throws {
        var machine = try AlternativeMachine()
        try machine.call("kmem_cache_create", on: "wide", 3_000, 0, 0)
        let objects = try machine.exhaust("kmem_cache_alloc", on: "wide", 0xcc0)

        let nothing = try machine.call("kmem_cache_alloc", on: "wide", 0x800, explaining: true)

        #expect(nothing.isNull)
        #expect(nothing.variation(.asAtomic) == .atomic)
        #expect(nothing.order == nil)
        let freed = try #require(nothing.freed)
        #expect(freed.allocations.allSatisfy { objects.contains($0.address.rawValue) })
        #expect(freed.allocations.count == 1)
        for allocation in freed.allocations {
            try machine.call("kmem_cache_free", on: "wide", allocation.address.rawValue)
        }
        #expect(try !machine.call("kmem_cache_alloc", on: "wide", 0x800).isNull)
    }

    @Test func `growing and copying are told as kmalloc is, refusals of arguments are not`() throws
    {
        var machine = try AlternativeMachine()
        let small = try #require(machine.call("kmalloc", 64, 0xcc0).pointer)
        _ = try machine.exhaust()

        let grown = try machine.call("krealloc", small, 4_096, 0x800, explaining: true)
        let array = try machine.call("krealloc_array", small, 8, 512, 0x800, explaining: true)
        let copied = try machine.call("kmemdup", small, 4_096, 0x800, explaining: true)
        let tooMany = try machine.call("krealloc_array", small, .max, 512, 0x800, explaining: true)

        for refused in [grown, array, copied] {
            #expect(refused.isNull)
            #expect(refused.variation(.asAtomic) == .atomic)
        }
        #expect(tooMany.isNull)
        #expect(tooMany.alternatives.isEmpty)
    }

    @Test func `a block above the largest order is told the largest`() throws {
        var machine = try AlternativeMachine()

        let pages = try machine.call("alloc_pages", 0xcc0, 11, explaining: true)
        let bytes = try machine.call("kmalloc", 8 << 20, 0xcc0, explaining: true)
        let exact = try machine.call("alloc_pages_exact", 5 << 20, 0xcc0, explaining: true)
        let endless = try machine.call("kmalloc", UInt64.max, 0xcc0, explaining: true)
        let overflow = try machine.call("kcalloc", UInt64.max, 2, 0xcc0, explaining: true)

        let most = [Alternative.order(10, bytes: 4 << 20)]
        #expect([pages, bytes, exact, endless].map(\.alternatives) == [most, most, most, most])
        #expect(overflow.alternatives == [])
    }

    @Test func `an object of the same cache makes room when freed`() throws {
        var machine = try AlternativeMachine()
        var objects: [UInt64] = []
        while case .pointer(let address) = try machine.call("kmalloc", 512, 0x2cc0).result.value,
            address != 0
        {
            objects.append(address)
        }

        let nothing = try machine.call("kmalloc", 400, 0x2cc0, explaining: true)

        let freed = try #require(nothing.freed)
        #expect(freed.allocations.count == 1)
        #expect(freed.allocations.first?.order == nil)
        #expect(objects.contains(try #require(freed.allocations.first).address.rawValue))
    }

    @Test func `a node that is empty is left when the flags allow it`() throws {
        var machine = try AlternativeMachine {
            $0.memoryBytes = 256 << 20
            $0.nodes = 2
            $0.cpus = 2
        }
        let bound = GFPFlags.kernel.union(.thisNode)
        _ = try machine.exhaust(bound, cpu: 1)

        let nothing = try machine.call(
            "alloc_page",
            UInt64(bound.rawValue),
            cpu: 1,
            explaining: true
        )

        #expect(nothing.isNull)
        #expect(nothing.variation(.withoutThisNode) == .kernel)
    }

    @Test func `success and calls that ask for no memory have no alternatives`() throws {
        var machine = try AlternativeMachine()

        let page = try machine.call("alloc_page", 0xcc0, explaining: true)
        let conversion = try machine.call("virt_to_phys", 0, explaining: true)

        #expect(!page.isNull && page.alternatives == [])
        #expect(conversion.alternatives == [])
    }

    @Test func `a failure that nobody asks about has no explanation`() throws {
        var machine = try AlternativeMachine()
        _ = try machine.exhaust()

        let nothing = try machine.call("alloc_page", 0xcc0)

        #expect(nothing.isNull)
        #expect(nothing.explanation == [])
    }
}
