import Testing

@testable import KernelHeap

/// The head of an oops of 2.6: `do_page_fault()` of `arch/i386/mm/fault.c`.
@Suite("Oopses of the classic kernel")
struct ClassicOopsTests {
    private func machine() throws -> CallMachine {
        var description = MachineDescription()
        description.profile = "linux-2.6-i386"
        description.memoryBytes = 256 << 20
        return try CallMachine(description)
    }

    @Test func `a NULL pointer, with the entry that leads nowhere`() throws {
        let machine = try machine()
        let load = try machine.call("kernel_read", 8, 1)
        let store = try machine.call("kernel_write", 8, .bytes([0]))

        let head =
            "BUG: unable to handle kernel NULL pointer dereference at virtual address 00000008"
        #expect(load.log == [head, "*pde = 00000000", "Oops: 0000 [#1]"])
        #expect(store.log == [head, "*pde = 00000000", "Oops: 0002 [#2]"])
        let verdict = machine.kernel.verdict(limit: 10)
        let reports = try #require(verdict.parts.first { $0.name == "reports" })
        #expect(reports.counts.map(\.kind) == ["oops"] && reports.total == 2)
    }

    @Test func `an address beyond the direct map is a paging request`() throws {
        let machine = try machine()
        let log = try machine.call("kernel_read", 0xf500_0000, 4).log

        #expect(
            log.first == "BUG: unable to handle kernel paging request at virtual address f5000000"
        )
        #expect(log.last == "Oops: 0000 [#1]")
    }
}
