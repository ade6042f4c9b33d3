import Testing

@testable import KernelHeap

@Suite("Page owner: who allocated a page, and who had it before")
struct PageOwnerTests {
    private func machine(
        _ options: String = "page_owner=on",
        profile: String? = nil
    ) throws
        -> CallMachine
    {
        var description = MachineDescription()
        description.bootOptions = options
        description.cpus = 2
        if let profile { description.profile = profile }
        return try CallMachine(description)
    }

    private func pfn(_ outcome: CallOutcome) throws -> UInt64 {
        guard case .pages(let detail) = outcome.result.detail else {
            throw Missing(text: "\(outcome.result)")
        }
        return detail.pfn.rawValue
    }

    private struct Missing: Error { let text: String }

    private func owners(_ machine: CallMachine, _ pfn: UInt64) -> PageOwnerHistory {
        machine.kernel.pageOwners(of: PFN(rawValue: pfn))
    }

    private func heldBytes(_ machine: CallMachine) -> Int { machine.kernel.pages.owners.heldBytes }

    @Test func `every page of a block names the call, its flags and its process`() throws {
        let machine = try machine()
        machine.addProcess(7)
        try machine.call("kmalloc", 8, 0xcc0)
        let first = try pfn(try machine.call("alloc_pages", [0xa20, 3], pid: 7))
        let owners = (first..<first + 8).map { self.owners(machine, $0) }

        for history in owners {
            let owner = try #require(history.owner)
            #expect(owner.isAllocated && owner.order == 3 && owner.flags == .atomic)
            #expect(owner.allocation.call == 2 && owner.allocation.function == "alloc_pages")
            #expect(owner.pid == 7 && owner.command == "other")
            #expect(owner.migrateType == .unmovable && !owner.isMigrated)
            #expect(history.earlier == [])
        }
        // Two calls of a microsecond each.
        #expect(owners.first?.owner?.allocation.nanoseconds == 2_000)
    }

    /// The masks of all pages that a call allocated and that are in use.
    private func masks(_ machine: CallMachine, of outcome: CallOutcome) -> Set<UInt32> {
        var masks: Set<UInt32> = []
        let end = machine.kernel.pages.map.capacity
        var next = 0
        while let frame = machine.kernel.pages.owners.firstKnown(from: next, before: end) {
            let owner = machine.kernel.pages.owners[UInt32(truncatingIfNeeded: frame)]
            if owner.isAllocated, UInt64(owner.allocatingCall) == outcome.sequence {
                masks.insert(UInt32(machine.kernel.profile.gfp.number(of: owner.flags)))
            }
            next = frame + 1
        }
        return masks
    }

    // GFP_PGTABLE_USER and _KERNEL, GFP_HIGHUSER_MOVABLE with what a fault adds: 6.1's own masks.
    @Test func `the kernel's requests have the masks of 6.1`() throws {
        let machine = try machine()
        let place = try machine.call("mmap", 0, 8_192, 3, 0x22).word
        let fault = try machine.call("user_write", .word(place), .bytes([1]))
        let second = try machine.call("user_write", .word(place + 4_096), .bytes([1]))
        let area = try machine.call("vmalloc", 4_096)

        #expect(masks(machine, of: fault) == [0x40_0dc0, 0x14_0dca])
        #expect(masks(machine, of: second) == [0x14_0dca])
        #expect(masks(machine, of: area).contains(0xdc0))
    }

    @Test func `a freed page keeps its last owner, with who freed it`() throws {
        let machine = try machine()
        let outcome = try machine.call("alloc_pages", 0xcc0, 1)
        try machine.call("__free_pages", .word(outcome.word), 1, cpu: 1)
        for offset in 0..<UInt64(2) {
            let owner = machine.kernel.pageOwners(of: PFN(rawValue: try pfn(outcome) + offset))
                .owner

            #expect(owner?.isAllocated == false)
            #expect(owner?.allocation.call == 1)
            #expect(owner?.release?.call == 2 && owner?.release?.function == "__free_pages")
            #expect(owner?.release?.nanoseconds == 2_000)
        }
    }

    @Test func `a page keeps its last four earlier owners, oldest first, and counts all`() throws {
        let machine = try machine()
        var frames: Set<UInt64> = []
        for _ in 0..<7 {
            let outcome = try machine.call("alloc_page", 0xcc0)
            frames.insert(try pfn(outcome))
            try machine.call("__free_pages", .word(outcome.word), 0)
        }
        let history = owners(machine, try #require(frames.first))

        // The CPU's list gives the page that it got last.
        #expect(frames.count == 1)
        #expect(history.owner?.allocation.call == 13)
        #expect(history.owner?.earlierCount == 6)
        #expect(history.earlier.map(\.allocation.call) == [5, 7, 9, 11])
        #expect(history.earlier.map(\.release?.call) == [6, 8, 10, 12])
        #expect(history.earlier.map(\.earlierCount) == [2, 3, 4, 5])
    }

    @Test func `split pages are blocks of their own and keep their owner`() throws {
        let machine = try machine()
        let outcome = try machine.call("alloc_pages", 0xcc0, 2)
        let first = try pfn(outcome)
        try machine.call("split_page", .word(outcome.word), 2)
        try machine.call("__free_pages", .word(outcome.word), 0)
        let owners = (first..<first + 4).compactMap { self.owners(machine, $0).owner }

        #expect(owners.map(\.order) == [0, 0, 0, 0])
        #expect(owners.map(\.isAllocated) == [false, true, true, true])
        #expect(owners.map(\.allocation.call) == [1, 1, 1, 1])
    }

    @Test func `pages beyond an exact allocation are freed by the call that made it`() throws {
        let machine = try machine()
        let first = try pfn(try machine.call("alloc_pages_exact", 20_480, 0xcc0))
        let owners = (first..<first + 8).compactMap { self.owners(machine, $0).owner }

        #expect(owners.map(\.isAllocated) == [true, true, true, true, true, false, false, false])
        #expect(owners.map(\.release?.call) == [nil, nil, nil, nil, nil, 1, 1, 1])
        #expect(owners.allSatisfy { $0.order == 0 })
    }

    @Test func `pages of slabs, areas and processes have owners, too`() throws {
        let machine = try machine()
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let offset = machine.kernel.layout.pageOffset
        let slab = owners(machine, (object - offset) >> 12).owner
        try machine.call("vmalloc", 12_288)
        var filter = PageOwnerFilter()
        filter.function = "vmalloc"
        filter.sizes = 4_096...4_096
        let behind = machine.kernel.pageOwners(matching: filter, from: 0, limit: 100).found

        #expect(slab?.allocation.function == "kmalloc" && slab?.allocation.call == 1)
        #expect(behind.count >= 3 && behind.allSatisfy { $0.allocation.call == 2 })
    }

    @Test func `without the option nothing is kept, and the same pages are handed out`() throws {
        let with = try machine()
        let without = try machine("")
        let off = try machine("page_owner=off")
        let fresh = heldBytes(without)
        var frames: [[UInt64]] = [[], [], []]
        for (index, machine) in [with, without, off].enumerated() {
            for step in UInt64(0)..<40 {
                let outcome = try machine.call("alloc_pages", 0xcc0, .word(step % 5))
                frames[index].append(try pfn(outcome))
                guard step % 3 == 2 else { continue }
                try machine.call("__free_pages", .word(outcome.word), .word(step % 5))
            }
        }

        #expect(frames[0] == frames[1] && frames[0] == frames[2])
        #expect(fresh == 0 && heldBytes(without) == 0)
        #expect(heldBytes(off) == 0)
        #expect(heldBytes(with) > 0)
        #expect(with.heldBytes > without.heldBytes)
        #expect(owners(without, frames[1][0]).owner == nil)
        #expect(with.violations == [])
    }

    @Test func `memory follows the pages that were allocated, not the machine`() throws {
        var description = MachineDescription()
        description.bootOptions = "page_owner=on"
        description.memoryBytes = 64 << 30
        let machine = try CallMachine(description)
        let fresh = heldBytes(machine)
        try machine.call("alloc_pages", 0xcc0, 10)
        let block = heldBytes(machine) - fresh

        #expect(fresh <= 8_192)
        // 64 bytes for each of 1,024 pages, in chunks with a header.
        #expect(block >= 65_536 && block <= 70_000)
    }

    @Test func `a fork and its machine go their own ways`() throws {
        let machine = try machine()
        let outcome = try machine.call("alloc_page", 0xcc0)
        let page = try pfn(outcome)
        let fork = machine.fork()
        try machine.call("__free_pages", .word(outcome.word), 0)

        #expect(owners(fork, page).owner?.isAllocated == true)
        #expect(owners(machine, page).owner?.isAllocated == false)
    }

    @Test func `Linux 2.6 passes over the option`() throws {
        let classic = try machine(profile: "linux-2.6-i386")
        let narrow = try machine(profile: "linux-6.1-i386")
        let tracked = [classic.kernel.tracksPageOwners, narrow.kernel.tracksPageOwners]

        #expect(tracked == [false, true])
    }
}
