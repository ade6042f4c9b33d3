import Testing

@testable import KernelHeap

@Suite("Contexts: reports of sleeping functions")
struct SleepReportTests {
    let machine: CallMachine

    init() throws { machine = try CallMachine() }

    private static let gfpKernel = CallMachine.Argument.word(UInt64(GFPFlags.kernel.rawValue))

    @Test func `the report is the kernel's own, line by line`() throws {
        try machine.call("spin_lock", "a")

        let outcome = try machine.call("kmalloc", 64, Self.gfpKernel)

        #expect(
            Array(outcome.log) == [
                "BUG: sleeping function called from invalid context at include/linux/sched/mm.h:274",
                "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 1, name: init",
                "preempt_count: 1, expected: 0", "RCU nest depth: 0, expected: 0",
                "CPU: 0 PID: 1 Comm: init Not tainted 6.1.0-56-amd64 #1  Debian 6.1.192-2",
                "Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), "
                    + "BIOS 1.16.2-debian-1.16.2-1 04/01/2014",
            ]
        )
        #expect(outcome.word != 0)
    }

    @Test(
        "the report shows why the CPU is kept",
        arguments: [
            ("preempt_disable", "1", 1, 0, 0), ("local_bh_disable", "200", 1, 0, 0),
            ("softirq_handle_begin", "100", 1, 0, 0), ("irq_enter", "10000", 1, 1, 0),
            ("nmi_enter", "110000", 1, 1, 0), ("local_irq_disable", "0", 0, 1, 0),
            ("rcu_read_lock", "0", 0, 0, 1),
        ]
    )
    func causes(call: String, count: String, atomic: Int, off: Int, readers: Int) throws {
        try machine.call(call)

        let log = Array(try machine.call("alloc_pages", Self.gfpKernel, 0).log)

        #expect(log.count == 6)
        #expect(
            log.dropFirst().first
                == "in_atomic(): \(atomic), irqs_disabled(): \(off), non_block: 0, pid: 1, name: init"
        )
        #expect(log.contains("preempt_count: \(count), expected: 0"))
        #expect(log.contains("RCU nest depth: \(readers), expected: 0"))
    }

    @Test func `spin_lock_bh counts the lock and the soft interrupts that it keeps off`() throws {
        try machine.call("spin_lock_bh", "a")

        #expect(try machine.call("preempt_count").word == 0x201)
        #expect(try machine.call("in_interrupt").word == 1)
        #expect(try machine.call("in_task").word == 1)
    }

    @Test func `within a second there is one report, and every call has its warning`() throws {
        try machine.call("preempt_disable")
        let first = try machine.call("kmalloc", 64, Self.gfpKernel)
        let second = try machine.call("kmalloc", 64, Self.gfpKernel)
        try machine.call("advance_time", 1_000_000_000)
        let third = try machine.call("kmalloc", 64, Self.gfpKernel)

        #expect(first.log.count == 6)
        #expect(second.log.isEmpty)
        #expect(third.log.count == 6)
        #expect(
            [first, second, third].map { $0.warnings.map(\.name) }
                == .init(repeating: ["wrong_context"], count: 3)
        )
    }

    @Test func `a kernel that does not look says nothing until the CPU is really given up`() throws
    {
        let machine = try CallMachine("debug_atomic_sleep=off")
        try machine.call("spin_lock", "a")

        let request = try machine.call("kmalloc", 64, Self.gfpKernel)
        let sleep = try machine.call("msleep", 1)

        #expect(request.log.isEmpty && request.word != 0)
        #expect(request.warnings.map(\.name) == ["wrong_context"])
        #expect(sleep.log.first == "BUG: scheduling while atomic: init/1/0x00000002")
    }

    @Test func `with page faults off a copy may be made anywhere, and brings nothing in`() throws {
        let user = try machine.call("mmap", 0, 8_192, 3, 0x22).word
        try machine.call("user_write", .word(user), .bytes([7]))
        let object = try machine.call("kmalloc", 64, Self.gfpKernel).word
        try machine.call("pagefault_disable")
        try machine.call("spin_lock", "a")

        let there = try machine.call("copy_to_user", .word(user), .word(object), 8)
        let absent = try machine.call("copy_to_user", .word(user + 4_096), .word(object), 8)

        #expect(there.log.isEmpty && there.word == 0)
        #expect(absent.log.isEmpty && absent.word == 8)
    }

    @Test func `the warning names the locks that are held and the calls that took them`() throws {
        try machine.call("spin_lock", "outer")
        try machine.call("spin_lock", "inner")

        let outcome = try machine.call("kmalloc", 64, Self.gfpKernel)

        guard case .wrongContext(let wrong)? = outcome.warnings.first else {
            Issue.record("no warning")
            return
        }
        #expect(wrong.locks.map(\.name) == ["outer", "inner"])
        #expect(wrong.locks.map(\.call) == [1, 2])
        #expect(wrong.preemptCount == 2)
    }
}
