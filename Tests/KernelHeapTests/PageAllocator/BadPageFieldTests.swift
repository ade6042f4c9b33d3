import TestSupport
import Testing

@testable import KernelHeap

@Suite("Pages: fields that a free page may not have")
struct BadPageFieldTests {
    typealias Recorded = BadPageRecording

    private func fields(
        mapping: UInt64 = 0,
        mapCount: Int32 = 0,
        isLocked: Bool = false
    )
        -> OddFields
    {
        OddFields(mapping: mapping, mapCount: mapCount, isLocked: isLocked)
    }

    private func frame(_ pfn: PFN, _ offset: UInt64 = 0) -> UInt32 { UInt32(pfn.rawValue + offset) }

    @Test
    func `a page freed with a mapping is reported when it leaves the per-CPU list`() throws {
        var kernel = try Recorded.machine()
        let page = try kernel.take(order: 0, .kernel)

        kernel.pages.oddPages[frame(page)] = fields(mapping: 0xdead_0000)
        kernel.freePages(page, order: 0)
        let silent = kernel.log.lines
        kernel.drain()

        #expect(silent == [])
        #expect(Recorded.normal(kernel.log.lines, page) == (try Recorded.lines(of: "110")))
        #expect(kernel.kind(page) == .inner)
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    /// What a case of the recording does to the block, and to which page of it.
    struct Case: CustomTestStringConvertible {
        let number: String
        var offset: UInt64 = 0
        let fields: OddFields
        var testDescription: String { number }
    }

    @Test(
        "a large block with a field set is reported when it is freed, and kept",
        arguments: [
            Case(number: "111", fields: OddFields(mapping: 0xdead_0000)),
            Case(number: "112", fields: OddFields(isLocked: true)),
            Case(number: "113", offset: 3, fields: OddFields(mapping: 0xdead_0000)),
            Case(number: "116", fields: OddFields(mapCount: 3)),
        ]
    )
    func largeBlocks(recorded: Case) throws {
        var kernel = try Recorded.machine()
        let block = try kernel.take(order: 4, .kernel)
        let odd = PFN(rawValue: block.rawValue + recorded.offset)

        kernel.pages.oddPages[frame(odd)] = recorded.fields
        kernel.freePages(block, order: 4)

        #expect(Recorded.normal(kernel.log.lines, odd) == (try Recorded.lines(of: recorded.number)))
        #expect(kernel.kind(block) == .inner)
        #expect(kernel.pages.oddPages.isEmpty)
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    // texts/bad-page.case-88: "extra ref ok".
    @Test func `an extra reference keeps a page until it is dropped, silently`() throws {
        var kernel = try Recorded.machine()
        let page = try kernel.take(order: 0, .kernel)

        kernel.getPage(frame(page))
        kernel.freePages(page, order: 0)
        let held = kernel.kind(page)
        kernel.putPage(frame(page), in: .standard)
        kernel.drain()

        #expect(held == .allocated)
        #expect(kernel.kind(page) != .allocated)
        #expect(try Recording.text("badpage/bad-page.case-88.txt").hasPrefix("extra ref ok\n"))
        #expect(kernel.log.lines == [])
    }

    // texts/bad-page1-117: "count of head 1 tail -1".
    @Test func `a tail of a compound page loses its own reference, and nothing is said`() throws {
        var kernel = try Recorded.machine()
        let block = try kernel.take(order: 3, [.kernel, .compound])

        kernel.freePages(PFN(rawValue: block.rawValue + 1), order: 0)
        let head = kernel.pages.map[Int(block.rawValue)].word
        let tail = kernel.pages.strayReferences[frame(block, 1)]

        let recorded = try Recording.text("badpage/bad-page1-117.case-117.txt")
        #expect(recorded.hasPrefix("count of head \(head) tail \(tail)\n"))
        #expect(kernel.log.lines == [])
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    // texts/bad-page1-119: no line at all.
    @Test func `a compound page freed as one page gives back its head, and loses the rest`() throws
    {
        var kernel = try Recorded.machine()
        let block = try kernel.take(order: 3, [.kernel, .compound])
        let before = kernel.pages.ownPages()

        kernel.freePages(block, order: 0)
        let after = kernel.pages.ownPages()
        kernel.drain()

        let recorded = try Recording.text("badpage/bad-page1-119.case-119.txt")
        #expect(!recorded.contains("BUG"))
        #expect(kernel.log.lines == [])
        #expect(after == before + 1)
        #expect(kernel.kind(PFN(rawValue: block.rawValue + 1)) == .inner)
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `a page written while it was free is found when it is to be used`() throws {
        var kernel = try Recorded.machine()
        let block = try kernel.take(order: 10, .kernel)
        kernel.freePages(block, order: 10)

        kernel.pages.oddPages[frame(block, 5)] = fields(isLocked: true)
        let next = try kernel.take(order: 10, .kernel)
        kernel.logBadPages(.standard)

        #expect(next != block)
        #expect(
            kernel.log.lines.contains(
                "page dumped because: PAGE_FLAGS_CHECK_AT_PREP flag(s) set"
            )
        )
        #expect(kernel.pages.lostPages == 1 << 10)
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `the mark of anonymous memory goes with the free, other pages keep theirs`() throws {
        var kernel = try Recorded.machine()
        let page = try kernel.take(order: 0, .kernel)
        let block = try kernel.take(order: 4, .kernel)

        kernel.pages.oddPages[frame(page)] = fields(mapping: 0xffff_8880_0000_1001)
        kernel.pages.oddPages[frame(block, 2)] = fields(mapping: 0xffff_8880_0000_1001)
        kernel.freePages(page, order: 0)
        kernel.drain()
        let quiet = kernel.log.lines
        kernel.freePages(block, order: 4)
        kernel.logBadPages(.standard)

        #expect(quiet == [])
        #expect(kernel.log.lines.contains { $0.hasPrefix("anon flags: 0x") })
        #expect(kernel.log.lines.contains("page dumped because: non-NULL mapping"))
    }

    @Test func `a page unlocked and cleared in time is freed as any other`() throws {
        var kernel = try Recorded.machine()
        let block = try kernel.take(order: 4, .kernel)
        let fields = kernel.pages.oddPages[frame(block)]

        kernel.pages.oddPages[frame(block)].isLocked = true
        kernel.pages.oddPages[frame(block)].mapCount = 2
        kernel.pages.oddPages[frame(block)] = fields
        kernel.freePages(block, order: 4)
        kernel.drain()

        #expect(kernel.log.lines == [])
        #expect(kernel.kind(block) != .allocated)
    }

    @Test func `fields beyond the limit are not kept`() {
        var pages = OddPages()
        for frame in 0..<UInt32(OddPages.limit + 10) { pages[frame].mapCount = 1 }

        #expect(pages.frames(in: 0..<1 << 20).count == OddPages.limit)
        #expect(pages[UInt32(OddPages.limit) + 5].isPlain)
    }
}
