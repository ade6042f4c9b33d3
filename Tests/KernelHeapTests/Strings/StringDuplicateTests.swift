import Testing

@testable import KernelHeap

@Suite("Strings: copies of strings in kernel memory")
struct StringDuplicateTests {
    /// A string in a page, without anything behind it.
    private func string(_ text: String, on machine: CallMachine) throws -> UInt64 {
        let address = try machine.call("kzalloc", 64, 0xcc0).word
        try machine.call("kernel_write", .word(address), .bytes(Array(text.utf8)))
        return address
    }

    @Test func `a string is copied from where it lies`() throws {
        let machine = try CallMachine()
        let source = try string("sensor", on: machine)

        let whole = try machine.call("kstrdup", .word(source), 0xcc0)
        let part = try machine.call("kstrndup", .word(source), 3, 0xcc0).word
        let all = try machine.call("kstrndup", .word(source + 1), .word(.max), 0xcc0).word
        let raw = try machine.call("kmemdup_nul", .word(source + 4), 4, 0xcc0).word
        let null = try machine.call("kstrdup", 0, 0xcc0)

        #expect(try machine.read(whole.word, 7) == Array("sensor\0".utf8))
        #expect(try machine.read(part, 4) == Array("sen\0".utf8))
        #expect(try machine.read(all, 6) == Array("ensor\0".utf8))
        #expect(try machine.read(raw, 5) == Array("or\0\0\0".utf8))
        #expect(null.result.value == .pointer(0) && null.log.isEmpty)
        guard case .object(let object) = whole.result.detail else {
            Issue.record("no object: \(whole)")
            return
        }
        #expect(object.requested == 7)
    }

    @Test func `a string that ends nowhere is a fault before anything is allocated`() throws {
        let machine = try CallMachine()
        let area = try machine.call("vmalloc", 4_096).word
        try machine.call("memset", .word(area), 0x61, 4_096)

        let outcome = try machine.call("kstrdup", .word(area), 0xcc0)
        let bounded = try machine.call("kstrndup", .word(area), 4_096, 0xcc0)
        let wild = try machine.call("kstrdup", 3, 0xcc0)

        #expect(outcome.fact("fault") == .address(area + 4_096))
        #expect(outcome.result.value == .void)
        #expect(bounded.log.isEmpty && bounded.word != 0)
        #expect(wild.fact("fault") == .address(3))
    }

    @Test func `devices' copies are made from memory, too`() throws {
        let machine = try CallMachine()
        let source = try string("sensor", on: machine)
        try machine.call("device_register", "temperature")

        let copy = try machine.call("devm_kstrdup", "temperature", .word(source), 0xcc0).word
        let text = try machine.call("devm_kstrdup", "temperature", "text", 0xcc0).word
        let null = try machine.call("devm_kstrdup", "temperature", 0, 0xcc0)

        #expect(try machine.read(copy, 7) == Array("sensor\0".utf8))
        #expect(try machine.read(text, 5) == Array("text\0".utf8))
        #expect(null.result.value == .pointer(0))
    }

    @Test func `the sanitizer sees what is wrong with the string, and the copy is not made`() throws
    {
        let machine = try KasanMachine()
        let gone = try machine.pointer("kstrdup", "gone", 0xcc0)
        try machine.call("device_register", "temperature")
        #expect(try machine.kfree(gone) == [])

        let freed = try machine.call("kstrdup", .word(gone), 0xcc0)
        let raw = try machine.call("kmemdup_nul", .word(gone), 4, 0xcc0)
        let managed = try machine.call("devm_kmemdup", "temperature", .word(gone), 4, 0xcc0)

        #expect(freed.kasan.map(\.function) == ["strlen", "kstrdup"])
        #expect(freed.kasan.map(\.length) == [1, 5])
        #expect(raw.kasan.map(\.function) == ["kmemdup_nul"])
        #expect(managed.kasan.map(\.function) == ["devm_kmemdup"])
        #expect(freed.kasan.allSatisfy { $0.kind == .useAfterFree && $0.access == .read })
    }
}
