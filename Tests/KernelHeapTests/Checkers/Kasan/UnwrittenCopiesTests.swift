import TestSupport
import Testing

@testable import KernelHeap

@Suite("KASAN: copies of bytes that nobody wrote")
struct UnwrittenCopiesTests {
    static let user: UInt64 = 0x1000_0000

    let machine: KasanMachine

    init() throws {
        machine = try KasanMachine()
        try machine.call("mmap", .word(Self.user), 65_536, 3, 0x32, 0, 0)
    }

    /// What `copy_to_user()` is told of so many bytes at an address.
    private func leak(_ address: UInt64, _ length: UInt64) throws -> [String] {
        let target = CallMachine.Argument.word(Self.user)
        let outcome = try machine.call("copy_to_user", target, .word(address), .word(length))
        return outcome.log.filter { $0.hasPrefix("Byte") }
    }

    //   a   | written 16 | 48 that nobody wrote |
    //   b   | written 16 | 48 that nobody wrote |     ← memcpy(b, a, 64)
    @Test(arguments: ["memcpy", "memmove"])
    func `a copy is written where what was copied is`(function: String) throws {
        let one = try machine.kmalloc(64)
        let other = try machine.pointer("kzalloc", 64, 0xcc0)
        #expect(try machine.write(one, 16) == [])

        let copy = try machine.call(function, .word(other), .word(one), 64)

        #expect(copy.warnings == [])
        #expect(try leak(other, 64) == ["Bytes 16-63 of 64 are uninitialized"])
        #expect(try machine.write(other + 16, 48) == [])
        #expect(try leak(other, 64) == [])
    }

    @Test func `what a copy from user space brings is written, and carried on`() throws {
        let one = try machine.kmalloc(64)
        let other = try machine.kmalloc(64)
        try machine.call("copy_from_user", .word(one), .word(Self.user), 40)
        try machine.call("memcpy", .word(other), .word(one), 64)

        #expect(try leak(other, 40) == [])
        #expect(try leak(other + 8, 56) == ["Bytes 32-55 of 56 are uninitialized"])
    }

    @Test func `krealloc and kmemdup carry unwritten bytes to new objects`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.write(object, 8) == [])
        let double = try machine.pointer("kmemdup", .word(object), 64, 0xcc0)
        let larger = try machine.pointer("krealloc", .word(object), 200, 0xdc0)

        #expect(try leak(double, 64) == ["Bytes 8-63 of 64 are uninitialized"])
        // __GFP_ZERO cleared all of it before the old bytes came.
        #expect(try leak(larger, 200) == ["Bytes 8-63 of 200 are uninitialized"])
    }

    //   | 0-7 written | 8-15 | 16-23 written | 24-31 |     → memmove by 8 bytes up, and down
    @Test func `a move that overlaps itself carries what was there before`() throws {
        let object = try machine.pointer("kzalloc", 64, 0xcc0)
        let fresh = try machine.kmalloc(64)
        try machine.call("memcpy", .word(object + 8), .word(fresh), 8)
        try machine.call("memcpy", .word(object + 24), .word(fresh), 8)

        try machine.call("memmove", .word(object + 8), .word(object), 32)

        #expect(try leak(object, 16) == [])
        #expect(try leak(object + 16, 8) == ["Bytes 0-7 of 8 are uninitialized"])
        #expect(try leak(object + 24, 8) == [])
        #expect(try leak(object + 32, 8) == ["Bytes 0-7 of 8 are uninitialized"])
        #expect(try leak(object + 40, 24) == [])
    }

    @Test func `devm_krealloc carries what is known of the bytes`() throws {
        try machine.call("device_register", "d")
        let managed = try machine.pointer("devm_kmalloc", "d", 64, 0xcc0)
        #expect(try machine.write(managed, 60) == [])

        let larger = try machine.pointer("devm_krealloc", "d", .word(managed), 400, 0xcc0)

        #expect(larger != managed)
        #expect(try leak(larger, 60) == [])
        #expect(try leak(larger, 62) == ["Bytes 60-61 of 62 are uninitialized"])
    }

    @Test func `objects with very many unwritten parts count as written`() throws {
        let one = try machine.kmalloc(512)
        let other = try machine.kmalloc(512)
        for part in UInt64(0)..<128 { #expect(try machine.write(one + part * 4, 2) == []) }
        try machine.call("memcpy", .word(other), .word(one), 512)

        #expect(try leak(one, 512) == [])
        #expect(try leak(other, 512) == [])
    }

    @Test("reports say what a model of every byte says", arguments: UInt64(1)...6)
    func objectsFollowTheModel(seed: UInt64) throws {
        var model = try UnwrittenModel(seed: seed, unit: 1)
        for _ in 0..<600 {
            if model.regions.count < 6 {
                let function = model.random.oneIn(4) ? "kzalloc" : "kmalloc"
                try model.addObject(1 + model.random.below(60), function)
            } else if model.random.oneIn(20) || model.regions.contains(where: { $0.size > 96 }) {
                try model.freeOne()
            }
            try model.step()
        }

        #expect(model.reports > 50)
        #expect(model.machine.calls.violations == [])
    }

    @Test func `parts that are forgotten merge with their neighbours`() {
        var written = WrittenBytes(capacity: 2)
        written.forget(0x1000, 0x1010..<0x1020)
        written.forget(0x1000, 0x1030..<0x1040)
        #expect(written.unwritten(0x1000, 0x1000..<0x1100) == [0x1010..<0x1020, 0x1030..<0x1040])
        written.forget(0x1000, 0x1020..<0x1030)
        #expect(written.unwritten(0x1000, 0x1000..<0x1100) == [0x1010..<0x1040])
        written.forget(0x1000, 0x1000..<0x1004)
        written.forget(0x1000, 0x1018..<0x1050)
        #expect(written.unwritten(0x1000, 0x1000..<0x1100) == [0x1000..<0x1004, 0x1010..<0x1050])

        written.forget(0x2000, 0x2000..<0x2008)
        written.forget(0x3000, 0x3000..<0x3008)
        #expect(!written.hasGaps(0x3000))
        written.end(0x1000)
        written.end(0x2000)
        #expect(written.isEmpty)
    }
}
