import Testing

@testable import KernelHeap

/// Memory of devices under the address sanitizer.
@Suite("Devices: managed memory and KASAN")
struct ManagedKasanTests {
    private static let kernelFlags: CallMachine.Argument = 0xcc0

    let machine: CallMachine

    init() throws {
        var description = MachineDescription()
        description.kasan = true
        machine = try CallMachine(description)
        try machine.call("device_register", "d")
    }

    private func reallocate(_ address: UInt64, _ bytes: UInt64) throws -> CallOutcome {
        try machine.call("devm_krealloc", "d", .word(address), .word(bytes), Self.kernelFlags)
    }

    @Test func `devm_krealloc in place gives all bytes of the object`() throws {
        // 40 bytes of the node and 24 lie in kmalloc-96, with room for 56.
        let memory = try machine.call("devm_kmalloc", "d", 30, Self.kernelFlags).word
        let before = try machine.call("kernel_write", .word(memory + 50), .bytes([1]))
        let grown = try reallocate(memory, 56)
        let after = try machine.call("kernel_write", .word(memory + 50), .bytes([1]))
        let behind = try machine.call("kernel_write", .word(memory + 56), .bytes([1]))

        #expect(before.kasan.map(\.kind) == [.slabOutOfBounds])
        #expect(grown.word == memory && grown.kasan.isEmpty)
        #expect(after.kasan.isEmpty)
        #expect(behind.kasan.map(\.kind) == [.slabOutOfBounds])
    }

    @Test func `devm_krealloc of freed memory is a use after free`() throws {
        let memory = try machine.call("devm_kmalloc", "d", 30, Self.kernelFlags).word
        try machine.call("devm_kfree", "d", .word(memory))
        let late = try reallocate(memory, 200)

        #expect(late.kasan.map(\.kind) == [.useAfterFree])
        #expect(late.word == 0)
    }
}
