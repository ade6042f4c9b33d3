import TestSupport
import Testing

@testable import KernelHeap

@Suite("vmalloc: refusals and misuse")
struct VmallocFailureTests {
    private func machine(_ memory: UInt64 = 512 << 20) throws -> CallMachine {
        var description = MachineDescription()
        description.memoryBytes = memory
        return try CallMachine(description)
    }

    /// The lines of a recorded log block, without process, call trace and registers.
    private func recorded(_ path: String, where isWanted: (String) -> Bool) throws -> [String] {
        try Recording.text(path).split(separator: "\n").filter { $0.hasPrefix("[") }
            .map { String($0.drop { $0 != "]" }.dropFirst(2)) }
            .filter(isWanted)
            .map(normal)
    }

    private func normal(_ line: String) -> String {
        line.replacing(/PID: \d+/, with: "PID: N")
            .replacing(/\([0-9a-f]{16}\)/, with: "((____ptrval____))")
            .replacing(#/^(insmod|sh|init): /#, with: "process: ")
    }

    private func isOfWarning(_ line: String) -> Bool {
        ["---", "Trying", "WARNING"].contains { line.hasPrefix($0) }
    }

    private func warning(_ number: Int) throws -> [String] {
        try recorded("warnings/bad-page.case-\(number).txt", where: isOfWarning)
    }

    @Test func `vfree of what is no area prints the recorded warnings`() throws {
        let machine = try machine()
        let area = try machine.call("vmalloc", 4_096).word
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let nowhere = try machine.call("vfree", 0xffff_c900_4000_0000).log.map(normal)
        let unaligned = try machine.call("vfree", .word(area + 8)).log.map(normal)
        let null = try machine.call("vfree", 0).log
        let slab = try machine.call("vfree", .word(object | 8)).log.map(normal)
        let unmapped = try machine.call("vunmap", 0xffff_c900_4000_0000).log.map(normal)
        let once = try machine.call("vfree", .word(area)).log
        let twice = try machine.call("vfree", .word(area)).log.map(normal)

        #expect(nowhere == (try warning(92)))
        #expect(unaligned == (try warning(94)))
        #expect(null == [] && once == [])
        #expect(slab == (try warning(96)))
        #expect(unmapped == (try warning(97)))
        #expect(twice == (try warning(93)))
    }

    @Test func `vfree inside an area frees the whole of it, without a word`() throws {
        let machine = try machine()
        let area = try machine.call("vmalloc", 12_288).word
        let freed = try machine.call("vfree", .word(area + 4_096))
        let read = try machine.call("kernel_read", .word(area), 1)

        #expect(try warning(95) == [])
        #expect(freed.log == [])
        #expect(freed.fact("lazy_pages") == .number(4))
        #expect(read.word == 0)
    }

    @Test func `no bytes and too many are NULL with the recorded lines`() throws {
        let machine = try machine(1 << 30)
        let dmesg = try recorded("vmalloc/dmesg-smp1.txt") { line in
            line.hasPrefix("WARNING: CPU: 0 PID") || line.contains("vmalloc error")
        }
        let none = try machine.call("vmalloc", 0)
        let again = try machine.call("vmalloc", 0)
        let tooLarge = try machine.call("vmalloc", .word(1 << 40))
        let crazy = try machine.call("kvmalloc", .word(1 << 40), 0xcc0)
        let quiet = try machine.call("kvmalloc", .word(1 << 41), 0x2cc0)
        let zero = try machine.call("kvmalloc", 0, 0xcc0)

        let lines = [none, tooLarge, crazy].flatMap { outcome in
            outcome.log.map(normal).filter {
                $0.hasPrefix("WARNING") || $0.contains("vmalloc error")
            }
        }
        #expect(lines == dmesg)
        #expect([none.word, again.word, tooLarge.word, crazy.word, quiet.word] == [0, 0, 0, 0, 0])
        #expect(again.log == [] && quiet.log == [])
        #expect(zero.word == 16)
    }

    @Test func `a machine without enough pages undoes what it began`() throws {
        let machine = try machine(96 << 20)
        let before = try machine.call("vmalloc", .word(40 << 20)).word
        let state = pages(machine)
        let outcome = try machine.call("vmalloc", .word(40 << 20))
        try machine.call("vm_unmap_aliases")

        #expect(before != 0)
        #expect(outcome.word == 0)
        // There is nobody to kill, and a kernel that panics says no more.
        #expect(
            outcome.log.last == "Kernel panic - not syncing: System is deadlocked on memory"
        )
        #expect(pages(machine) == state)
        #expect(machine.kernel.vmalloc.busy.containing(before) != 0)
        #expect(machine.violations == [])
    }

    /// Pages in use that are no tables.
    private func pages(_ machine: CallMachine) -> Int {
        (0..<machine.kernel.pages.map.capacity).count {
            let page = machine.kernel.pages.map[$0]
            return page.kind == .allocated && !page.isPageTable
        }
    }

    @Test func `an interrupt's vfree waits for the worker, its vmalloc stops the kernel`() throws {
        let machine = try machine()
        let first = try machine.call("vmalloc", 4_096).word
        let second = try machine.call("vmalloc", 4_096).word
        try machine.call("vfree", .word(first), in: .hardirq)
        try machine.call("vfree", .word(second), in: .tasklet)
        let link = try machine.call("kernel_read", .word(second), 8, in: .softirq)
        let waiting = machine.kernel.vmallocView(from: .null, limit: 0).deferredFrees
        let inInterrupt = try machine.call("vmalloc", 4_096, in: .softirq)
        let inNMI = try machine.call("vfree", .word(first), in: .nmi)
        let later = try machine.call("kernel_read", .word(first), 1)

        // The list goes through the first bytes of what was freed.
        #expect(link.fact("data") == .bytes(first.littleEndianBytes))
        #expect(waiting.map(\.rawValue) == [first, second])
        #expect(inInterrupt.word == 0)
        #expect(inInterrupt.log.contains { $0.hasPrefix("kernel BUG at mm/vmalloc.c") })
        #expect(inNMI.log.contains { $0.hasPrefix("kernel BUG at mm/vmalloc.c") })
        #expect(later.word == 0)
        #expect(machine.kernel.vmallocView(from: .null, limit: 0).deferredFrees == [])
        #expect(machine.violations == [])
    }

    @Test func `an interrupt's vfree of no area faults at the list's link`() throws {
        let machine = try machine()
        let outcome = try machine.call("vfree", 0xffff_c900_4000_0000, in: .hardirq)
        let next = try machine.call("vmalloc", 4_096)

        #expect(outcome.log.first?.hasSuffix("address: ffffc90040000000") == true)
        #expect(outcome.log.contains("#PF: supervisor write access in kernel mode"))
        #expect(next.log == [])
    }
}
