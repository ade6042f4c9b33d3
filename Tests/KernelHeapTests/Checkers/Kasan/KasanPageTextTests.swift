import Testing

@testable import KernelHeap

/// The page that a report names, after `addr_to_page()` and `dump_page()` of 6.1.
@Suite("KASAN: the page's lines")
struct KasanPageTextTests {
    let machine: KasanMachine

    init() throws { machine = try KasanMachine() }

    /// The line that begins with a word, in words.
    private func fields(_ lines: [String], _ name: String) throws -> [Substring] {
        let line = try #require(lines.first { $0.hasPrefix("\(name):") }, "\(name)")
        return line.dropFirst(name.count + 1).split(separator: " ")
    }

    private func log(readAt address: UInt64) throws -> [String] {
        Array(try machine.call("kernel_read", .word(address), 1).log)
    }

    //   kmalloc(9000)   | head | tail | tail: 808 of 4096 bytes | tail |
    @Test func `a tail page of large kmalloc memory is told by its head`() throws {
        let block = try machine.kmalloc(9_000)
        let lines = try log(readAt: block + 9_000)
        let page = try fields(lines, "page")

        #expect(page[1] == "refcount:1")
        #expect(page[2] == "mapcount:0")
        #expect(page[5] == "pfn:0x\(String((block - 0xffff_8880_0000_0000) >> 12, radix: 16))")
        #expect(try fields(lines, "head").prefix(2) == [page[0], "order:2"])
    }

    @Test func `every object of a slab has the slab's first page`() throws {
        var pages: Set<UInt64> = []
        for _ in 0..<8 {
            let object = try machine.kmalloc(1_024)
            pages.insert(object >> 12)
            let lines = try log(readAt: object + 1_024)

            let page = try fields(lines, "page")
            let head = try fields(lines, "head")
            #expect(page[0] == head[0])
            #expect(page[1] == "refcount:1")
        }
        #expect(pages.count > 1)
    }

    @Test func `the head of a free block has the mark of the buddy lists where the count is`()
        throws
    {
        let block = try machine.pointer("__get_free_pages", 0xcc0, 10)
        let single = try machine.pointer("__get_free_pages", 0xcc0, 0)
        try machine.call("free_pages", .word(block), 10)
        try machine.call("free_pages", .word(single), 0)
        let head = try fields(try log(readAt: block), "page")
        let inside = try fields(try log(readAt: block + 4_096), "page")
        let onCPU = try fields(try log(readAt: single), "page")

        #expect(head[1...2] == ["refcount:0", "mapcount:-128"])
        #expect(inside[1...2] == ["refcount:0", "mapcount:0"])
        #expect(onCPU[1...2] == ["refcount:0", "mapcount:0"])
    }
}
