import Testing

@testable import KernelHeap

@Suite("Contexts: spinlocks")
struct SpinLockTests {
    let machine: CallMachine

    init() throws { machine = try CallMachine("", cpus: 2) }

    private func count(cpu: Int = 0) throws -> UInt64 {
        try machine.call("preempt_count", cpu: cpu).word
    }

    @Test func `a lock keeps its CPU until it is given back`() throws {
        try machine.call("spin_lock", "a")
        let held = try machine.call("in_atomic").word
        let elsewhere = try machine.call("in_atomic", cpu: 1).word
        try machine.call("spin_unlock", "a")

        #expect(held == 1)
        #expect(elsewhere == 0)
        #expect(try count() == 0)
    }

    @Test func `taking a lock twice on one CPU hangs the machine, and the watchdog says so`() throws
    {
        try machine.call("spin_lock", "a")
        let again = try machine.call("spin_lock", "a")
        let next = try machine.call("kmalloc", 64, 0xcc0)

        #expect(again.fact("hung") == .boolean(true))
        #expect(
            machine.kernel.hangReason
                == .spinlock(
                    .named("a"),
                    cpu: 0,
                    holder: HangReason.Holder(cpu: 0, pid: 1, call: 1)
                )
        )
        #expect(again.log == ["watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [init:1]"])
        #expect(next.fact("blocked") == .boolean(true))
    }

    @Test func `an interrupt that wants the lock of its CPU's task spins for ever`() throws {
        try machine.call("spin_lock", "a")

        let handler = try machine.call("spin_lock", ["a"], in: .hardirq)

        #expect(handler.fact("hung") == .boolean(true))
    }

    @Test func `with interrupts off nothing hears the timer, and the NMI watchdog speaks`() throws {
        try machine.call("spin_lock_irqsave", "a")

        let again = try machine.call("spin_lock", "a")

        #expect(again.log == ["NMI watchdog: Watchdog detected hard LOCKUP on cpu 0"])
    }

    @Test func `another CPU spins, and has the lock when it is given back`() throws {
        try machine.call("spin_lock", "a")
        let wish = try machine.call("spin_lock", "a", cpu: 1)
        let blocked = try machine.call("kmalloc", 64, 0xcc0, cpu: 1)
        let elsewhere = try machine.call("kmalloc", 64, 0xa20)
        let unlock = try machine.call("spin_unlock", "a")
        let later = try machine.call("preempt_count", cpu: 1)

        #expect(wish.fact("blocked") == .boolean(true))
        #expect(blocked.fact("waits_for") == .text("CPU 1 spins for the lock a"))
        #expect(elsewhere.word != 0)
        #expect(
            unlock.fact("taken_by")
                == .facts([
                    Fact("cpu", .number(1)), Fact("pid", .number(1)), Fact("call", .number(2)),
                ])
        )
        #expect(later.word == 1)
        #expect(machine.kernel.hangReason == nil)
    }

    @Test func `an interrupt runs on a CPU that spins, unless it spins with interrupts off`() throws
    {
        try machine.call("spin_lock", "a")
        try machine.call("spin_lock", "a", cpu: 1)
        let handler = try machine.call("kmalloc", [64, 0xa20], cpu: 1, in: .hardirq)

        #expect(handler.word != 0)
    }

    @Test func `two CPUs that want each other's lock hang the machine`() throws {
        try machine.call("spin_lock", "a")
        try machine.call("spin_lock", "b", cpu: 1)
        let first = try machine.call("spin_lock", "b")
        let second = try machine.call("spin_lock", "a", cpu: 1)

        #expect(first.fact("hung") == .boolean(false))
        #expect(second.fact("hung") == .boolean(true))
    }

    @Test func `giving back what nobody has is refused by a kernel that looks`() throws {
        let outcome = try machine.call("spin_unlock", "a")

        #expect(outcome.log.contains("DEBUG_LOCKS_WARN_ON(val > preempt_count())"))
        #expect(outcome.warnings.map(\.name) == ["wrong_context", "wrong_context"])
        #expect(try count() == 0)
    }

    @Test func `a kernel that does not look counts below zero, and its CPU is atomic`() throws {
        let machine = try CallMachine("debug_atomic_sleep=off")
        let outcome = try machine.call("spin_unlock", "a")

        #expect(outcome.log.isEmpty)
        #expect(try machine.call("preempt_count").word == 0x7fff_ffff)
        #expect(try machine.call("in_nmi").word == 1)
    }

    @Test func `a lock in memory has its word there`() throws {
        let lock = try machine.call("kzalloc", 64, 0xcc0).word
        try machine.call("spin_lock_init", .word(lock))
        try machine.call("spin_lock", .word(lock))
        let taken = try machine.read(lock, 4)
        try machine.call("spin_unlock", .word(lock))

        #expect(taken == [1, 0, 0, 0])
        #expect(try machine.read(lock, 4) == [0, 0, 0, 0])
    }

    @Test func `a lock that was never initialised is taken by nobody, and hangs the machine`()
        throws
    {
        let lock = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kernel_write", .word(lock), .bytes([0x6b, 0x6b, 0x6b, 0x6b]))

        let outcome = try machine.call("spin_lock", .word(lock))

        #expect(outcome.fact("hung") == .boolean(true))
        #expect(
            machine.kernel.hangReason == .spinlock(.address(lock), cpu: 0, holder: nil)
        )
    }

    @Test func `a lock where nothing is mapped is an oops, and keeps no CPU`() throws {
        let outcome = try machine.call("spin_lock", .word(8))

        #expect(outcome.log.first?.hasPrefix("BUG: kernel NULL pointer dereference") == true)
        #expect(try count() == 0)
    }

    @Test func `trying takes a lock only if nobody has it`() throws {
        let first = try machine.call("spin_trylock", "a").word
        let second = try machine.call("spin_trylock", "a").word

        #expect(first == 1 && second == 0)
        #expect(try count() == 1)
    }

    @Test func `restoring the outer flags first leaves interrupts on too early`() throws {
        let outer = try machine.call("spin_lock_irqsave", "a").word
        let inner = try machine.call("spin_lock_irqsave", "b").word
        try machine.call("spin_unlock_irqrestore", "b", .word(outer))
        let early = try machine.call("irqs_disabled").word
        let late = try machine.call("spin_unlock_irqrestore", "a", .word(inner))

        #expect(outer == 0x202 && inner == 2)
        #expect(early == 0)
        #expect(late.warnings.map(\.name) == ["wrong_context"])
        #expect(try machine.call("irqs_disabled").word == 0)
    }

    @Test func `a context switch on a CPU that must be kept is the kernel's report`() throws {
        machine.addProcess(7)
        try machine.call("spin_lock", "a")

        let other = try machine.call("kmalloc", [64, 0xcc0], pid: 7)

        #expect(other.log.first == "BUG: scheduling while atomic: init/1/0x00000002")
        #expect(other.word != 0)
    }

    @Test func `who names no process is the task that the CPU keeps`() throws {
        machine.addProcess(7)
        try machine.call("spin_lock", ["a"], pid: 7)

        let outcome = try machine.call("kmalloc", 64, 0xcc0)

        #expect(
            outcome.log.contains {
                $0 == "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 7, name: other"
            }
        )
    }

    @Test func `a handler's end brings back what it interrupted`() throws {
        try machine.call("local_bh_disable")
        try machine.call("irq_enter")
        let inside = try machine.call("preempt_count").word
        try machine.call("irq_exit")

        #expect(inside == 0x1_0200)
        #expect(try count() == 0x200)
        #expect(try machine.call("irqs_disabled").word == 0)
    }

    @Test func `the end of an NMI that nobody entered is a BUG`() throws {
        let outcome = try machine.call("nmi_exit")

        #expect(outcome.log.contains { $0.hasPrefix("kernel BUG at") })
        #expect(outcome.warnings.map(\.name) == ["wrong_context"])
    }

    @Test func `a fork of a hung machine is hung, and one of a machine before it is not`() throws {
        try machine.call("spin_lock", "a")
        let before = machine.fork()
        try machine.call("spin_lock", "a")
        let after = machine.fork()

        try before.call("spin_unlock", "a")
        #expect(before.kernel.hangReason == nil)
        #expect(after.kernel.hangReason != nil)
    }

    @Test func `more locks than are kept are refused`() throws {
        for number in 0..<1_024 {
            try machine.call("mutex_lock", .text("m\(number)"))
        }

        let outcome = try machine.call("spin_lock", "one too many")

        #expect(outcome.result.errno == .ENOMEM)
        #expect(try count() == 0)
    }
}
