import Testing

@testable import KernelHeap

@Suite("Page owner: lists, the largest, the oldest")
struct PageOwnerListTests {
    /// Blocks of orders 0, 3, 1 and 3 by calls 1 to 4; the last one is freed by call 5.
    private func machine() throws -> CallMachine {
        let machine = try CallMachine("page_owner=on")
        for (flags, order) in [(0xcc0, 0), (0xcc4, 3), (0x10_0cca, 1)] as [(UInt64, UInt64)] {
            try machine.call("alloc_pages", .word(flags), .word(order))
        }
        let last = try machine.call("alloc_pages", 0xcc0, 3)
        try machine.call("__free_pages", .word(last.word), 3)
        return machine
    }

    private func calls(_ machine: CallMachine, _ filter: PageOwnerFilter) -> [UInt64?] {
        machine.kernel.pageOwners(matching: filter, from: 0, limit: 100).found
            .map(\.allocation.call).sorted { $0 ?? 0 < $1 ?? 0 }
    }

    @Test func `a block stands once, where its first page is`() throws {
        let machine = try machine()
        let found = machine.kernel.pageOwners(matching: PageOwnerFilter(), from: 0, limit: 100)

        #expect(found.found.count == 3 && found.next == nil)
        #expect(Set(found.found.map(\.order)) == [0, 1, 3])
        #expect(found.found.map(\.pfn) == found.found.map(\.pfn).sorted())
    }

    @Test func `a list goes on where it stopped`() throws {
        let machine = try machine()
        let all = machine.kernel.pageOwners(matching: PageOwnerFilter(), from: 0, limit: 100).found
        var seen: [PageOwnerView] = []
        var cursor: UInt64? = 0
        while let place = cursor {
            let part = machine.kernel.pageOwners(
                matching: PageOwnerFilter(),
                from: place,
                limit: 1
            )
            seen += part.found
            cursor = part.next
        }

        #expect(seen == all)
    }

    @Test func `filters leave out what they should`() throws {
        let machine = try machine()
        var large = PageOwnerFilter()
        large.sizes = 8_192...UInt64.max
        var movable = PageOwnerFilter()
        movable.migrateType = .movable
        var old = PageOwnerFilter()
        old.ages = 4...UInt64.max
        var young = PageOwnerFilter()
        young.ages = 0...2
        var freed = PageOwnerFilter()
        freed.isAllocated = false
        var call = PageOwnerFilter()
        call.call = 2
        var pid = PageOwnerFilter()
        pid.pid = 2
        var zone = PageOwnerFilter()
        zone.zone = .dma
        var function = PageOwnerFilter()
        function.function = "kmalloc"

        #expect(calls(machine, large) == [2, 3])
        #expect(calls(machine, movable) == [3])
        #expect(calls(machine, old) == [1])
        #expect(calls(machine, young) == [3])
        #expect(calls(machine, freed) == [4])
        #expect(calls(machine, call) == [2])
        #expect(calls(machine, pid) == [])
        #expect(calls(machine, zone) == [])
        #expect(calls(machine, function) == [])
    }

    @Test func `the largest and the oldest come first, as many as asked for`() throws {
        let machine = try machine()
        let all = PageOwnerFilter()
        let large = machine.kernel.topPageOwners(matching: all, by: .size, limit: 2)
        let old = machine.kernel.topPageOwners(matching: all, by: .age, limit: 10)

        #expect(large.found.map(\.allocation.call) == [2, 3])
        #expect(large.blocks == 3 && large.bytes == (1 + 8 + 2) * 4_096)
        #expect(old.found.map(\.allocation.call) == [1, 2, 3])
    }

    @Test func `a top list of many blocks is the list sorted`() throws {
        let machine = try CallMachine("page_owner=on")
        for step in UInt64(0)..<400 {
            try machine.call("alloc_pages", 0xcc0, .word(step * step % 4))
        }
        let top = machine.kernel.topPageOwners(matching: PageOwnerFilter(), by: .size, limit: 7)
        let all = machine.kernel.pageOwners(matching: PageOwnerFilter(), from: 0, limit: 1_000)
        let sorted = all.found.sorted {
            $0.order == $1.order ? $0.pfn < $1.pfn : $0.order > $1.order
        }

        #expect(all.found.count == 400)
        #expect(top.found == Array(sorted.prefix(7)))
        #expect(top.blocks == 400)
    }

    @Test func `blocks of pages have their calls among what callers hold`() throws {
        let machine = try machine()
        let held = machine.kernel.outstandingAllocations(since: 1).filter { $0.kind == .pages }

        #expect(held.compactMap(\.call).sorted() == [2, 3])
    }

    @Test func `places that no machine has are nobody's`() throws {
        let machine = try machine()
        for pfn in [UInt64.max, 1 << 32, 1 << 31, UInt64(UInt32.max), 0] {
            let history = machine.kernel.pageOwners(of: PFN(rawValue: pfn))
            #expect(history.owner == nil && history.earlier == [], "\(pfn)")
            let list = machine.kernel.pageOwners(
                matching: PageOwnerFilter(),
                from: max(pfn, 1 << 31),
                limit: 3
            )
            #expect(list.found == [] && list.next == nil, "\(pfn)")
        }
    }
}
