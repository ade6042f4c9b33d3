import Testing

@testable import KernelHeap

@Suite("Kernel memory: memcpy and memcmp")
struct MemoryCopyTests {
    @Test func `bytes go from one place to another, across pages`() throws {
        let machine = try CallMachine()
        let from = try machine.call("vmalloc", 12_288).word
        let to = try machine.call("__get_free_pages", 0xcc0, 2).word
        let pattern = (0..<9_000).map { UInt8(truncatingIfNeeded: $0 * 3 + 1) }
        try machine.call("kernel_write", .word(from + 11), .bytes(pattern))
        try machine.call("memset", .word(to), 0xee, 16_384)

        let copy = try machine.call("memcpy", .word(to + 4_090), .word(from + 11), 9_000)
        let all = try machine.read(to, 16_384)
        let same = try machine.call("memcmp", .word(to + 4_090), .word(from + 11), 9_000)
        try machine.call("kernel_write", .word(to + 4_090 + 8_000), .bytes([0]))
        let less = try machine.call("memcmp", .word(to + 4_090), .word(from + 11), 9_000)

        #expect(copy.word == to + 4_090 && copy.log.isEmpty)
        #expect(Array(all[4_090..<13_090]) == pattern)
        #expect(all[4_089] == 0xee && all[13_090] == 0xee)
        #expect(same.word == 0)
        #expect(Int64(bitPattern: less.word) == 0 - Int64(pattern[8_000]))
    }

    @Test func `memcpy ends with an oops where the source or the target does`() throws {
        let machine = try CallMachine()
        let area = try machine.call("vmalloc", 4_096).word
        let page = try machine.call("__get_free_pages", 0xcc0, 1).word
        try machine.call("memset", .word(page), 5, 8_192)

        let stored = try machine.call("memcpy", .word(area), .word(page), 4_100)
        let loaded = try machine.call("memcpy", .word(page), .word(area), 4_100)
        let byte = try machine.read(area + 4_095, 1)

        #expect(stored.fact("fault") == .address(area + 4_096))
        #expect(stored.fact("error_code") == .number(2))
        #expect(loaded.fact("fault") == .address(area + 4_096))
        #expect(loaded.fact("error_code") == .number(0))
        #expect(byte == [5])
    }

    @Test func `memcpy beyond an object is seen`() throws {
        let machine = try CallMachine("slub_nomerge")
        let small = try machine.call("kmalloc", 32, 0xcc0).word
        let large = try machine.call("kmalloc", 128, 0xcc0).word

        let copy = try machine.call("memcpy", .word(small), .word(large), 40)

        #expect(copy.warnings.map(\.name) == ["out_of_bounds"])
    }
}
