import KernelHeap
import TestSupport
import Testing

@Suite("kmalloc's family")
struct KmallocFamilyTests {
    @Test("kmalloc_size_roundup equals the recording", arguments: KmallocTable.setups)
    func roundup(setup: KmallocTable.Setup) throws {
        let pairs = try KmallocTable.named(setup.name).kmallocSizeRoundup
        let machine = try CallMachine(setup.bootOptions, cpus: setup.cpus)

        #expect(pairs.count > 60)
        for pair in pairs {
            let rounded = try machine.call("kmalloc_size_roundup", .word(pair[0])).word
            #expect(rounded == pair[1], "\(pair[0])")
        }
    }

    @Test("krealloc, kcalloc and kmemdup act as recorded", arguments: KmallocTable.setups)
    func corners(setup: KmallocTable.Setup) throws {
        let table = try KmallocTable.named(setup.name)
        let machine = try CallMachine(setup.bootOptions, cpus: setup.cpus)
        func ksize(_ address: UInt64) throws -> UInt64 {
            try machine.call("ksize", .word(address)).word
        }
        func krealloc(_ address: UInt64, _ size: UInt64) throws -> UInt64 {
            try machine.call("krealloc", .word(address), .word(size), 0xcc0).word
        }
        func name(_ address: UInt64) -> String {
            address == 0 ? "NULL" : address == 16 ? "ZERO_SIZE_PTR" : "ptr"
        }

        let ten = try machine.call("kmalloc", 10, 0xcc0).word
        let fourteen = try krealloc(ten, 14)
        let seventeen = try krealloc(fourteen, 17)
        let roomOf17 = try ksize(seventeen)
        let three = try krealloc(seventeen, 3)
        let roomOf3 = try ksize(three)
        let zero = try krealloc(three, 0)
        let nullZero = try krealloc(0, 0)
        let five = try krealloc(16, 5)
        let roomOf5 = try ksize(five)
        let overflow = try machine.call("kcalloc", .word(1 << 40), .word(1 << 40), 0xcc0).word
        let none = try machine.call("kcalloc", 0, 8, 0xcc0).word
        let array = try machine.call(
            "krealloc_array",
            .word(five),
            .word(1 << 40),
            .word(1 << 40),
            0xcc0
        ).word
        let copy = try machine.call("kmemdup", .word(five), 0, 0xcc0).word
        let roomOfNull = try ksize(0)
        let roomOfNothing = try ksize(16)

        #expect((ten == fourteen) == table.krealloc10To14Same)
        #expect((fourteen == seventeen) == table.krealloc14To17Same)
        #expect(roomOf17 == table.ksize17)
        #expect((seventeen == three) == table.krealloc17To3Same)
        #expect(roomOf3 == table.ksizeAfterShrink)
        #expect(name(zero) == table.kreallocTo0)
        #expect(name(nullZero) == table.kreallocNull0)
        #expect(roomOf5 == table.kreallocZsp5Ksize)
        #expect(name(overflow) == table.kcallocOverflow)
        #expect(name(none) == table.kcalloc08)
        #expect(name(array) == table.kreallocArrayOverflow)
        #expect(name(copy) == table.kmemdup0)
        #expect(roomOfNull == table.ksizeNull)
        #expect(roomOfNothing == table.ksizeZeroSizePtr)
        #expect(machine.violations.isEmpty)
    }

    @Test func `krealloc moves all old bytes, and clears only what is new memory`() throws {
        let machine = try CallMachine()
        let old = try machine.call("kmalloc", 40, 0xcc0).word
        try machine.call("kernel_write", .word(old), .bytes((0..<64).map { UInt8($0) }))

        let new = try machine.call("krealloc", .word(old), 100, 0xdc0).word
        let bytes = try machine.read(new, 128)
        try machine.call("kernel_write", .word(new), .bytes([UInt8](repeating: 0xaa, count: 128)))
        let same = try machine.call("krealloc", .word(new), 120, 0xdc0).word
        let kept = try machine.read(same, 128)

        #expect(new != old)
        // All 64 bytes that the old memory had are copied, not the 40 that were asked for.
        #expect(bytes == (0..<64).map { UInt8($0) } + [UInt8](repeating: 0, count: 64))
        #expect(same == new)
        #expect(kept == [UInt8](repeating: 0xaa, count: 128))
        #expect(try machine.cache("kmalloc-64").liveObjects == 0)
    }

    @Test func `krealloc that finds no memory leaves the old memory alone`() throws {
        let machine = try CallMachine()
        let old = try machine.call("kmalloc", 40, 0xcc0).word

        let new = try machine.call("krealloc", .word(old), .word(1 << 30), 0xcc0).word

        #expect(new == 0)
        #expect(try machine.cache("kmalloc-64").liveObjects == 1)
    }

    @Test func `strings are copied with their NUL, and NULL stays NULL`() throws {
        let machine = try CallMachine()

        let whole = try machine.call("kstrdup", "hello", 0xcc0)
        let part = try machine.call("kstrndup", "hello", 3, 0xcc0).word
        let all = try machine.call("kstrndup", "hello", .word(.max), 0xcc0).word
        let raw = try machine.call("kmemdup_nul", "hello", 7, 0xcc0).word
        let null = try machine.call("kstrdup", .absent, 0xcc0).word
        let copy = try machine.call("kmemdup", .word(whole.word), 6, 0xcc0).word

        #expect(try machine.read(whole.word, 6) == Array("hello\0".utf8))
        #expect(try machine.read(part, 4) == Array("hel\0".utf8))
        #expect(try machine.read(all, 6) == Array("hello\0".utf8))
        #expect(try machine.read(raw, 8) == Array("hello\0\0\0".utf8))
        #expect(null == 0)
        #expect(try machine.read(copy, 6) == Array("hello\0".utf8))
        guard case .object(let object) = whole.result.detail else {
            Issue.record("no object: \(whole)")
            return
        }
        #expect(object.requested == 6 && object.allocated == 8)
    }

    @Test func `kmemdup of memory that is not there is a fault of the kernel`() throws {
        let machine = try CallMachine()

        let outcome = try machine.call("kmemdup", .word(0x1000), 64, 0xcc0)

        #expect(outcome.log.first?.hasPrefix("BUG: unable to handle page fault") == true)
    }

    @Test func `kmalloc shows what the last owner wrote, unless somebody cleared it`() throws {
        let machine = try CallMachine()
        let secret = [UInt8](repeating: 0x5a, count: 64)
        let first = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kernel_write", .word(first), .bytes(secret))
        try machine.call("kfree", .word(first))

        let second = try machine.call("kmalloc", 64, 0xcc0).word
        let stale = try machine.read(second, 64)
        try machine.call("kfree", .word(second))
        let cleared = try machine.call("kzalloc", 64, 0xcc0).word
        let zeros = try machine.read(cleared, 64)
        try machine.call("kernel_write", .word(cleared), .bytes(secret))
        try machine.call("kfree_sensitive", .word(cleared))
        let last = try machine.call("kmalloc", 64, 0xcc0).word
        let wiped = try machine.read(last, 64)

        #expect(second == first && cleared == first && last == first)
        // The middle word holds the free pointer of a free object on a real machine.
        #expect(stale.prefix(32) == secret.prefix(32) && stale.suffix(24) == secret.suffix(24))
        #expect(zeros == [UInt8](repeating: 0, count: 64))
        #expect(wiped.prefix(32).allSatisfy { $0 == 0 } && wiped.suffix(24).allSatisfy { $0 == 0 })
    }

    @Test(
        "init_on_alloc and init_on_free clear what kmalloc leaves",
        arguments: ["init_on_alloc=1", "init_on_free=1"]
    )
    func initialisation(option: String) throws {
        let machine = try CallMachine(option)
        let first = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call(
            "kernel_write",
            .word(first),
            .bytes([UInt8](repeating: 0x5a, count: 64))
        )
        try machine.call("kfree", .word(first))

        let second = try machine.call("kmalloc", 64, 0xcc0).word
        let bytes = try machine.read(second, 64)

        #expect(second == first)
        #expect(bytes == [UInt8](repeating: 0, count: 64))
    }
}
