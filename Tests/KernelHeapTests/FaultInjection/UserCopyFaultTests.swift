import TestSupport
import Testing

@testable import KernelHeap

@Suite("fail_usercopy: which copies ask")
struct UserCopyFaultTests {
    private static let user: UInt64 = 0x1000_0000

    // `should_fail_usercopy()` stands in every copy of `include/linux/uaccess.h` but one.
    @Test(arguments: [
        ("copy_to_user", true), ("copy_from_user", true), ("__copy_to_user", true),
        ("__copy_from_user", true), ("__copy_to_user_inatomic", true),
        ("__copy_from_user_inatomic", false),
    ])
    func asks(name: String, isAsked: Bool) throws {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), 4_096, 3, 0x32)
        try machine.call("user_write", .word(Self.user), .bytes([1, 2, 3, 4]))
        let buffer = try machine.call("kmalloc", 64, 0xcc0).word
        let isOut = name.contains("to_user")
        let (to, from) = isOut ? (Self.user, buffer) : (buffer, Self.user)

        try machine.call("fail_nth", 1)
        let copy = try machine.call(name, .word(to), .word(from), 4)
        let next = try machine.call("kmalloc", 64, 0xcc0)

        #expect(copy.word == (isAsked ? 4 : 0))
        #expect((next.word == 0) == !isAsked, "else the next place fails")
    }

    private static let retried = "Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF"

    // pagefault_out_of_memory() since 5.16: a line, and the instruction runs again.
    @Test func `a program whose fault found no page faults again`() throws {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), 4_096, 3, 0x32)
        try machine.call("fail_nth", 1)

        let store = try machine.call("user_write", .word(Self.user), .bytes([7]))

        #expect(store.word == 1 && store.log.filter { $0 == Self.retried }.count == 1)
        #expect(store.fact("signal") == nil)
    }

    @Test func `a program that never gets its page makes no progress`() throws {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), 4_096, 3, 0x32)
        let forever = CallMachine.Argument.word(UInt64(bitPattern: -1))
        try machine.call("write_fault_knob", "fail_page_alloc/ignore-gfp-wait", "N")
        try machine.call("write_fault_knob", "fail_page_alloc/ignore-gfp-highmem", "N")
        try machine.call("write_fault_knob", "fail_page_alloc/min-order", "0\n")
        try machine.call("fail_page_alloc", 100, 1, forever)

        let store = try machine.call("user_write", .word(Self.user), .bytes([7]))

        #expect(store.word == 0 && store.log.filter { $0 == Self.retried }.count == 10)
        #expect(store.fact("signal") == nil && store.fact("retried") == .boolean(true))
    }

    @Test func `a kernel that panics for want of memory says nothing behind that`() throws {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        let machine = try CallMachine(description)
        try machine.call("mmap", .word(Self.user), .word(200 << 20), 3, 0x4032)
        var last: CallOutcome?
        for page in 0..<UInt64(200 << 8) where !machine.kernel.isPanicked {
            let address = Self.user + page << 12
            last = try machine.call("user_write", .word(address), .bytes([7]))
        }

        let log = try #require(last).log
        #expect(log.contains { $0.hasPrefix("Kernel panic - not syncing: System is deadlocked") })
        #expect(!log.contains(Self.retried))
        #expect(last?.fact("retried") == .boolean(false) && last?.fact("signal") == nil)
    }
}
