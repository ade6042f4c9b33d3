import KernelHeap
import Testing

@Suite("User accesses: structures that grew")
struct UserStructTests {
    private static let user: UInt64 = 0x40_0000

    /// A machine with one user page, a hole behind it, and a kernel buffer of 0xee.
    private static func machine() throws -> (CallMachine, UInt64) {
        let machine = try CallMachine()
        try machine.call("mmap", .word(user), 4_096, 3, 0x32)
        let buffer = try machine.call("kmalloc", 256, 0xcc0).word
        try machine.call("memset", .word(buffer), 0xee, 256)
        return (machine, buffer)
    }

    private static func check(
        _ address: UInt64,
        _ count: Int,
        on machine: CallMachine
    ) throws
        -> UInt64
    {
        try machine.call("check_zeroed_user", .word(address), .word(UInt64(count))).word
    }

    //   the byte before and the byte behind are never zero; the one at `place` is, or is not
    @Test("a byte is seen wherever it stands, and no other", arguments: 0..<9)
    func isZeroed(offset: Int) throws {
        let (machine, _) = try Self.machine()
        let start = Self.user + 64 + UInt64(offset)
        for count in 0...20 {
            var bytes = [UInt8](repeating: 0, count: 22)
            bytes[0] = 0x7f
            bytes[count + 1] = 0x7f
            try machine.call("user_write", .word(start - 1), .bytes(bytes))
            #expect(try Self.check(start, count, on: machine) == 1, "\(count)")
            for place in 0..<count {
                let byte = start + UInt64(place)
                try machine.call("user_write", .word(byte), .bytes([1]))
                #expect(try Self.check(start, count, on: machine) == 0, "\(place) of \(count)")
                try machine.call("user_write", .word(byte), .bytes([0]))
            }
        }
    }

    @Test func `zeros up to a hole are zeros, one byte more is a fault`() throws {
        let (machine, _) = try Self.machine()
        let end = Self.user + 4_096
        for count in 1...17 {
            #expect(try Self.check(end - UInt64(count), count, on: machine) == 1)
            let beyond = try Self.check(end - UInt64(count), count + 8, on: machine)
            #expect(Int64(bitPattern: beyond) == -14)
        }
    }

    @Test("sizes of both sides", arguments: 0...16)
    func copies(kernelSize: Int) throws {
        for userSize in 0...16 {
            let (machine, buffer) = try Self.machine()
            let bytes = (0..<16).map { UInt8($0 + 1) }
            let known = bytes.prefix(min(kernelSize, userSize))
            let zeros = [UInt8](repeating: 0, count: 16 - known.count)
            try machine.call("user_write", .word(Self.user), .bytes(known + zeros))

            let outcome = try machine.call(
                "copy_struct_from_user",
                .word(buffer),
                .word(UInt64(kernelSize)),
                .word(Self.user),
                .word(UInt64(userSize))
            )

            #expect(outcome.word == 0)
            let rest = [UInt8](repeating: 0, count: kernelSize - known.count)
            let untouched = [UInt8](repeating: 0xee, count: 32 - kernelSize)
            #expect(try machine.read(buffer, 32) == known + rest + untouched)
        }
    }

    @Test func `what the kernel does not know must be zero`() throws {
        let (machine, buffer) = try Self.machine()
        try machine.call("user_write", .word(Self.user + 11), .bytes([1]))

        let outcome = try machine.call(
            "copy_struct_from_user",
            .word(buffer),
            8,
            .word(Self.user),
            16
        )

        #expect(outcome.result.errno == .E2BIG)
        #expect(try machine.read(buffer, 16) == [UInt8](repeating: 0xee, count: 16))
    }

    @Test func `disabled faults nest, and a page that is there is copied all the same`() throws {
        let (machine, buffer) = try Self.machine()
        try machine.call("pagefault_disable")
        try machine.call("pagefault_disable")
        try machine.call("pagefault_enable")
        #expect(try machine.call("copy_to_user", .word(Self.user), .word(buffer), 8).word == 8)

        try machine.call("pagefault_enable")
        #expect(try machine.call("copy_to_user", .word(Self.user), .word(buffer), 8).word == 0)
        try machine.call("pagefault_disable")
        #expect(try machine.call("copy_to_user", .word(Self.user), .word(buffer), 8).word == 0)
    }
}
