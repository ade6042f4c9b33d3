import Testing

@testable import KernelHeap

/// After `kernel/panic.c` and `mm/kasan/report.c` of 6.1; no recorded kernel was set to panic.
@Suite("Panics that the command line asks for")
struct PanicPolicyTests {
    private static let warned = "Kernel panic - not syncing: kernel: panic_on_warn set ..."

    /// A request of order 11 is a warning, once a boot.
    private func warn(_ machine: CallMachine) throws -> [String] {
        Array(try machine.call("alloc_pages", 0xcc0, 11).log)
    }

    @Test func `a warning is the last thing of a machine with panic_on_warn`() throws {
        let machine = try CallMachine("panic_on_warn=1")
        let lines = try warn(machine)

        #expect(lines.first == "------------[ cut here ]------------")
        #expect(
            lines.dropLast().last?.hasPrefix("WARNING: CPU: 0 PID: 1 at mm/page_alloc.c") == true
        )
        #expect(lines.last == Self.warned)
        #expect(machine.isPanicked)
        let verdict = machine.kernel.verdict(limit: 10)
        #expect(verdict.isPanicked && !verdict.isOK)
    }

    @Test("numbers as the kernel reads them", arguments: ["", "panic_on_warn", "panic_on_warn=0"])
    func livesOn(options: String) throws {
        let machine = try CallMachine(options)
        let lines = try warn(machine)

        #expect(lines.last == "---[ end trace 0000000000000000 ]---")
        #expect(!machine.isPanicked)
    }

    @Test func `the sysctl takes 0 and 1 and acts at once`() throws {
        let machine = try CallMachine()
        let tooLarge = try machine.call("sysctl", "kernel.panic_on_warn", "2")
        let before = try machine.call("sysctl", "kernel.panic_on_warn")
        try machine.call("sysctl", "kernel.panic_on_warn", "1")
        let after = try machine.call("sysctl", "kernel.panic_on_warn")
        let lines = try warn(machine)

        #expect(tooLarge.result.errno == .EINVAL)
        #expect(before.word == 0)
        #expect(after.word == 1)
        #expect(lines.last == Self.warned)
    }

    @Test func `who gives up the processor where it must not panics, too`() throws {
        let machine = try CallMachine("panic_on_warn=1")
        try machine.call("preempt_disable")
        let lines = Array(try machine.call("schedule").log)

        #expect(lines.first?.hasPrefix("BUG: scheduling while atomic: init/1/") == true)
        #expect(
            lines.last
                == "Kernel panic - not syncing: scheduling while atomic: panic_on_warn set ..."
        )
    }

    @Test(
        "what KASAN finds",
        arguments: [
            ("panic_on_warn=1", "KASAN: panic_on_warn set ..."),
            ("kasan.fault=panic", "kasan.fault=panic set ..."),
        ]
    )
    func sanitizer(options: String, text: String) throws {
        let machine = try KasanMachine { $0.bootOptions = options }
        let object = try machine.kmalloc(64)
        let lines = Array(try machine.call("kernel_read", .word(object + 64), 1).log)

        #expect(lines.contains("BUG: KASAN: slab-out-of-bounds in kernel_read+0x0/0x0"))
        #expect(lines.last == "Kernel panic - not syncing: \(text)")
        #expect(machine.calls.isPanicked)
    }

    @Test func `kasan.fault=report goes on`() throws {
        let machine = try KasanMachine { $0.bootOptions = "kasan.fault=report" }
        let object = try machine.kmalloc(64)

        #expect(try machine.read(object + 64, 1).count == 1)
        #expect(!machine.calls.isPanicked)
    }

    @Test func `an oops is the end with oops=panic, in an interrupt with its own words`() throws {
        let machine = try CallMachine("oops=panic")
        let inInterrupt = machine.fork()
        let lines = Array(try machine.call("kernel_read", 8, 8).log)
        let others = Array(try inInterrupt.call("kernel_read", 8, 8, in: .hardirq).log)

        #expect(lines.first == "BUG: kernel NULL pointer dereference, address: 0000000000000008")
        #expect(lines.last == "Kernel panic - not syncing: Fatal exception")
        #expect(others.last == "Kernel panic - not syncing: Fatal exception in interrupt")
        #expect(machine.isPanicked && inInterrupt.isPanicked)
    }

    @Test func `a BUG is an oops, and the sysctl takes any number`() throws {
        let machine = try CallMachine()
        try machine.call("sysctl", "kernel.panic_on_oops", "-3")
        let value = try machine.call("sysctl", "kernel.panic_on_oops")
        try machine.call("device_register", "nic")
        let lines = Array(try machine.call("dma_map_single", "nic", 4_096, 64, 3).log)

        #expect(Int64(bitPattern: value.word) == -3)
        #expect(
            lines.suffix(2) == [
                "---[ end trace 0000000000000000 ]---",
                "Kernel panic - not syncing: Fatal exception",
            ]
        )
    }
}
