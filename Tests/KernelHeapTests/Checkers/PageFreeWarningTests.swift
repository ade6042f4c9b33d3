import Testing

@testable import KernelHeap

/// Frees of pages that the page allocator lets pass, and says nothing of.
@Suite("Warnings: frees of pages")
struct PageFreeWarningTests {
    private static let flags: CallMachine.Argument = 0xcc0

    @Test("a block freed twice", arguments: ["", "page_owner=on"], [UInt64(0), 1, 4, 9])
    func twice(options: String, order: UInt64) throws {
        let machine = try CallMachine(options)
        let block = try machine.call("__get_free_pages", Self.flags, .word(order)).word
        let first = try machine.call("free_pages", .word(block), .word(order))
        let second = try machine.call("free_pages", .word(block), .word(order))

        #expect(first.warnings.isEmpty)
        #expect(second.warnings.map(\.name) == ["double_free"])
        let isOK = machine.kernel.verdict(limit: 10).isOK
        #expect(!isOK)
    }

    @Test("a block freed with another order", arguments: [(2, 0), (2, 1), (0, 2), (3, 9)])
    func otherOrder(real: Int, given: Int) throws {
        let machine = try CallMachine()
        let block = try machine.call("alloc_pages", Self.flags, .word(UInt64(real)))
        let freed = try machine.call("__free_pages", .word(block.word), .word(UInt64(given)))

        let warning = try #require(freed.warnings.first)
        #expect(freed.warnings.count == 1)
        #expect(warning.name == "wrong_order" && warning.calls == [block.sequence])
        let losesPages = warning.sentence.contains("never come back")
        #expect(losesPages == (given < real))
    }

    @Test func `a page inside a block`() throws {
        let machine = try CallMachine()
        let block = try machine.call("__get_free_pages", Self.flags, 2)
        let freed = try machine.call("free_page", .word(block.word + 4_096))

        #expect(freed.warnings.map(\.name) == ["invalid_free"])
    }

    @Test func `put_page of a block that is not compound loses the rest`() throws {
        let machine = try CallMachine()
        let plain = try machine.call("alloc_pages", Self.flags, 1).word
        let whole = try machine.call("alloc_pages", 0x40cc0, 1).word

        #expect(try machine.call("put_page", .word(plain)).warnings.map(\.name) == ["wrong_order"])
        #expect(try machine.call("put_page", .word(whole)).warnings.isEmpty)
    }

    @Test func `sound frees are passed over`() throws {
        let machine = try CallMachine()
        for order in UInt64(0)...10 {
            let block = try machine.call("alloc_pages", Self.flags, .word(order)).word
            #expect(try machine.call("__free_pages", .word(block), .word(order)).warnings == [])
        }
        let shared = try machine.call("alloc_pages", Self.flags, 2).word
        try machine.call("get_page", .word(shared))
        #expect(try machine.call("__free_pages", .word(shared), 2).warnings == [])
        #expect(try machine.call("__free_pages", .word(shared), 0).warnings == [])
        let split = try machine.call("alloc_pages", Self.flags, 2).word
        try machine.call("split_page", .word(split), 2)
        for place in UInt64(0)..<4 {
            let page = split + place * 64
            #expect(try machine.call("__free_pages", .word(page), 0).warnings == [])
        }
        let exact = try machine.call("alloc_pages_exact", 12_288, Self.flags).word
        #expect(try machine.call("free_pages_exact", .word(exact), 12_288).warnings == [])
        let verdict = machine.kernel.verdict(limit: 10)
        #expect(verdict.isOK)
    }
}
