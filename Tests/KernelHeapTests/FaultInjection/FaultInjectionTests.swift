import Testing

@testable import KernelHeap

/// `fail_nth`: every place that may fail counts, in the order in which the kernel comes to it.
@Suite("Faults on demand")
struct FaultInjectionTests {
    private static let user: UInt64 = 0x40_0000

    private static func line(_ name: String, times: Int) -> String {
        "name \(name), interval 1, probability 0, space 0, times \(times)"
    }

    /// A machine with a cache of its own that has no slab yet.
    private func machine() throws -> (CallMachine, cache: UInt64) {
        let machine = try CallMachine("slub_nomerge")
        let cache = try machine.call("kmem_cache_create", "own", 1_000, 0, 0).word
        return (machine, cache)
    }

    //   kmem_cache_alloc: failslab → fail_page_alloc (slab) → fail_page_alloc (smaller slab)
    @Test func `a new slab asks for pages, and once more for fewer`() throws {
        let (machine, cache) = try machine()
        let ordinary = try #require(try machine.fork().slabOrder(cache))

        let first = machine.fork()
        try first.call("fail_nth", 1)
        let none = try first.call("kmem_cache_alloc", .word(cache), 0xcc0)
        let second = machine.fork()
        try second.call("fail_nth", 2)
        let smaller = try second.call("kmem_cache_alloc", .word(cache), 0xcc0)
        let third = machine.fork()
        try third.call("fail_nth", 3)
        let whole = try third.call("kmem_cache_alloc", .word(cache), 0xcc0)
        let late = try third.call("kmem_cache_alloc", .word(cache), 0xcc0)

        #expect(none.word == 0 && none.log.dropFirst().first == Self.line("failslab", times: 1))
        #expect(smaller.word != 0)
        // The first try for a slab's pages has __GFP_NOWARN: nobody hears of it.
        #expect(smaller.log.isEmpty && smaller.injected.map(\.site) == [.pages])
        #expect(whole.word != 0 && whole.log.isEmpty)
        #expect(late.word == 0 && late.log.contains(Self.line("failslab", times: 1)))
        let order = try second.slabOrder(cache)
        #expect(try #require(order) < ordinary)
        #expect(second.violations.isEmpty && third.violations.isEmpty)
    }

    @Test func `a failed copy moves nothing, and one from user space clears its buffer`() throws {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), 4_096, 3, 0x32)
        try machine.call("user_write", .word(Self.user), .bytes([1, 2, 3, 4]))
        let buffer = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("memset", .word(buffer), 0x5a, 64)

        try machine.call("fail_nth", 1)
        let out = try machine.call("copy_to_user", .word(Self.user), .word(buffer), 4)
        let kept = try machine.call("user_read", .word(Self.user), 4)
        try machine.call("fail_nth", 1)
        let into = try machine.call("copy_from_user", .word(buffer), .word(Self.user), 4)
        let cleared = try machine.read(buffer, 5)

        #expect(out.word == 4 && out.log.contains(Self.line("fail_usercopy", times: 1)))
        #expect(kept.fact("data") == .bytes([1, 2, 3, 4]))
        #expect(into.word == 4 && into.log.contains(Self.line("fail_usercopy", times: 0)))
        #expect(cleared == [0, 0, 0, 0, 0x5a])
    }

    @Test func `other processes and interrupts do not count`() throws {
        let machine = try CallMachine()
        let pid = Int(try machine.call("process_create", "other").word)
        try machine.call("fail_nth", 1)

        let other = try machine.call("kmalloc", [64, 0xcc0], pid: pid)
        let interrupt = try machine.call("kmalloc", 64, 0xa20, in: .softirq)
        let own = try machine.call("kmalloc", 64, 0xcc0)
        let after = try machine.call("kmalloc", 64, 0xcc0)

        #expect(other.word != 0 && interrupt.word != 0)
        #expect(own.word == 0 && after.word != 0)
    }

    @Test func `what a filter lets go that a client has set is not counted`() throws {
        let machine = try CallMachine()
        try machine.call("failslab_cache", "kmalloc-128", 1)
        try machine.call("write_fault_knob", "failslab/cache-filter", "Y")
        try machine.call("write_fault_knob", "fail_page_alloc/min-order", "9")
        try machine.call("fail_nth", 1)

        let others = try (0..<3).map { _ in try machine.call("kmalloc", 64, 0xcc0).word }
        let marked = try machine.call("kmalloc", 128, 0xcc0).word

        #expect(others.allSatisfy { $0 != 0 } && marked == 0)
    }

    //   a first store: tables of three levels, then the page
    @Test("each table of a first store may fail, and the page", arguments: UInt64(1)...4)
    func userPages(number: UInt64) throws {
        let machine = try CallMachine()
        let pid = Int(try machine.call("process_create", "own").word)
        try machine.call("mmap", [.word(Self.user), 4_096, 3, 0x32], pid: pid)
        try machine.call("fail_nth", [.word(number)], pid: pid)

        let store = try machine.call("user_write", [.word(Self.user), .bytes([1])], pid: pid)

        // The fault finds no memory once, and the program comes back to it.
        let retry = "Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF"
        #expect(store.word == 1 && store.log.filter { $0 == retry }.count == 1)
        #expect(store.log.contains(Self.line("fail_page_alloc", times: 1)))
        #expect(machine.violations.isEmpty)
    }
}

extension CallMachine {
    /// The order of the slab that a cache's next object comes from.
    fileprivate func slabOrder(_ cache: UInt64) throws -> UInt16? {
        let object = try call("kmem_cache_alloc", .word(cache), 0xcc0)
        guard case .object(let detail) = object.result.detail else { return nil }
        return detail.slabOrder
    }
}
