import Testing

@testable import KernelHeap

@Suite("Compaction: what must not move")
struct ImmovablePageTests {
    @Test func `a page with a reference of somebody else's stays`() throws {
        var fragmented = try FragmentedMachine()
        let pinned = FragmentedMachine.kept.filter { $0 % 32 == 0 }
        var held: [UInt64] = []
        for number in pinned {
            let found = fragmented.frame(number)
            let frame = try #require(found)
            fragmented.machine.kernel.getPage(UInt32(frame))
            held.append(frame)
        }

        try fragmented.machine.call("compact_memory")
        let after = pinned.compactMap { fragmented.frame($0) }

        #expect(after == held)
        #expect(fragmented.event(.pgmigrateSuccess) > 0)
        let wrong = fragmented.wrongPages()
        #expect(wrong == [])
        for frame in held {
            fragmented.machine.kernel.freePages(PFN(rawValue: frame), order: 0)
        }
        #expect(fragmented.violations == [])
    }

    @Test func `pages of the kernel's own, slabs and tables stay where they are`() throws {
        var machine = try ReclaimMachine(swap: 16)
        var own: [PFN] = []
        for number in 0..<200 {
            machine.map(0, 0x1000_0000 + UInt64(number) * 0x40_0000, pages: 4)
            let address = 0x1000_0000 + UInt64(number) * 0x40_0000
            _ = machine.kernel.storeUser(0, address, [UInt8(number)], in: .standard)
            let page = machine.kernel.allocPages(order: number % 3, flags: .kernel)
            let pfn = try #require(page)
            machine.kernel.writeFrame(UInt32(pfn.rawValue), offset: 0, [UInt8(number), 1][...])
            own.append(pfn)
        }
        let objects = (0..<500).compactMap { _ in
            machine.kernel.allocate(size: 200, flags: .kernel, in: .standard)
        }
        let before = states(machine)

        try machine.call("compact_memory")
        let after = states(machine)

        #expect(objects.count == 500)
        #expect(after == before)
        for (number, pfn) in own.enumerated() {
            var bytes: [UInt8] = []
            machine.kernel.readFrame(UInt32(pfn.rawValue), offset: 0, count: 2, into: &bytes)
            #expect(bytes == [UInt8(number), 1])
        }
        #expect(machine.violations == [])
    }

    /// Frames in use that are on no LRU list.
    private func states(_ machine: borrowing ReclaimMachine) -> [Int] {
        (0..<machine.kernel.pages.map.capacity).filter { pfn in
            let page = machine.kernel.pages.map[pfn]
            return page.kind == .slab || (page.kind == .allocated && !page.isOnLRU)
        }
    }

    @Test(
        "pages that mlock keeps move if vm.compact_unevictable_allowed says so",
        arguments: ["0", "1"]
    )
    func locked(allowed: String) throws {
        var fragmented = try FragmentedMachine()
        // The locked page is the lowest of the process's, so it would be the first to move.
        let frames = fragmented.frames
        let lowest = try #require(frames.compactMap { $0 }.min())
        let place = try #require(frames.firstIndex(of: lowest))
        let number = FragmentedMachine.kept[place]
        let address = FragmentedMachine.address(number)
        try fragmented.machine.call("mlock", address, 4096)
        var arguments = CallArguments()
        arguments.set(0, payload: .text("vm.compact_unevictable_allowed"))
        arguments.set(1, payload: .text(allowed))
        let sysctl = try #require(CallRegistry.byName["sysctl"])
        let written = fragmented.machine.kernel.apply(sysctl, arguments, in: .standard)

        try fragmented.machine.call("compact_memory")
        let frame = fragmented.frame(number)
        let list = frame.map { fragmented.machine.kernel.pages.map[Int($0)].lruList }

        #expect(written.result.errno == nil)
        #expect((frame == lowest) == (allowed == "0"))
        #expect(list == .unevictable)
        let wrong = fragmented.wrongPages()
        #expect(wrong == [])
        #expect(fragmented.violations == [])
    }

    @Test func `without __GFP_IO nothing moves, and a high threshold forbids it`() throws {
        var fragmented = try FragmentedMachine()
        let quiet: GFPFlags = [.directReclaim, .noWarn]

        let withoutIO = fragmented.machine.kernel.allocPages(order: 4, flags: quiet)
        fragmented.machine.kernel.tuning.extfragThreshold = 1_000
        let threshold = fragmented.machine.kernel.allocPages(
            order: 4,
            flags: .kernel.union(.noWarn)
        )
        let moved = fragmented.event(.pgmigrateSuccess)
        fragmented.machine.kernel.tuning.extfragThreshold = 500
        let served = fragmented.machine.kernel.allocPages(order: 4, flags: .kernel)

        #expect(withoutIO == nil && threshold == nil && served != nil)
        #expect(moved == 0)
        #expect(fragmented.violations == [])
    }

    @Test func `compaction that was in vain is tried ever more rarely`() {
        var zone = ZoneCompaction()
        var tries: [Int] = []
        for request in 0..<400 where !zone.defers(order: 4) {
            tries.append(request)
            zone.noteFailure(order: 4)
        }
        zone.noteSuccess(order: 4, isServed: true)
        let isTriedAgain = !zone.defers(order: 4)
        zone.noteFailure(order: 4)
        let isSmallerTried = !zone.defers(order: 3)

        // One in 2, 4, 8 … and at last one in 64.
        #expect(tries == [0, 2, 6, 14, 30, 62, 126, 190, 254, 318, 382])
        #expect(isSmallerTried && isTriedAgain)
    }
}
