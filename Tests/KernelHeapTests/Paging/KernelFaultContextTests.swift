import Testing

@testable import KernelHeap

/// Kernel code that touches user memory where SMAP lets it.
@Suite("Paging: faults of kernel code on user memory")
struct KernelFaultContextTests {
    private func machine() throws -> (CallMachine, user: UInt64) {
        let machine = try CallMachine("nosmap")
        let user = try machine.call("mmap", 0, 8_192, 3, 0x22).word
        return (machine, user)
    }

    @Test func `a page comes where the kernel may sleep`() throws {
        let (machine, user) = try machine()

        let read = try machine.call("kernel_read", .word(user), 1)

        #expect(read.word == 1)
        #expect(read.log == [])
    }

    @Test(
        "an interrupt brings no page, and oopses",
        arguments: [CallContext.Kind.softirq, .tasklet, .hardirq, .nmi]
    )
    func interrupt(kind: CallContext.Kind) throws {
        let (machine, user) = try machine()

        let read = try machine.call("kernel_read", [.word(user), 1], in: kind)
        let write = try machine.call("kernel_write", [.word(user), .bytes([1])], in: kind)

        #expect(read.word == 0 && write.word == 0)
        #expect(read.log.contains("#PF: error_code(0x0000) - not-present page"))
        #expect(write.log.contains("#PF: error_code(0x0002) - not-present page"))
    }

    @Test func `disabled page faults bring no page, present ones can be read`() throws {
        let (machine, user) = try machine()
        try machine.call("kernel_write", .word(user), .bytes([7]))
        try machine.call("pagefault_disable")

        let present = try machine.read(user, 1)
        let absent = try machine.call("kernel_read", .word(user + 4_096), 1)

        #expect(present == [7])
        #expect(absent.word == 0)
        #expect(absent.log.contains("#PF: error_code(0x0000) - not-present page"))
    }
}
