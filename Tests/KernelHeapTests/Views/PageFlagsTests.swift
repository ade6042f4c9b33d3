import Testing

@testable import KernelHeap

@Suite("Page flags: what /proc/kpageflags and /proc/kpagecount say")
struct PageFlagsTests {
    private func flags(_ kernel: borrowing Kernel, _ pfn: UInt64) -> PageFlags {
        kernel.pageFlagRuns(pfn..<pfn + 1).first?.flags ?? []
    }

    private func names(_ kernel: borrowing Kernel, _ pfn: UInt64) -> [String] {
        flags(kernel, pfn).names
    }

    @Test func `bits have the numbers of the kernel's header`() {
        let numbers: [(PageFlags, Int)] = [
            (.locked, 0), (.referenced, 2), (.upToDate, 3), (.dirty, 4), (.lru, 5), (.active, 6),
            (.slab, 7), (.writeback, 8), (.reclaim, 9), (.buddy, 10), (.mmap, 11), (.anon, 12),
            (.swapCache, 13), (.swapBacked, 14), (.compoundHead, 15), (.compoundTail, 16),
            (.unevictable, 18), (.noPage, 20), (.ksm, 21), (.reserved, 32), (.mlocked, 33),
        ]

        for (flag, bit) in numbers { #expect(flag.rawValue == 1 << UInt64(bit)) }
        #expect(PageFlags(rawValue: 1 << 32 | 1 << 10).names == ["BUDDY", "RESERVED"])
    }

    @Test func `every frame of a fresh machine is free, reserved, or nobody's`() throws {
        var description = MachineDescription()
        description.memoryBytes = 5 << 30
        let kernel = try Kernel(description)

        let runs = kernel.pageFlagRuns(0..<UInt64.max)

        // Ascending without a gap, and as many free pages as the zones count.
        var next: UInt64 = 0
        var free: UInt64 = 0
        for run in runs {
            #expect(run.start.rawValue == next)
            next += run.pageCount
            if run.flags == .buddy { free += run.pageCount }
            #expect([.buddy, .reserved, .noPage].contains(run.flags))
        }
        #expect(next == kernel.pageFlagsEnd.rawValue)
        #expect(free == kernel.zoneViews().reduce(0) { $0 + $1.free })
        #expect(runs.first?.flags == .reserved)
        // The hole below 4 GiB has no descriptors.
        #expect(names(kernel, 0xc_0000 + 5) == ["NOPAGE"])
    }

    @Test func `pages on LRU lists show what reclaim keeps of them`() throws {
        var machine = try ReclaimMachine(swap: 16)
        try machine.call("page_cache_write", 0, text: "/a", bytes: [1])
        try machine.call("page_cache_read", 4096, text: "/b")
        try machine.call("page_cache_read", 4096, text: "/b")
        let address: UInt64 = 0x1000_0000
        machine.map(0, address, pages: 3)
        for page in 0..<UInt64(3) {
            _ = machine.kernel.storeUser(0, address + page * 4096, [1], in: .standard)
        }
        let leaves = machine.kernel.userLeaves(0, address..<address + 3 * 4096).found
        let frames = leaves.map { machine.kernel.paging.format.frame(of: $0.entry) }
        try machine.call("mlock", address, 4096)
        // MADV_FREE and MADV_PAGEOUT; then the last page is read back and locked out of reclaim.
        try machine.call("madvise", address + 4096, 4096, 8)
        try machine.call("madvise", address + 8192, 4096, 21)
        _ = machine.kernel.loadUser(0, address + 8192, bytes: 1, in: .standard)
        let last = machine.kernel.userLeaves(0, address + 8192..<address + 3 * 4096).found
        let read = try #require(last.first.map { machine.kernel.paging.format.frame(of: $0.entry) })
        let files = machine.kernel.files.onDisk.compactMap { $0.file.frame(0) }.map(UInt64.init)

        #expect(names(machine.kernel, files[0]) == ["UPTODATE", "DIRTY", "LRU"])
        #expect(names(machine.kernel, files[1]) == ["UPTODATE", "LRU", "ACTIVE"])
        #expect(
            names(machine.kernel, frames[0])
                == ["UPTODATE", "LRU", "MMAP", "ANON", "SWAPBACKED", "UNEVICTABLE", "MLOCKED"]
        )
        #expect(names(machine.kernel, frames[1]) == ["UPTODATE", "LRU", "MMAP", "ANON"])
        #expect(
            names(machine.kernel, read)
                == ["UPTODATE", "LRU", "MMAP", "ANON", "SWAPCACHE", "SWAPBACKED"]
        )
    }

    @Test func `blocks show their kind, compound pages their places`() throws {
        var kernel = try Kernel()
        let single = kernel.allocPages(order: 0, flags: .kernel)
        let compound = kernel.allocPages(order: 2, flags: [.kernel, .compound])
        let plain = kernel.allocPages(order: 2, flags: .kernel)
        let (page, head, block) = try #require(zip3(single, compound, plain))

        #expect(names(kernel, page.rawValue) == [])
        #expect(names(kernel, head.rawValue) == ["COMPOUND_HEAD"])
        #expect(names(kernel, head.rawValue + 3) == ["COMPOUND_TAIL"])
        #expect(names(kernel, block.rawValue) == [])
        #expect(names(kernel, block.rawValue + 1) == [])
        // The lowest page of a refill is handed out; the next waits on the CPU's list.
        #expect(names(kernel, page.rawValue + 1) == [])
    }

    @Test func `slabs of one page and of several are told apart`() throws {
        var kernel = try Kernel()
        let small = kernel.kmalloc(size: 64, flags: .kernel)
        let large = kernel.kmalloc(size: 4_096, flags: .kernel)
        let first = (small.rawValue - 0xffff_8880_0000_0000) >> 12
        let object = (large.rawValue - 0xffff_8880_0000_0000) >> 12

        let runs = kernel.pageFlagRuns(object & ~7..<(object & ~7) + 8)

        #expect(names(kernel, first) == ["SLAB"])
        #expect(
            runs.map(\.flags.names) == [["SLAB", "COMPOUND_HEAD"], ["SLAB", "COMPOUND_TAIL"]]
        )
        #expect(runs.map(\.pageCount) == [1, 7])
    }

    @Test func `a page of a process is mapped once, and its flags say whose it is`() throws {
        var kernel = try Kernel()
        let mapped = kernel.mmap(0, hint: 0, length: 4_096, rights: [.read, .write], flags: 0x22)
        let address = try mapped.get()
        let given = kernel.userPage(0, at: address, for: .store, cpu: 0)
        let frame = try #require(try given.get())

        let runs = kernel.pageFlagRuns(UInt64(frame)..<UInt64(frame) + 1)

        #expect(
            runs.map(\.flags.names) == [["UPTODATE", "LRU", "MMAP", "ANON", "SWAPBACKED"]]
        )
        #expect(runs.map(\.mapCount) == [1])
    }

    @Test func `fields that somebody set show in the middle of a run`() throws {
        var kernel = try Kernel()
        let taken = kernel.allocPages(order: 4, flags: .kernel)
        let block = try #require(taken)

        kernel.pages.oddPages[UInt32(block.rawValue + 2)].isLocked = true
        kernel.pages.oddPages[UInt32(block.rawValue + 3)].mapCount = 7
        let runs = kernel.pageFlagRuns(block.rawValue..<block.rawValue + 16)

        #expect(runs.map(\.pageCount) == [2, 1, 1, 12])
        #expect(runs.map(\.flags) == [[], .locked, .mmap, []])
        #expect(runs.map(\.mapCount) == [0, 0, 7, 0])
    }

    @Test func `a part of a block is cut to what was asked`() throws {
        var kernel = try Kernel()
        let taken = kernel.allocPages(order: 3, flags: [.kernel, .compound])
        let block = try #require(taken).rawValue

        let tail = kernel.pageFlagRuns(block + 2..<block + 5)
        let beyond = kernel.pageFlagRuns(kernel.pageFlagsEnd.rawValue..<UInt64.max)

        #expect(tail.map(\.start.rawValue) == [block + 2])
        #expect(tail.map(\.pageCount) == [3])
        #expect(beyond.isEmpty)
    }

    private func zip3(_ first: PFN?, _ second: PFN?, _ third: PFN?) -> (PFN, PFN, PFN)? {
        guard let first, let second, let third else { return nil }
        return (first, second, third)
    }
}
