import Testing

@testable import KernelHeap

/// Copies that need no fault move bytes at once; what lies in their way is noticed all the same.
@Suite("User copies: the short way")
struct ReachedCopyTests {
    private static let user: UInt64 = 0x40_0000
    private static let pattern = (0..<16_384).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }

    private func bytes(_ machine: CallMachine, _ address: UInt64, _ count: Int) throws -> [UInt8] {
        let outcome = try machine.call("user_read", .word(address), .word(UInt64(count)))
        guard case .bytes(let bytes)? = outcome.fact("data") else { return [] }
        return bytes
    }

    /// A machine with four user pages and a block of four pages that holds the pattern.
    private func machine(_ options: String = "") throws -> (CallMachine, block: UInt64) {
        let machine = try CallMachine(options)
        try machine.call("mmap", .word(Self.user), 16_384, 3, 0x32)
        let block = try machine.call("__get_free_pages", 0xcc0, 2).word
        try machine.call("kernel_write", .word(block), .bytes(Self.pattern))
        return (machine, block)
    }

    //   kernel |  5|·········|····|      user   |shift|····|·········|
    @Test(
        "bytes land where they should, and no others change",
        arguments: [0, 1, 7, 8, 4_000, 4_091, 4_095]
    )
    func unaligned(shift: UInt64) throws {
        let (machine, block) = try machine()
        try machine.call(
            "user_write",
            .word(Self.user),
            .bytes([UInt8](repeating: 1, count: 16_384))
        )

        let stored = try machine.call(
            "copy_to_user",
            .word(Self.user + shift),
            .word(block + 5),
            9_000
        )
        let all = try bytes(machine, Self.user, 16_384)
        try machine.call("memset", .word(block), 0xee, 16_384)
        let loaded = try machine.call(
            "copy_from_user",
            .word(block + 3),
            .word(Self.user + shift),
            9_000
        )
        let back = try machine.read(block, 16_384)

        let part = Array(Self.pattern[5..<9_005])
        let before = [UInt8](repeating: 1, count: Int(shift))
        #expect(stored.word == 0 && loaded.word == 0)
        #expect(all.prefix(Int(shift)) == before[...])
        #expect(Array(all[Int(shift)..<Int(shift) + 9_000]) == part)
        #expect(all.dropFirst(Int(shift) + 9_000).allSatisfy { $0 == 1 })
        #expect(Array(back[3..<9_003]) == part)
        #expect(back.prefix(3).allSatisfy { $0 == 0xee })
        #expect(back.dropFirst(9_003).allSatisfy { $0 == 0xee })
    }

    @Test func `a copy of more pages than a TLB has places is whole`() throws {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), .word(300 << 12), 3, 0x32)
        let block = try machine.call("__get_free_pages", 0xcc0, 9).word
        for page in UInt64(0)..<300 {
            let marks = [UInt8(truncatingIfNeeded: page), UInt8(truncatingIfNeeded: page >> 8), 9]
            try machine.call("kernel_write", .word(block + page << 12 + 77), .bytes(marks))
        }

        let first = try machine.call(
            "copy_to_user",
            .word(Self.user),
            .word(block),
            .word(300 << 12)
        )
        let second = try machine.call(
            "copy_to_user",
            .word(Self.user),
            .word(block),
            .word(300 << 12)
        )

        #expect(first.word == 0 && second.word == 0)
        for page in UInt64(0)..<300 {
            let marks = [UInt8(truncatingIfNeeded: page), UInt8(truncatingIfNeeded: page >> 8), 9]
            #expect(try bytes(machine, Self.user + page << 12 + 77, 3) == marks, "\(page)")
        }
    }

    //   | touched | untouched |  hole  |
    @Test func `pages that a copy has to fault in go on where the others ended`() throws {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), 8_192, 3, 0x32)
        try machine.call("user_write", .word(Self.user), .bytes([1]))
        let block = try machine.call("__get_free_pages", 0xcc0, 2).word
        try machine.call("kernel_write", .word(block), .bytes(Self.pattern))

        let copy = try machine.call("copy_to_user", .word(Self.user + 100), .word(block), 12_000)
        let all = try bytes(machine, Self.user, 8_192)

        #expect(copy.word == 12_000 - (8_192 - 100))
        #expect(Array(all[100...]) == Array(Self.pattern[..<8_092]))
    }

    //   | object 0 … 28 | free pointer 32 | … 63 |     a store of 4 bytes reaches into the pointer
    @Test("a store into an object takes no free pointer along", arguments: 0...64)
    func freePointers(offset: UInt64) throws {
        let machine = try CallMachine("slub_nomerge")
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("mmap", .word(Self.user), 4_096, 3, 0x32)
        try machine.call("user_write", .word(Self.user), .bytes([0xa1, 0xa2, 0xa3, 0xa4]))
        var expected = try machine.read(object, 64)
        let count = min(4, 64 - offset)

        let copy = try machine.call(
            "copy_from_user",
            .word(object + offset),
            .word(Self.user),
            .word(count)
        )
        let now = try machine.read(object, 64)
        try machine.call("kfree", .word(object))
        let again = try machine.call("kmalloc", 64, 0xcc0).word
        let next = try machine.call("kmalloc", 64, 0xcc0).word

        for place in 0..<Int(count) { expected[Int(offset) + place] = 0xa1 + UInt8(place) }
        #expect(copy.word == 0 && copy.warnings.isEmpty)
        #expect(now == expected)
        #expect(again == object && next == object + 64)
        #expect(machine.violations.isEmpty)
    }

    @Test func `an object's stale free pointer reaches user space as it stands`() throws {
        let (machine, _) = try machine()
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let stands = try machine.read(object, 64)

        try machine.call("copy_to_user", .word(Self.user), .word(object), 64)

        #expect(stands.contains { $0 != 0 })
        #expect(try bytes(machine, Self.user, 64) == stands)
    }

    @Test func `beyond an object's end every copy is refused, and of a free one warned about`()
        throws
    {
        let (machine, _) = try machine("slub_nomerge")
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let long = try machine.call("copy_to_user", .word(Self.user), .word(object), 65)
        try machine.call("kfree", .word(object))
        let freed = try machine.call("copy_to_user", .word(Self.user), .word(object), 8)

        #expect(long.word == 65 && long.log.contains { $0.hasPrefix("kernel BUG") })
        #expect(freed.word == 0 && freed.warnings.map(\.name) == ["use_after_free"])
    }

    @Test func `a copy over a page table changes what the processor sees`() throws {
        let (machine, block) = try machine()
        try machine.call("user_write", .word(Self.user), .bytes([7, 7]))
        try machine.call("memset", .word(block), 0, 4_096)
        let leaf = try #require(
            machine.kernel.userLeaves(0, Self.user..<Self.user + 4_096).found.first
        )
        let entry = 0xffff_8880_0000_0000 + leaf.table << 12 + UInt64(leaf.index) * 8
        // A second page gives the eight zero bytes.
        try machine.call(
            "user_write",
            .word(Self.user + 4_096),
            .bytes([UInt8](repeating: 0, count: 8))
        )

        let copy = try machine.call("copy_from_user", .word(entry), .word(Self.user + 4_096), 8)

        #expect(copy.word == 0)
        #expect(try bytes(machine, Self.user, 2) == [0, 0])
    }

    @Test("values beside and across the end of a page", arguments: [1, 2, 4, 8] as [UInt64])
    func values(width: UInt64) throws {
        let (machine, _) = try machine()
        try machine.call(
            "user_write",
            .word(Self.user),
            .bytes([UInt8](repeating: 1, count: 8_192))
        )
        let mask: UInt64 = width == 8 ? .max : 1 << (width * 8) - 1
        for start in Self.user + 4_086..<Self.user + 4_098 {
            let value = 0x8877_6655_4433_2211 & mask
            let put = try machine.call("put_user", .word(value), .word(start), .word(width))
            let got = try machine.call("get_user", .word(start), .word(width))
            #expect(put.word == 0 && got.word == 0)
            #expect(got.fact("x") == .address(value))
            let around = try bytes(machine, start - 1, Int(width) + 2)
            #expect(around.first == 1 && around.last == 1)
            try machine.call(
                "user_write",
                .word(start),
                .bytes([UInt8](repeating: 1, count: Int(width)))
            )
        }
    }
}
