import Testing

@testable import KernelHeap

/// What random sessions and reading found, each reduced to its few calls.
@Suite("Simulation: reduced findings")
struct ReducedFindingsTests {
    private static let descriptors: UInt64 = 0xffff_ea00_0000_0000
    private static let user: UInt64 = 0x1000_0000

    /// The frame of a call that answered with pages.
    private func frame(_ outcome: CallOutcome) throws -> UInt64 {
        guard case .pages(let detail) = outcome.result.detail else {
            throw NotPages(text: outcome.everything)
        }
        return detail.pfn.rawValue
    }

    private struct NotPages: Error { let text: String }

    private func zone(_ pages: UInt64) -> ZoneDescription {
        var zone = ZoneDescription()
        zone.spanned = pages
        zone.present = pages
        zone.managed = pages
        zone.watermarks = WatermarksDescription(min: 0, low: 0, high: 0)
        return zone
    }

    // The process would give the frame back a second time when it unmaps it, while the frame is on
    // a list or has a new owner.
    @Test func `a page that a process maps is not freed under it`() throws {
        var description = MachineDescription()
        description.zones = [zone(64)]
        let run = try CallRun(description)
        try run.call("mmap", Self.user, 4_096, 3, 0x32)
        try run.call("user_write", Self.user, bytes: [1])

        var reports = 0
        for pfn in 0..<UInt64(64) {
            let outcome = try run.call("__free_pages", Self.descriptors + pfn * 64, 0)
            reports += outcome.log.count { $0.hasPrefix("BUG: Bad page state") }
        }
        let before = run.violations(misuse: true)
        try run.call("munmap", Self.user, 4_096)
        let after = run.violations(misuse: true)

        // The page, and the three tables that lead to it.
        #expect(reports == 4)
        #expect(before == [])
        #expect(after == [])
    }

    // More bytes than a signed number counts.
    @Test func `a lock of more than half of all addresses is refused`() throws {
        let run = try CallRun(MachineDescription())
        for name in ["mlock", "munlock", "msync", "madvise", "munmap", "mprotect"] {
            for length: UInt64 in [1 << 63, UInt64.max - 4_095, UInt64.max - 8_191] {
                let outcome = try run.call(name, 0, length, 0)
                #expect(outcome.result.errno != nil, "\(name) of \(length)")
            }
        }
        try run.call("brk", UInt64.max - 10)
        #expect(run.violations(misuse: true) == [])
    }

    // Shifted into the page's four bits, the order looks like the block's own.
    @Test func `an order of more than 32 bits' worth of pages is refused, not freed`() throws {
        let run = try CallRun(MachineDescription())
        let block = try run.call("__get_free_pages", 0xcc0, 5)

        try run.call("free_pages", block.word, 0x1000_0005)

        #expect(run.violations(misuse: true) == [])
        #expect(run.kernel.pages.map[Int(try frame(block))].kind == .allocated)
    }

    @Test func `splitting a page that a process maps changes nothing`() throws {
        var description = MachineDescription()
        description.zones = [zone(64)]
        let run = try CallRun(description)
        try run.call("mmap", Self.user, 4_096, 3, 0x32)
        try run.call("user_write", Self.user, bytes: [1])

        for pfn in 0..<UInt64(64) {
            try run.call("split_page", Self.descriptors + pfn * 64, 0)
        }

        #expect(run.violations(misuse: true) == [])
    }

    // The fourth class has no per-CPU list: its number names the next order's.
    @Test(arguments: [MigrateType.highAtomic, .isolate], [0, 3])
    func `a block of a kept class goes back through a list of its own order`(
        type: MigrateType,
        order: Int
    ) throws {
        var kept = zone(1_024)
        kept.pageblocks = [PageblockRun(startPFN: 0, count: 2, migrateType: type)]
        kept.freeLists = [FreeListDescription(order: 3, migrateType: .movable, pfns: [8, 32])]
        var description = MachineDescription()
        description.zones = [kept]
        let run = try CallRun(description)
        let page = try frame(run.call("alloc_pages", 0x8 | 0x2, UInt64(order)))

        try run.call("__free_pages", Self.descriptors + page * 64, UInt64(order))

        #expect(run.violations(misuse: false) == [])
    }

    // 3 GiB lie below the hole; what is beyond may be less than the page metadata needs.
    @Test(arguments: [UInt64(1), 2, 100, 4_096, 13_000, 40_000])
    func `a little memory above four gigabytes boots`(pages: UInt64) throws {
        var description = MachineDescription()
        description.memoryBytes = 3 << 30 + pages << 12
        let run = try CallRun(description)

        let page = try run.call("alloc_pages", 0xcc0, 0).word

        #expect(page != 0)
        #expect(run.violations(misuse: false) == [])
    }

    @Test func `a block is not freed with frames that were never its own`() throws {
        var sparse = zone(64)
        sparse.freeLists = [FreeListDescription(order: 0, migrateType: .unmovable, pfns: [8])]
        var description = MachineDescription()
        description.zones = [sparse]
        let run = try CallRun(description)
        let page = try run.call("alloc_pages", 0xcc0, 0).word

        let outcome = try run.call("__free_pages", page, 3)
        var frames = 0
        while try run.call("alloc_pages", 0xcc0, 0).word != 0, frames < 64 { frames += 1 }

        #expect(page == Self.descriptors + 8 * 64)
        #expect(outcome.log.first?.hasPrefix("BUG: Bad page state") == true)
        #expect(frames == 0)
    }

    @Test func `mprotect and munmap cut no more areas than a process may have`() throws {
        var kernel = try Kernel()
        let count = UInt64(AddressSpace.maximumAreas)
        for index in 0..<count {
            let start = Self.user + index << 16
            kernel.processes[0].space.insert(
                VMArea(start: start, end: start + 0x4000, rights: [.read, .write])
            )
        }
        let area = Self.user + 7 << 16

        let cut = kernel.mprotect(0, area + 0x1000, 0x1000, .read)
        let whole = kernel.mprotect(0, area, 0x4000, .read)
        let hole = kernel.munmap(0, area + 0x1000, 0x1000)
        let end = kernel.munmap(0, area + 0x1000, 0x3000)

        #expect(cut == .ENOMEM)
        #expect(whole == nil)
        #expect(hole == .ENOMEM)
        #expect(end == nil)
        #expect(kernel.processes[0].space.areas.count == AddressSpace.maximumAreas)
    }

    @Test func `pageblocks of a zone are told once`() throws {
        var twice = zone(1_024)
        twice.pageblocks = [MigrateType.unmovable, .movable, .reclaimable].map {
            PageblockRun(startPFN: 0, count: 2, migrateType: $0)
        }
        var description = MachineDescription()
        description.zones = [twice]

        #expect(throws: MachineError.self) { try CallRun(description) }
    }

    // Where memory is short a slab is smaller than its cache says, and ends in an unused tail.
    @Test func `freeing the unused tail of a small slab frees no object`() throws {
        var scattered = zone(64)
        let singles = stride(from: UInt64(0), to: 64, by: 2).map { $0 }
        scattered.freeLists = [
            FreeListDescription(order: 0, migrateType: .unmovable, pfns: singles)
        ]
        var description = MachineDescription()
        description.bootOptions = "slub_debug=Z"
        description.cpus = 16
        description.zones = [scattered]
        let run = try CallRun(description)
        let outcome = try run.call("kmalloc", 192, 0xcc0)
        guard case .object(let detail) = outcome.result.detail else {
            throw NotPages(text: outcome.everything)
        }
        let page = outcome.word & ~4_095

        for offset in stride(from: UInt64(4_096 - 400), to: 4_096, by: 8) {
            try run.call("kfree", page + offset)
        }

        #expect(detail.slabOrder == 0)
        #expect(run.violations(misuse: true) == [])
    }

    // Of eight pages five are kept; the eighth merges into the seventh and heads nothing.
    @Test func `a frame that merged into a free block cannot be freed again`() throws {
        var description = MachineDescription()
        description.zones = [zone(64)]
        let run = try CallRun(description)
        let page = try frame(run.call("alloc_pages_exact", 5 * 4_096, 0xcc0))

        try run.call("__free_pages", Self.descriptors + (page + 7) * 64, 0)

        #expect(page % 8 == 0)
        #expect(run.violations(misuse: false) == [])
    }
}
