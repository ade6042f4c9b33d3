import Testing

@testable import KernelHeap

/// After `__dump_page_owner()`, `mm/page_owner.c`, 6.1; no kernel with page owners was recorded.
@Suite("Page owner: reports of bad pages")
struct PageOwnerDumpTests {
    private func ownerLines(_ outcome: CallOutcome) -> [String] {
        let lines = Array(outcome.log)
        guard let place = lines.firstIndex(where: { $0.hasPrefix("page dumped because") }) else {
            return []
        }
        return lines[(place + 1)...].filter { !$0.hasPrefix("Disabling") }
    }

    @Test func `a block that may not be freed is still its owner's`() throws {
        let machine = try CallMachine("page_owner=on")
        let page = try machine.call("alloc_pages", 0xcc0, 4).word
        try machine.call("set_page_mapping", .word(page), 0xdead_0000)
        let outcome = try machine.call("__free_pages", .word(page), 4)

        #expect(
            ownerLines(outcome) == [
                "page_owner tracks the page as allocated",
                "page last allocated via order 4, migratetype Unmovable, "
                    + "gfp_mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (init), ts 1000, free_ts 0",
                " alloc_pages+0x0/0x0", " call_1", "page_owner free stack trace missing",
            ]
        )
    }

    @Test func `a page found bad on its way from a list was freed`() throws {
        let machine = try CallMachine("page_owner=on")
        let page = try machine.call("alloc_page", 0x10_0cca).word
        try machine.call("set_page_mapping", .word(page), 0xdead_0000)
        try machine.call("__free_pages", .word(page), 0)
        let outcome = try machine.call("drain_all_pages")

        #expect(
            ownerLines(outcome) == [
                "page_owner tracks the page as freed",
                "page last allocated via order 0, migratetype Movable, "
                    + "gfp_mask 0x100cca(GFP_HIGHUSER_MOVABLE), pid 1, tgid 1 (init), ts 1000, "
                    + "free_ts 3000",
                " alloc_page+0x0/0x0", " call_1", "page last free stack trace:",
                " __free_pages+0x0/0x0", " call_3",
            ]
        )
    }

    @Test func `a page that nobody allocated has no owner to name`() throws {
        let machine = try CallMachine("page_owner=on")
        let lines = machine.kernel.dumpLines(of: PageOwner())

        #expect(lines == ["page_owner info is not present (never set?)"])
    }

    @Test func `a machine without owners prints none`() throws {
        let machine = try CallMachine()
        let page = try machine.call("alloc_pages", 0xcc0, 4).word
        try machine.call("set_page_mapping", .word(page), 0xdead_0000)
        let outcome = try machine.call("__free_pages", .word(page), 4)

        #expect(outcome.log.contains { $0.hasPrefix("page dumped because") })
        #expect(ownerLines(outcome) == [])
    }

    @Test func `kasan's report of a page names its owner`() throws {
        var description = MachineDescription()
        description.bootOptions = "page_owner=on"
        description.kasan = true
        let machine = try CallMachine(description)
        let address = try machine.call("__get_free_pages", 0xcc0, 0).word
        try machine.call("free_pages", .word(address), 0)
        let outcome = try machine.call("kernel_read", .word(address), 8)

        #expect(
            ownerLines(outcome).prefix(2) == [
                "page_owner tracks the page as freed",
                "page last allocated via order 0, migratetype Unmovable, "
                    + "gfp_mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (init), ts 1000, free_ts 2000",
            ]
        )
    }
}
