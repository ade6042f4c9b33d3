import Testing

@testable import KernelHeap

@Suite("vmalloc: pages and bytes")
struct VmallocMemoryTests {
    private func machine(_ memory: UInt64 = 512 << 20) throws -> CallMachine {
        var description = MachineDescription()
        description.memoryBytes = memory
        description.bootOptions = "init_on_alloc=0"
        return try CallMachine(description)
    }

    /// The frames of an allocation, in the order of their addresses, by its detail.
    private func frames(_ outcome: CallOutcome) -> [Int64] {
        guard case .list(let runs)? = outcome.fact("pfns") else { return [] }
        return runs.flatMap { run -> [Int64] in
            guard case .facts(let facts) = run, case .number(let first) = facts[0].value,
                case .number(let count) = facts[1].value, case .number(let step) = facts[2].value
            else { return [] }
            return (0..<count).map { first + $0 * step }
        }
    }

    //  pages ascend out of a fresh block; freed one by one, the last one is the next to be had
    @Test func `frames ascend out of a fresh block, and descend after frees`() throws {
        let machine = try machine()

        let first = try machine.call("vmalloc", 65_536)
        try machine.call("vfree", .word(first.word))
        let second = try machine.call("vmalloc", 65_536)
        try machine.call("vfree", .word(second.word))
        let third = try machine.call("vmalloc", 65_536)

        let start = try #require(frames(first).first)
        #expect(frames(first) == Array(start..<start + 16))
        #expect(frames(second) == frames(first).reversed())
        #expect(frames(third) == frames(first))
        #expect(second.word == first.word + 0x11000)
        #expect(first.fact("physically_contiguous") == .boolean(true))
        #expect(second.fact("physically_contiguous") == .boolean(false))
        #expect(second.fact("virtually_contiguous") == .boolean(true))
    }

    @Test func `every byte can be stored and loaded, and the guard page faults as recorded`() throws
    {
        let machine = try machine()
        let area = try machine.call("vmalloc", 10_000)

        let set = try machine.call("memset", .word(area.word), 0x5a, 12_288)
        let bytes = try machine.read(area.word, 12_288)
        let beyond = try machine.call("kernel_read", .word(area.word + 12_286), 4)

        #expect(set.log == [])
        #expect(bytes == [UInt8](repeating: 0x5a, count: 12_288))
        #expect(beyond.word == 2)
        #expect(
            Array(beyond.log.prefix(3)) == [
                "BUG: unable to handle page fault for address: "
                    + String(area.word + 12_288, radix: 16),
                "#PF: supervisor read access in kernel mode",
                "#PF: error_code(0x0000) - not-present page",
            ]
        )
        #expect(machine.violations == [])
    }

    @Test func `vmalloc leaves what was written, vzalloc clears it, and vfree takes the mapping`()
        throws
    {
        let machine = try machine()
        let first = try machine.call("vmalloc", 8_192)
        try machine.call("kernel_write", .word(first.word + 4_094), .bytes([1, 2, 3, 4]))
        let written = try machine.read(first.word + 4_094, 4)
        try machine.call("vfree", .word(first.word))
        let gone = try machine.call("kernel_read", .word(first.word + 4_094), 4)
        let second = try machine.call("vmalloc", 8_192)
        let left = try machine.read(second.word, 8_192)
        try machine.call("vfree", .word(second.word))
        let third = try machine.call("vzalloc", 8_192)
        let cleared = try machine.read(third.word, 8_192)

        #expect(written == [1, 2, 3, 4])
        #expect(gone.word == 0)
        #expect(left.contains(1) && left.contains(4))
        #expect(cleared.allSatisfy { $0 == 0 })
    }

    @Test func `vmalloc_to_page and vmalloc_to_pfn walk to the page of the detail`() throws {
        let machine = try machine()
        let area = try machine.call("vmalloc", 12_288)
        let frames = frames(area)
        var found: [Int64] = []
        var descriptors: [UInt64] = []
        for page in 0..<UInt64(3) {
            let address = area.word + page * 4_096 + 17
            found.append(Int64(try machine.call("vmalloc_to_pfn", .word(address)).word))
            descriptors.append(try machine.call("vmalloc_to_page", .word(address)).word)
        }
        let guardPage = try machine.call("vmalloc_to_page", .word(area.word + 3 * 4_096))
        let isVmalloc = try machine.call("is_vmalloc_addr", .word(area.word))

        #expect(frames.count == 3 && found == frames)
        #expect(descriptors == frames.map { 0xffff_ea00_0000_0000 + UInt64($0) * 64 })
        #expect(guardPage.word == 0)
        #expect(isVmalloc.result.value == .boolean(true))
    }

    @Test func `virt_to_phys of a vmalloc address is the kernel's nonsense, with a warning`() throws
    {
        let machine = try machine()
        let area = try machine.call("vmalloc", 4_096)
        let pfn = try machine.call("vmalloc_to_pfn", .word(area.word)).word
        let wrong = try machine.call("virt_to_phys", .word(area.word))
        let right = try machine.call("virt_to_phys", 0xffff_8880_0010_0000)

        #expect(wrong.word == area.word - 0xffff_8880_0000_0000)
        #expect(wrong.warnings.map(\.name) == ["not_direct_mapped"])
        #expect(wrong.warnings.first?.sentence.contains("PFN \(pfn)") == true)
        #expect(right.word == 0x10_0000)
        #expect(right.warnings.isEmpty)
    }

    @Test func `vmalloc_huge maps 2 MiB pages, and vfree gives all their pages back`() throws {
        let machine = try machine()
        let free = machine.kernel.zoneViews().reduce(0) { $0 + $1.free }
        let area = try machine.call("vmalloc_huge", .word(5 << 20), 0xcc0)
        let view = machine.kernel.translationView(LinearAddress(rawValue: area.word), pid: 1)
        let set = try machine.call("memset", .word(area.word), 0x77, .word(6 << 20))
        let last = try machine.read(area.word + 6 << 20 - 1, 1)
        let violations = machine.violations
        try machine.call("vfree", .word(area.word))
        let gone = try machine.call("kernel_read", .word(area.word), 1)
        try machine.call("drain_all_pages")
        let freeAfter = machine.kernel.zoneViews().reduce(0) { $0 + $1.free }

        #expect(area.word % (2 << 20) == 0)
        #expect(area.fact("pages") == .number(1_536))
        #expect(area.fact("page_order") == .number(9))
        #expect(view.pageBytes == 2 << 20)
        #expect(set.log == [] && last == [0x77])
        #expect(violations == [])
        #expect(gone.word == 0)
        // What tables are left below the area stay, as the kernel's own do.
        #expect(free - freeAfter <= 3)
        #expect(machine.violations == [])
    }

    @Test func `a read-only vmap loads and refuses stores; its pages stay their owner's`() throws {
        let machine = try machine()
        let page = try machine.call("alloc_page", 0xcc0).word
        let direct = try machine.call("page_address", .word(page)).word
        try machine.call("kernel_write", .word(direct), .bytes([7, 8, 9]))
        let mapped = try machine.call("vmap", .words([page, page]), 2, 4, 2)
        let bytes = try machine.read(mapped.word + 4_096, 3)
        let store = try machine.call("kernel_write", .word(mapped.word), .bytes([1]))
        try machine.call("vunmap", .word(mapped.word))
        let kept = try machine.read(direct, 3)

        #expect(bytes == [7, 8, 9])
        #expect(store.word == 0)
        #expect(store.log.contains("#PF: error_code(0x0003) - permissions violation"))
        #expect(kept == [7, 8, 9])
        #expect(machine.violations == [])
    }

    @Test func `VM_MAP_PUT_PAGES gives the pages to the area, and vfree gives them back`() throws {
        let machine = try machine()
        let page = try machine.call("alloc_page", 0xcc0).word
        let frame = (page - 0xffff_ea00_0000_0000) / 64
        let mapped = try machine.call("vmap", .words([page]), 1, 0x204)
        try machine.call("vfree", .word(mapped.word))

        #expect(mapped.fact("pages") == .number(1))
        #expect(machine.kernel.pages.map[Int(frame)].kind != .allocated)
    }

    @Test func `ioremap reaches a device at its byte, and refuses memory`() throws {
        let machine = try machine()
        let device = try machine.call("ioremap", 0xfed0_0123, 8)
        let bytes = try machine.read(device.word, 2)
        let memory = try machine.call("ioremap", 0x500_0000, 4_096)
        let wrapping = try machine.call("ioremap", .word(.max - 1), 4_096)
        let nothing = try machine.call("ioremap", 0xfed0_0000, 0)
        try machine.call("iounmap", .word(device.word))
        let gone = try machine.call("kernel_read", .word(device.word), 1)
        let again = try machine.call("iounmap", .word(device.word))

        #expect(device.word & 4_095 == 0x123)
        #expect(device.fact("physical") == .address(0xfed0_0000))
        #expect(bytes == [0xff, 0xff])
        #expect([memory.word, wrapping.word, nothing.word] == [0, 0, 0])
        #expect(memory.log.contains { $0.hasPrefix("ioremap on RAM at 0x0000000005000000") })
        #expect(gone.word == 0)
        #expect(again.log.contains { $0.hasPrefix("iounmap: bad address") })
    }
}
