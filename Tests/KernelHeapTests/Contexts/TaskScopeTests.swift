import Testing

@testable import KernelHeap

@Suite("Contexts: what tasks take along")
struct TaskScopeTests {
    let machine: CallMachine

    init() throws {
        machine = try CallMachine("", cpus: 2)
        machine.addProcess(7)
    }

    private func flags(pid: Int, in kind: CallContext.Kind = .process) -> GFPFlags {
        machine.kernel.gfpContext(.kernel, in: CallContext(kind: kind, pid: pid))
    }

    @Test func `a scope without file systems is its task's alone, on any CPU`() throws {
        try machine.call("memalloc_nofs_save", [], cpu: 1, pid: 7)

        #expect(flags(pid: 7) == [.reclaim, .io])
        #expect(flags(pid: 1) == .kernel)
    }

    @Test func `a scope without IO is without file systems, too`() throws {
        let saved = try machine.call("memalloc_noio_save").word
        let inside = flags(pid: 1)
        try machine.call("memalloc_noio_restore", .word(saved))

        #expect(inside == .reclaim)
        #expect(flags(pid: 1) == .kernel)
    }

    @Test func `scopes nest by what they saved`() throws {
        let outer = try machine.call("memalloc_nofs_save").word
        let inner = try machine.call("memalloc_nofs_save").word
        try machine.call("memalloc_nofs_restore", .word(inner))
        let stillInside = flags(pid: 1)
        let end = try machine.call("memalloc_nofs_restore", .word(outer))

        #expect(outer == 0 && inner == 0x4_0000)
        #expect(stillInside == [.reclaim, .io])
        #expect(flags(pid: 1) == .kernel)
        #expect(end.warnings.isEmpty)
    }

    @Test func `restoring the outer scope first ends both, and is warned about`() throws {
        let outer = try machine.call("memalloc_nofs_save").word
        try machine.call("memalloc_nofs_save")

        let early = try machine.call("memalloc_nofs_restore", .word(outer))

        #expect(early.warnings.map(\.name) == ["wrong_context"])
        #expect(flags(pid: 1) == .kernel)
    }

    @Test func `a task that frees memory may use the last of it, the interrupt on it may not`()
        throws
    {
        try machine.call("memalloc_noreclaim_save")

        let inTask = machine.kernel.isMemAlloc(in: CallContext(pid: 1))
        let inHandler = machine.kernel.isMemAlloc(in: CallContext(kind: .hardirq, pid: 1))
        let mayReclaim = machine.kernel.mayReclaim(.kernel, in: CallContext(pid: 1))
        let othersMay = machine.kernel.mayReclaim(.kernel, in: CallContext(pid: 7))

        #expect(inTask && !inHandler)
        #expect(!mayReclaim && othersMay)
    }

    @Test func `a mutex makes the second task sleep until the first is done`() throws {
        try machine.call("mutex_lock", "m")
        let wish = try machine.call("mutex_lock", ["m"], pid: 7)
        let asleep = try machine.call("kmalloc", [64, 0xcc0], pid: 7)
        let handler = try machine.call("kmalloc", [64, 0xa20], in: .softirq, pid: 7)
        let unlock = try machine.call("mutex_unlock", "m")
        let awake = try machine.call("kmalloc", [64, 0xcc0], pid: 7)

        #expect(wish.fact("blocked") == .boolean(true))
        #expect(asleep.fact("waits_for") == .text("process 7 sleeps for the mutex m"))
        #expect(handler.word != 0)
        #expect(unlock.fact("taken_by") != .null)
        #expect(awake.word != 0)
    }

    @Test func `a mutex that its own task wants again hangs the machine`() throws {
        try machine.call("mutex_lock", "m")

        let again = try machine.call("mutex_lock", "m")

        #expect(again.fact("hung") == .boolean(true))
        #expect(again.log.first == "INFO: task init:1 blocked for more than 120 seconds.")
    }

    @Test func `two tasks that want each other's mutex hang the machine`() throws {
        try machine.call("mutex_lock", "m")
        try machine.call("mutex_lock", ["n"], pid: 7)
        try machine.call("mutex_lock", ["m"], pid: 7)

        let last = try machine.call("mutex_lock", "n")

        #expect(last.fact("hung") == .boolean(true))
    }

    @Test func `another task's mutex can be given back, and that is warned about`() throws {
        try machine.call("mutex_lock", "m")

        let outcome = try machine.call("mutex_unlock", ["m"], pid: 7)

        #expect(outcome.warnings.map(\.name) == ["wrong_context"])
        #expect(try machine.call("mutex_trylock", ["m"], pid: 7).word == 1)
    }

    @Test func `a task that must not sleep does not get a mutex that another has`() throws {
        try machine.call("mutex_lock", "m")
        try machine.call("spin_lock", ["s"], cpu: 1, pid: 7)

        let outcome = try machine.call("mutex_lock", ["m"], cpu: 1, pid: 7)

        #expect(outcome.log.contains("BUG: scheduling while atomic: other/7/0x00000002"))
        #expect(outcome.fact("taken") == .boolean(false))
    }

    @Test func `a reader keeps a grace period from ending`() throws {
        let cache = try machine.call("kmem_cache_create", "typed", 64, 0, 0x8_0000).word
        let object = try machine.call("kmem_cache_alloc", .word(cache), 0xcc0).word
        try machine.call("kmem_cache_free", .word(cache), .word(object))
        try machine.call("rcu_read_lock", [], pid: 7)
        try machine.call("kmem_cache_shrink", .word(cache))
        let freed = try machine.call("synchronize_rcu").fact("slabs_freed")
        let during = machine.kernel.slab.hasWaitingSlabs
        try machine.call("rcu_read_unlock", [], pid: 7)
        try machine.call("synchronize_rcu")
        let after = machine.kernel.slab.hasWaitingSlabs

        #expect(freed == .number(0))
        #expect(during && !after)
    }

    @Test func `a reader that waits for its own grace period waits for ever`() throws {
        try machine.call("rcu_read_lock")
        try machine.call("synchronize_rcu")

        #expect(machine.kernel.hangReason == .gracePeriod(pid: 1))
    }
}
