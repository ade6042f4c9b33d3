import Testing

@testable import KernelHeap

@Suite("Pages: how many bad ones are reported")
struct BadPageLimitTests {
    @Test func `sixty bad pages a minute are told, and later how many more there were`() throws {
        let machine = try CallMachine()
        let page = try machine.call("alloc_page", 0xcc0).word
        try machine.call("mark_page_reserved", .word(page))
        var reports = 0
        for _ in 0..<100 { reports += try bad(page, machine).count(where: isReport) }
        let fork = machine.fork()
        // Calls stand for time, 6,000 for a minute.
        for _ in 0..<5_899 { try machine.call("kfree", 0) }
        let early = try bad(page, machine)

        let late = try bad(page, machine)
        let next = try bad(page, machine)

        #expect(reports == 60)
        #expect(early == [])
        #expect(late.first == "BUG: Bad page state: 41 messages suppressed")
        #expect(late.count(where: isReport) == 1)
        #expect(next.count(where: isReport) == 1 && isReport(next.first ?? ""))
        #expect(try bad(page, fork) == [])
    }

    /// Frees a page that may not be freed.
    private func bad(_ page: UInt64, _ machine: CallMachine) throws -> [String] {
        Array(try machine.call("__free_pages", .word(page), 0).log)
    }

    private func isReport(_ line: String) -> Bool {
        line.hasPrefix("BUG: Bad page state in process")
    }
}
