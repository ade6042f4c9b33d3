import Testing

@testable import KernelHeap

@Suite("Contexts: the machine's clock")
struct MachineClockTests {
    let machine: CallMachine

    init() throws { machine = try CallMachine() }

    @Test func `the clock moves with calls, and with what they clear`() throws {
        try machine.call("kmalloc", 64, 0xcc0)
        let afterOne = machine.kernel.clock.nanoseconds
        try machine.call("alloc_pages", .word(UInt64(GFPFlags.kernel.union(.zero).rawValue)), 3)

        #expect(afterOne == 1_000)
        #expect(machine.kernel.clock.nanoseconds == 1_000 + 1_000 + 8 * 250)
    }

    @Test func `jiffies begin five minutes before they wrap, and tick 250 times a second`() throws {
        let first = try machine.call("jiffies").word
        try machine.call("advance_time", 1_000_000_000)
        let later = try machine.call("jiffies").word

        #expect(first == 0xfffe_db08)
        #expect(later == first + 250)
    }

    @Test func `a sleep ends with the tick after its time`() throws {
        try machine.call("msleep", 1)

        #expect(machine.kernel.clock.nanoseconds == 8_000_000)
    }

    @Test func `no wish moves the clock past the end of time`() throws {
        for _ in 0..<4 { try machine.call("advance_time", .word(.max)) }

        let end = machine.kernel.clock.nanoseconds
        #expect(end >= 1 << 62 && end < 1 << 62 + 10_000)
    }

    @Test func `the log's lines have the clock's time`() throws {
        try machine.call("advance_time", 2_500_000_000)
        try machine.call("spin_lock", "a")
        try machine.call("kmalloc", 64, 0xcc0)

        #expect(machine.kernel.log.times.first == 2_500_003)
    }

    @Test func `a grace period ends by itself, when its time is over and the CPU is given up`()
        throws
    {
        let cache = try machine.call("kmem_cache_create", "typed", 64, 0, 0x8_0000).word
        let object = try machine.call("kmem_cache_alloc", .word(cache), 0xcc0).word
        let before = machine.slabPages
        try machine.call("kmem_cache_free", .word(cache), .word(object))
        try machine.call("kmem_cache_shrink", .word(cache))
        try machine.call("schedule")
        let waiting = machine.kernel.slab.hasWaitingSlabs
        try machine.call("preempt_disable")
        try machine.call("advance_time", 12_000_000)
        let kept = machine.kernel.slab.hasWaitingSlabs
        try machine.call("preempt_enable")
        try machine.call("cond_resched")
        let after = machine.kernel.slab.hasWaitingSlabs

        #expect(waiting && kept && !after)
        #expect(machine.slabPages < before)
    }

    @Test func `what an interrupt leaves to the worker waits for a CPU that is given up`() throws {
        let area = try machine.call("vmalloc", 8_192).word
        try machine.call("preempt_disable")
        try machine.call("vfree", [.word(area)], in: .hardirq)
        try machine.call("kmalloc", 64, 0xa20)
        let kept = machine.kernel.vmalloc.deferred
        try machine.call("preempt_enable")
        try machine.call("schedule")

        #expect(kept == [area])
        #expect(machine.kernel.vmalloc.deferred.isEmpty)
    }
}
