import Testing

@testable import KernelHeap

@Suite("KASAN: strings")
struct KasanStringTests {
    let machine: KasanMachine

    init() throws { machine = try KasanMachine() }

    /// An object of some bytes, all of them of one kind.
    private func object(_ size: UInt64, of byte: UInt64 = 0x61) throws -> UInt64 {
        let address = try machine.kmalloc(size)
        try machine.call("memset", .word(address), .word(byte), .word(size))
        return address
    }

    private func string(_ text: String) throws -> UInt64 {
        let bytes = Array(text.utf8) + [0]
        let address = try machine.kmalloc(UInt64(bytes.count))
        try machine.call("kernel_write", .word(address), .bytes(bytes))
        return address
    }

    @Test(
        "a string without an end is wrong from its object's end on",
        arguments: ["strlen", "strchr", "strrchr", "strcmp", "strstr"]
    )
    func unterminated(name: String) throws {
        let long = try object(13)

        let outcome = try machine.call(name, .word(long), .word(name == "strcmp" ? long : 0x62))
        let report = try #require(outcome.kasan.first)

        // The length of what is searched for is asked first: here of an address that is none.
        guard name != "strstr" else {
            #expect(report.function == "strlen" && report.kind == .nullDereference)
            return
        }
        #expect(report.function == name)
        #expect(report.firstBad.rawValue == long + 13 && report.address.rawValue == long + 13)
        #expect(report.length == 1 && report.access == .read)
        #expect(report.kind == .slabOutOfBounds)
        #expect(outcome.log.contains("BUG: KASAN: slab-out-of-bounds in \(name)+0x0/0x0"))
    }

    @Test func `strings that fit are not reported`() throws {
        let (one, other) = (try string("sensor"), try string("sensor0"))
        let room = try object(8, of: 0)

        for (name, third) in [("strcpy", 0), ("strncpy", 8), ("strlcpy", 8)] as [(String, UInt64)] {
            let outcome = try machine.call(name, .word(room), .word(other), .word(third))
            #expect(outcome.warnings == [], "\(name)")
        }
        #expect(try machine.call("strcmp", .word(one), .word(other)).warnings == [])
        #expect(try machine.call("strscpy", .word(room), .word(one), 8).warnings == [])
        #expect(try machine.call("strnlen", .word(room), 8).warnings == [])
        #expect(try machine.call("memcmp", .word(one), .word(other), 6).warnings == [])
    }

    @Test func `strcpy into too little room is a store of one byte behind the object`() throws {
        let source = try string("0123456789")
        let target = try machine.kmalloc(10)

        let outcome = try machine.call("strcpy", .word(target), .word(source))
        let report = try #require(outcome.kasan.first)

        #expect(outcome.kasan.count == 1)
        #expect(report.access == .write && report.length == 1)
        #expect(report.firstBad.rawValue == target + 10)
        #expect(report.function == "strcpy")
        #expect(outcome.result.value == .pointer(target))
    }

    @Test func `of both sides the one that is wrong first is told first`() throws {
        let source = try object(10)
        let target = try machine.kmalloc(8)
        try machine.call("kernel_write", .word(source + 14), .bytes([0]))

        let kasan = try machine.call("strcpy", .word(target), .word(source)).kasan

        #expect(kasan.map(\.access) == [.write, .read])
        #expect(kasan.map(\.firstBad.rawValue) == [target + 8, source + 10])
    }

    @Test func `strncpy pads what it may not touch, and reads no byte behind the NUL`() throws {
        let source = try string("abc")
        let target = try machine.kmalloc(16)

        let kasan = try machine.call("strncpy", .word(target), .word(source), 20).kasan
        let sound = try machine.call("strncpy", .word(target), .word(source), 16).kasan

        #expect(kasan.map(\.access) == [.write])
        #expect(kasan.map(\.firstBad.rawValue) == [target + 16])
        #expect(sound == [])
    }

    // read_word_at_a_time() asks about the first byte of a word only; the store is a whole word.
    @Test func `strscpy stores words, and asks about the first byte of those it loads`() throws {
        let source = try string("0123456789")
        let (narrow, wide) = (try machine.kmalloc(11), try machine.kmalloc(16))

        let stored = try machine.call("strscpy", .word(narrow), .word(source), 16).kasan
        let sound = try machine.call("strscpy", .word(wide), .word(source), 16).kasan
        let exact = try machine.call("strscpy", .word(narrow), .word(source), 11).kasan

        #expect(sound == [] && exact == [])
        #expect(stored.map(\.function) == ["strscpy"])
        #expect(stored.map(\.address.rawValue) == [narrow + 8])
        #expect(stored.map(\.length) == [8])
        #expect(stored.map(\.firstBad.rawValue) == [narrow + 11])
    }

    @Test func `strscpy of a string without an end is told by the first word behind it`() throws {
        let (source, target) = (try object(16), try machine.kmalloc(64))

        let kasan = try machine.call("strscpy", .word(target), .word(source), 64).kasan

        #expect(kasan.first?.function == "read_word_at_a_time")
        #expect(kasan.first?.address.rawValue == source + 16)
        #expect(kasan.first?.length == 1)
    }

    @Test func `strlcpy reads all of a string that it cuts`() throws {
        let (source, target) = (try object(24), try machine.kmalloc(8))

        let kasan = try machine.call("strlcpy", .word(target), .word(source), 8).kasan
        let small = try machine.call("strlcpy", .word(target), .word(try string("123456789")), 9)
        let kept = try machine.calls.read(target, 8)

        #expect(kasan.map(\.function) == ["strlen"])
        #expect(kasan.map(\.firstBad.rawValue) == [source + 24])
        // Eight bytes and a NUL: the copy fits, the NUL does not.
        #expect(small.kasan.map(\.function) == ["strlcpy"])
        #expect(small.kasan.map(\.firstBad.rawValue) == [target + 8])
        #expect(kept == Array("12345678".utf8))
    }

    @Test func `a freed string is told as a use after free by each function`() throws {
        let (gone, other) = (try string("sensor"), try string("sensor"))
        #expect(try machine.kfree(gone) == [])

        for name in ["strlen", "strcmp", "strchr", "memchr", "memchr_inv", "memcmp", "strcat"] {
            let kasan = try machine.call(name, .word(gone), .word(other), 4).kasan
            #expect(kasan.first?.kind == .useAfterFree, "\(name)")
            #expect(kasan.first?.function == name)
            #expect(kasan.first?.firstBad.rawValue == gone, "\(name)")
        }
    }

    @Test func `memcmp asks about words, and about bytes at the end`() throws {
        let (short, long) = (try object(12), try object(64))

        let words = try machine.call("memcmp", .word(long), .word(short), 16).kasan
        let bytes = try machine.call("memcmp", .word(long), .word(short), 14).kasan

        #expect(words.map(\.address.rawValue) == [short + 8] && words.map(\.length) == [8])
        #expect(bytes.map(\.address.rawValue) == [short + 12] && bytes.map(\.length) == [1])
    }

    @Test func `memmove that is reported moves nothing`() throws {
        let (short, long) = (try object(12, of: 1), try object(64, of: 2))

        let outcome = try machine.call("memmove", .word(short), .word(long), 13)
        let bytes = try machine.calls.read(short, 12)

        #expect(outcome.kasan.map(\.function) == ["memmove"])
        #expect(outcome.kasan.map(\.access) == [.write])
        #expect(outcome.result.value == .pointer(0))
        #expect(bytes == [UInt8](repeating: 1, count: 12))
    }

    @Test func `a decision on bytes that nobody wrote names the function`() throws {
        let fresh = try machine.kmalloc(32)
        let known = try string("known")
        try machine.call("kernel_write", .word(fresh), .bytes([0x6b, 0x6e]))

        let compared = try machine.call("memcmp", .word(fresh), .word(known), 2)
        let wrong = try machine.call("memchr_inv", .word(fresh), 0x6b, 2)
        let length = try machine.call("strnlen", .word(fresh), 8)

        #expect(compared.warnings == [] && wrong.warnings == [])
        let isZero = length.word == 2
        #expect(length.warnings.map(\.name) == ["uninitialized_value"])
        #expect(length.log.contains("BUG: KMSAN: uninit-value in strnlen+0x0/0x0"))
        #expect(isZero || length.word > 2)
    }

    @Test func `what strcpy stored counts as written`() throws {
        let source = try string("written")
        let target = try machine.kmalloc(32)
        try machine.call("strcpy", .word(target), .word(source))

        let written = try machine.call("strlen", .word(target))
        let behind = try machine.call("kernel_read", .word(target), 9, 1)

        #expect(written.word == 7 && written.warnings == [])
        #expect(behind.log.contains("Byte 8 of 9 is uninitialized"))
    }
}
