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
}
