import Testing

@testable import KernelHeap

@Suite("Calls: what bounds their time")
struct CallLimitTests {
    private static let user: UInt64 = 0x1000_0000

    @Test(
        "an unchecked copy has a largest length",
        arguments: [
            "__copy_to_user", "__copy_from_user", "__copy_to_user_inatomic",
            "__copy_from_user_inatomic", "copy_to_user_nofault", "copy_from_user_nofault",
        ]
    )
    func copyLimit(name: String) throws {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        description.bootOptions = "hardened_usercopy=off"
        let machine = try CallMachine(description)
        let signature = try #require(CallRegistry.byName[name]).signature
        let kernel: UInt64 = 0xffff_8880_0010_0000
        let isToUser = name.contains("to_user")
        let to = isToUser ? Self.user : kernel
        let from = isToUser ? kernel : Self.user

        let outcome = try machine.call(name, .word(to), .word(from), .word(.max))

        #expect(signature.parameters[2].maximum == UInt64(1) << 31)
        #expect(outcome.word == (name.hasSuffix("nofault") ? UInt64(bitPattern: -14) : 1 << 31))
    }

    @Test(
        "calls without a length say that they take long",
        arguments: ["fork", "ftruncate", "brk"]
    )
    func longCalls(name: String) throws {
        let descriptor = try #require(CallRegistry.byName[name])

        #expect(descriptor.signature.takesLong)
    }
}
