import Testing

@testable import KernelHeap

/// What calls leave behind on CPUs and tasks, as the verdict tells it.
@Suite("Verdicts: contexts that were not left")
struct VerdictContextTests {
    private func contexts(_ machine: CallMachine, since: UInt64 = 0) throws -> [VerdictItem] {
        let verdict = machine.kernel.verdict(VerdictScope(since: since), limit: 100)
        return try #require(verdict.parts.first { $0.name == "contexts" }).items
    }

    @Test(
        "each kind of context, with the call that entered it",
        arguments: [
            ("local_irq_disable", "local_irq_enable", "interrupts_off"),
            ("local_bh_disable", "local_bh_enable", "softirqs_off"),
            ("preempt_disable", "preempt_enable", "preemption_off"),
            ("irq_enter", "irq_exit", "in_handler"),
            ("nmi_enter", "nmi_exit", "in_handler"),
            ("rcu_read_lock", "rcu_read_unlock", "rcu_reader"),
            ("pagefault_disable", "pagefault_enable", "pagefaults_off"),
        ]
    )
    func leftBehind(begin: String, end: String, kind: String) throws {
        let machine = try CallMachine()
        try machine.call("kmalloc", 64, 0xcc0)
        let entered = try machine.call(begin)
        try machine.call("kmalloc", 64, 0xa20)
        let left = try contexts(machine)
        let later = try contexts(machine, since: entered.sequence)
        try machine.call(end)

        #expect(left.map(\.kind) == [kind] && left.map(\.call) == [entered.sequence])
        #expect(later == [])
        #expect(try contexts(machine) == [])
    }

    @Test func `a scope of the task's flags`() throws {
        let machine = try CallMachine()
        let saved = try machine.call("memalloc_nofs_save")
        let inside = try contexts(machine)
        try machine.call("memalloc_nofs_restore", .word(saved.word))

        #expect(inside.map(\.kind) == ["memalloc_scope"])
        #expect(inside.first?.text.contains("PF_MEMALLOC_NOFS") == true)
        #expect(try contexts(machine) == [])
    }

    @Test func `a lock that is held says all; its interrupts say it when it is gone`() throws {
        let machine = try CallMachine()
        try machine.call("spin_lock_irqsave", "a")
        let held = try contexts(machine)
        try machine.call("spin_unlock", "a")
        let forgotten = try contexts(machine)

        #expect(held.map(\.kind) == ["lock_held"])
        #expect(forgotten.map(\.kind) == ["interrupts_off"])
        #expect(forgotten.map(\.text) == ["CPU 0 is left with interrupts off, since call 1."])
    }

    @Test func `maps of high memory that nobody undoes`() throws {
        var description = MachineDescription()
        description.profile = "linux-6.1-i386"
        description.memoryBytes = 1 << 30
        let machine = try CallMachine(description)
        let page = try machine.call("alloc_pages", 0x1100c2, 0).word
        let permanent = try machine.call("kmap", .word(page))
        let short = try machine.call("kmap_local_page", .word(page))
        let verdict = machine.kernel.verdict(limit: 100)
        let leaks = try #require(verdict.parts.first { $0.name == "leaks" })
        let left = try contexts(machine)
        try machine.call("kunmap_local", .word(short.word))
        try machine.call("kunmap", .word(page))
        let undone = machine.kernel.verdict(limit: 100)

        #expect(leaks.items.map(\.kind) == ["pages", "kmap"])
        #expect(leaks.items.last?.call == permanent.sequence)
        #expect(left.map(\.kind) == ["short_map"] && left.first?.call == short.sequence)
        #expect(undone.parts.flatMap(\.items).map(\.kind) == ["pages"])
    }
}
