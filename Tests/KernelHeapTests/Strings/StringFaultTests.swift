import Testing

@testable import KernelHeap

@Suite("Strings: faults, limits, and what the kernel refuses")
struct StringFaultTests {
    let machine: CallMachine
    /// One page without a NUL; its guard page comes behind.
    let area: UInt64
    let page: UInt64

    init() throws {
        machine = try CallMachine()
        area = try machine.call("vmalloc", 4_096).word
        page = try machine.call("__get_free_pages", 0xcc0, 1).word
        try machine.call("memset", .word(area), 0x61, 4_096)
        try machine.call("memset", .word(page), 0, 8_192)
    }

    @Test(
        "a string without an end is read up to the guard page",
        arguments: ["strlen", "strchr", "strrchr", "strcmp", "strstr", "strlcpy", "strcat"]
    )
    func unterminated(name: String) throws {
        let outcome =
            switch name {
            case "strlen": try machine.call(name, .word(area + 4))
            case "strchr", "strrchr": try machine.call(name, .word(area + 4), 0x62)
            case "strcmp": try machine.call(name, .word(area + 4), .word(area + 4))
            case "strlcpy": try machine.call(name, .word(page), .word(area + 4), 8)
            default: try machine.call(name, .word(area + 4), .word(area + 4))
            }

        #expect(outcome.fact("fault") == .address(area + 4_096))
        #expect(outcome.fact("error_code") == .number(0))
        #expect(outcome.result.value == .void)
        #expect(outcome.log.contains { $0.contains("unable to handle page fault") })
    }

    @Test func `strcpy stores what it has loaded when the next load faults`() throws {
        let outcome = try machine.call("strcpy", .word(page), .word(area + 4_000))
        let stored = try machine.read(page, 97)

        #expect(outcome.fact("stored") == .count(96))
        #expect(outcome.fact("fault") == .address(area + 4_096))
        #expect(stored == [UInt8](repeating: 0x61, count: 96) + [0])
    }

    @Test func `strcpy into too little room faults at the guard page`() throws {
        try machine.call("memset", .word(page), 0x62, 200)

        let outcome = try machine.call("strcpy", .word(area + 4_000), .word(page))
        let stored = try machine.read(area + 4_000, 96)

        #expect(outcome.fact("stored") == .count(96))
        #expect(outcome.fact("fault") == .address(area + 4_096))
        #expect(outcome.fact("error_code") == .number(2))
        #expect(stored == [UInt8](repeating: 0x62, count: 96))
    }

    //   | a b c 0 . . . .     strcpy(p + 1, p): each store is the next load, and no NUL is left
    @Test func `strcpy one byte ahead of itself fills all up to the fault`() throws {
        try machine.call("kernel_write", .word(area + 100), .bytes([1, 2, 0, 3]))

        let outcome = try machine.call("strcpy", .word(area + 101), .word(area + 100))
        let bytes = try machine.read(area, 4_096)

        #expect(outcome.fact("fault") == .address(area + 4_096))
        #expect(bytes[100...].allSatisfy { $0 == 1 })
        #expect(bytes[99] == 0x61)
    }

    @Test func `strcpy through a second mapping of its page overlaps all the same`() throws {
        let frame = try machine.call("alloc_page", 0xcc0).word
        let low = try machine.call("page_address", .word(frame)).word
        let high = try machine.call("vmap", .words([frame]), 1, 4, 3).word
        try machine.call("kernel_write", .word(low), .bytes([1, 2, 3, 0]))

        let outcome = try machine.call("strcpy", .word(high + 3), .word(low))
        let bytes = try machine.read(low, 4_096)

        #expect(outcome.fact("fault") == .address(high + 4_096))
        #expect(bytes.enumerated().allSatisfy { $1 == UInt8($0 % 3 + 1) })
    }

    @Test func `zeros without an end are given up`() throws {
        // A device takes what is stored, and shows nothing of it.
        let device = try machine.call("ioremap", 0xf000_0000, .word(2 * Kernel.stringLimit)).word

        let fill = try machine.call("strncpy", .word(device), .word(page), .word(.max))
        let behind = try machine.call("strncpy", .word(area), .word(page), .word(.max))

        #expect(fill.fact("unfinished") == .boolean(true))
        #expect(fill.fact("stored") == .count(Kernel.stringLimit + 1))
        #expect(fill.result.value == .void && fill.log.isEmpty)
        #expect(behind.fact("fault") == .address(area + 4_096))
        #expect(behind.fact("stored") == .count(4_096))
    }

    @Test func `addresses that are none end every function at their first byte`() throws {
        for name in ["strlen", "strchr", "strcmp", "strcpy", "strcat", "memchr_inv", "memscan"] {
            for address: UInt64 in [0, 16, 0x4000_0000, 0x8000_0000_0000, .max] {
                let outcome = try machine.call(name, .word(address), .word(address), 8)

                #expect(outcome.fact("fault") != nil, "\(name) \(address)")
                #expect(outcome.fact("stored") ?? .count(0) == .count(0), "\(name) \(address)")
            }
        }
    }

    @Test func `nothing is touched where there is nothing to look at`() throws {
        let calls = [
            ("strnlen", [8, 0]), ("strnchr", [8, 0, 1]), ("strncmp", [8, 8, 0]),
            ("memcmp", [8, 8, 0]), ("memchr", [8, 1, 0]), ("memscan", [8, 1, 0]),
            ("memchr_inv", [8, 1, 0]), ("strncpy", [8, 8, 0]), ("strncat", [8, 8, 0]),
            ("memmove", [8, 8, 0]), ("strscpy", [8, 8, 0]),
        ]
        for (name, words) in calls {
            let outcome = try machine.call(name, words.map { .word(UInt64($0)) })

            #expect(outcome.log.isEmpty, "\(name)")
        }
    }

    @Test func `strlcat with less room than the string has is a BUG`() throws {
        try machine.call("kernel_write", .word(page), .bytes(Array("four".utf8)))

        let outcome = try machine.call("strlcat", .word(page), .word(page + 100), 4)
        let sound = try machine.call("strlcat", .word(page), .word(page + 100), 5)

        #expect(outcome.log.contains("kernel BUG at lib/string.c!"))
        #expect(outcome.result.value == .void)
        #expect(sound.result.value == .unsigned(4) && sound.log.isEmpty)
    }

    @Test func `strscpy of more than INT_MAX bytes warns once and refuses`() throws {
        let first = try machine.call("strscpy", .word(page), .word(area), .word(1 << 31))
        let second = try machine.call("strscpy", .word(page), .word(area), .word(.max))
        let largest = try machine.call("strscpy", .word(page), .word(page + 8), .word(1 << 31 - 1))

        #expect(first.result.errno == .E2BIG && second.result.errno == .E2BIG)
        #expect(first.log.contains { $0.contains("at lib/string.c strscpy") })
        #expect(second.log.isEmpty)
        #expect(largest.result.value == .integer(0))
    }

    //   source  …a a a a a a|guard page      the string ends in its page: no word is loaded across
    @Test func `strscpy loads no word that leaves the page of an unaligned string`() throws {
        try machine.call("kernel_write", .word(area + 4_095), .bytes([0]))

        let outcome = try machine.call("strscpy", .word(page), .word(area + 4_085), 64)

        #expect(outcome.result.value == .integer(10))
        #expect(outcome.log.isEmpty)
    }

    //   target  … 4 094 4 095|guard page      a word that leaves the page is not stored at all
    @Test func `strscpy stores no part of a word whose store faults`() throws {
        try machine.call("memset", .word(page), 0x62, 64)

        let outcome = try machine.call("strscpy", .word(area + 4_084), .word(page), 64)
        let bytes = try machine.read(area + 4_084, 12)

        #expect(outcome.fact("fault") == .address(area + 4_096))
        #expect(outcome.fact("stored") == .count(8))
        #expect(bytes == [UInt8](repeating: 0x62, count: 8) + [0x61, 0x61, 0x61, 0x61])
    }

    @Test func `memcmp loads words, and faults though a byte before decides`() throws {
        try machine.call("memset", .word(page), 0x62, 64)

        let wide = try machine.call("memcmp", .word(area + 4_092), .word(page), 8)
        let narrow = try machine.call("memcmp", .word(area + 4_092), .word(page), 7)

        #expect(wide.fact("fault") == .address(area + 4_096))
        #expect(narrow.result.value == .integer(-1))
    }

    @Test func `functions that 2.6.20 does not have are refused there`() throws {
        var description = MachineDescription()
        description.profile = "linux-2.6-i386"
        let old = try CallMachine(description)

        for name in ["strscpy", "strscpy_pad", "strnstr", "memchr_inv"] {
            #expect(try old.call(name, 0, 0, 1).result.errno == .ENOSYS, "\(name)")
        }
    }

    //   a a a … a a|a a … a a b 0      what is searched for is the second half
    @Test func `strstr of many letters alike takes a step or two for each`() throws {
        let half: UInt64 = 512 << 10
        let long = try machine.call("vmalloc", .word(2 * half + 4_096)).word
        try machine.call("memset", .word(long), 0x61, .word(2 * half))
        try machine.call("kernel_write", .word(long + 2 * half), .bytes([0x62, 0]))

        let outcome = try machine.call("strstr", .word(long), .word(long + half))

        #expect(outcome.result.value == .pointer(long + half))
    }
}
