import Testing

@testable import KernelHeap

@Suite("Paging: tables of processes")
struct UserTablesTests {
    private static let rights: MemoryRights = [.read, .write]

    private func map(
        _ kernel: inout Kernel,
        _ address: UInt64,
        _ length: UInt64,
        process: Int = 0
    ) throws {
        let flags = MapFlags.private | MapFlags.anonymous | MapFlags.fixed
        let mapped = kernel.mmap(
            process,
            hint: address,
            length: length,
            rights: Self.rights,
            flags: flags
        )
        #expect(try mapped.get() == address)
    }

    private func touch(
        _ kernel: inout Kernel,
        _ address: UInt64,
        process: Int = 0
    ) throws -> UInt32 {
        let page = kernel.userPage(process, at: address, for: .store, cpu: 0)
        return try #require(try page.get())
    }

    private func held(_ kernel: borrowing Kernel) -> UInt64 { kernel.pages.ownPages() }

    // PUD, PMD, PTE table, page: `__handle_mm_fault()` before `do_anonymous_page()`.
    @Test func `a first touch takes three tables and a page, a second one a page`() throws {
        var kernel = try Kernel()
        try map(&kernel, 0x40_0000, 8_192)
        let before = held(kernel)

        _ = try touch(&kernel, 0x40_0000)
        let first = held(kernel)
        _ = try touch(&kernel, 0x40_1000)
        let second = held(kernel)
        let shown = kernel.processView(1, limit: 10)
        let view = try #require(shown)
        let meminfo = kernel.memInfoView()

        #expect(before - first == 4)
        #expect(first - second == 1)
        #expect(view.pageTableBytes == 3 * 4_096)
        #expect(view.residentPages == 2)
        // PMD and PTE tables count as PageTables, PUDs do not.
        #expect(meminfo[.pageTables] == 8)
    }

    @Test func `a read takes tables, and shares the zero page`() throws {
        var kernel = try Kernel()
        try map(&kernel, 0x40_0000, 4_096)
        let before = held(kernel)

        let page = kernel.userPage(0, at: 0x40_0000, for: .load, cpu: 0)
        let taken = before - held(kernel)
        let bits = kernel.bits(0x40_0000)
        let zeroFrame = kernel.bootTables().zeroFrame
        let view = kernel.processView(1, limit: 1)

        #expect(try page.get().map(UInt64.init) == zeroFrame)
        #expect(taken == 3)
        #expect(bits.last == "P US A SW1 NX")
        #expect(view?.residentPages == 0)
    }

    @Test func `a table goes when the last area that it serves goes`() throws {
        var kernel = try Kernel()
        let before = held(kernel)
        try map(&kernel, 0x40_0000, 4_096)
        try map(&kernel, 0x40_4000, 4_096)
        _ = try touch(&kernel, 0x40_0000)
        _ = try touch(&kernel, 0x40_4000)

        let errno = kernel.munmap(0, 0x40_0000, 4_096)
        let half = before - held(kernel)
        let second = kernel.munmap(0, 0x40_4000, 4_096)

        #expect(errno == nil && second == nil)
        #expect(half == 4)
        let after = held(kernel)
        let meminfo = kernel.memInfoView()
        let violations = kernel.checkInvariants(misuse: false)
        #expect(after == before)
        #expect(meminfo[.pageTables] == 0)
        #expect(violations == [])
    }

    @Test("random mappings agree with their tables, and all pages come back", arguments: 1...6)
    func random(seed: UInt64) throws {
        var kernel = try Kernel()
        let before = held(kernel)
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func draw(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % bound
        }
        // Areas in three corners of the address space, so that upper tables come and go.
        let corners: [UInt64] = [0x40_0000, 0x7f00_0000_0000, 0x10_0000_0000]
        for step in 0..<300 {
            let address = corners[Int(draw(3))] + draw(900) << 12
            let length = (1 + draw(40)) << 12
            let flags = MapFlags.private | MapFlags.anonymous | MapFlags.fixed
            switch draw(6) {
            case 0:
                let rights = MemoryRights(rawValue: draw(4))
                _ = kernel.mmap(0, hint: address, length: length, rights: rights, flags: flags)
            case 1: _ = kernel.munmap(0, address, length)
            case 2: _ = kernel.mprotect(0, address, length, MemoryRights(rawValue: draw(4)))
            case 3: _ = kernel.madvise(0, address, length, MemoryAdvice.dontNeed.rawValue)
            case 4: _ = kernel.userPage(0, at: address, for: .load, cpu: 0)
            default: _ = kernel.userPage(0, at: address, for: .store, cpu: 0)
            }
            let tables = UInt64(kernel.processes[0].space.tableCount)
            let resident = kernel.processes[0].space.residentPages
            let taken = before - held(kernel)
            #expect(taken == tables + resident, "seed \(seed), step \(step)")
            guard step % 10 == 0 else { continue }
            let violations = kernel.checkInvariants(misuse: false)
            #expect(violations == [], "seed \(seed), step \(step)")
        }
        kernel.releaseUserSpace(0, cpu: 0)
        let after = held(kernel)
        let violations = kernel.checkInvariants(misuse: false)
        #expect(after == before, "seed \(seed)")
        #expect(violations == [], "seed \(seed)")
    }

    @Test func `two processes see their own pages at one address, and the kernel's alike`() throws {
        var kernel = try Kernel()
        let before = held(kernel)
        kernel.processes.append(Process(pid: 2, name: "two"))
        let isMade = kernel.makeRoot(1, cpu: 0)
        try map(&kernel, 0x40_0000, 4_096)
        try map(&kernel, 0x40_0000, 4_096, process: 1)
        let first = try touch(&kernel, 0x40_0000)
        let second = try touch(&kernel, 0x40_0000, process: 1)

        let again = try touch(&kernel, 0x40_0000)
        let direct = AddressLayout.x8664.pageOffset + 0x500_0000
        let kernelPage = kernel.translate(direct, for: .kernelLoad, process: 1)
        kernel.releaseUserSpace(1, cpu: 0)
        kernel.processes.removeLast()
        kernel.releaseUserSpace(0, cpu: 0)

        #expect(isMade)
        #expect(first != second)
        #expect(again == first)
        #expect(kernelPage == .success(0x5000))
        let after = held(kernel)
        #expect(after == before)
    }

    @Test func `a fork of the machine goes its own way`() throws {
        var kernel = try Kernel()
        try map(&kernel, 0x40_0000, 8_192)
        _ = try touch(&kernel, 0x40_0000)
        var other = kernel.fork()

        let errno = other.munmap(0, 0x40_0000, 8_192)
        let kept = kernel.translate(0x40_0000, for: .userStore, process: 0)
        let gone = other.translate(0x40_0000, for: .userStore, process: 0)

        #expect(errno == nil)
        #expect((try? kept.get()) != nil)
        #expect((try? gone.get()) == nil)
        let violations = kernel.checkInvariants(misuse: false)
        let others = other.checkInvariants(misuse: false)
        #expect(violations == [])
        #expect(others == [])
    }

    @Test func `a page table that a client frees stays a page table`() throws {
        var kernel = try Kernel()
        try map(&kernel, 0x40_0000, 4_096)
        _ = try touch(&kernel, 0x40_0000)
        let boot = kernel.bootTables()
        let walk = kernel.walk(0x40_0000, root: kernel.root(of: 0, boot), boot)

        kernel.freePages(PFN(rawValue: walk.last.table), order: 0)
        let errno = kernel.munmap(0, 0x40_0000, 4_096)

        #expect(errno == nil)
        let isReported = kernel.log.lines.contains { $0.hasPrefix("BUG: Bad page state") }
        let violations = kernel.checkInvariants(misuse: false)
        #expect(isReported)
        #expect(violations == [])
    }

    // All entries of a middle table point to one full table: a view looks at it no more often than
    // the process has tables, in however many parts it walks.
    @Test func `tables that a client shows many times are counted a few times`() throws {
        var kernel = try Kernel()
        let base: UInt64 = 0x4000_0000
        try map(&kernel, base, 512 << 12)
        for page in 0..<UInt64(512) { _ = try touch(&kernel, base + page << 12) }
        for table in 1...UInt64(10) {
            try map(&kernel, base + table << 21, 4_096)
            _ = try touch(&kernel, base + table << 21)
        }
        let boot = kernel.bootTables()
        let walk = kernel.walk(base, root: kernel.root(of: 0, boot), boot)
        let entry = kernel.paging.format.entry(frame: walk.last.table, .table)
        for index in 0..<512 { kernel.setTableEntry(walk.steps[2].table, index, entry) }
        let tables = kernel.processes[0].space.tableCount

        let all = kernel.residentPages(of: 1, from: .null, limit: .max)
        let found = try #require(all)

        #expect(tables == 13)
        #expect(found.pages.count >= 512)
        #expect(found.pages.count <= (tables + 2) * 512)
    }

    @Test func `a view passes over so many zero pages and tells where to go on`() throws {
        var kernel = try Kernel()
        let base: UInt64 = 0x4000_0000
        try map(&kernel, base, 2_048 << 12)
        for page in 0..<UInt64(2_000) {
            _ = kernel.userPage(0, at: base + page << 12, for: .load, cpu: 0)
        }
        _ = try touch(&kernel, base + 2_001 << 12)

        let first = kernel.residentPages(of: 1, from: .null, limit: 10, lookingAt: 1_000)
        let middle = try #require(first)
        let start = try #require(middle.next)
        let second = kernel.residentPages(of: 1, from: start, limit: 10, lookingAt: 4_000)
        let rest = try #require(second)
        let counted = kernel.processView(1, limit: 10)
        let plain = kernel.processView(1, limit: 10, countsPages: false)

        #expect(middle.pages.isEmpty)
        #expect(start.rawValue > base && start.rawValue < base + 2_000 << 12)
        #expect(rest.pages.map(\.address.rawValue) == [base + 2_001 << 12])
        #expect(rest.next == nil)
        #expect(counted?.areas.map(\.residentPages).reduce(0, +) == 1)
        #expect(plain?.areas.map(\.residentPages).reduce(0, +) == 0)
        #expect(plain?.residentPages == 1)
    }

    @Test func `an entry that points out of memory is no zero page, and no page at all`() throws {
        var kernel = try Kernel()
        try map(&kernel, 0x40_0000, 4_096)
        _ = try touch(&kernel, 0x40_0000)
        let boot = kernel.bootTables()
        let walk = kernel.walk(0x40_0000, root: kernel.root(of: 0, boot), boot)
        let device = kernel.paging.format.entry(frame: 0xfee00, [.present, .user, .writable])
        kernel.setTableEntry(walk.last.table, 0, device)

        let pages = kernel.userPages(of: 1, in: 0x40_0000..<0x40_1000)
        let usages = kernel.areaUsages(of: 1)

        #expect(pages?.map(\.pfn.rawValue) == [0xfee00])
        #expect(pages?.map(\.isZeroPage) == [false])
        #expect(pages?.map(\.mapCount) == [0])
        #expect(usages?.allSatisfy { $0.resident == 0 } == true)
    }

    // Each level's table points to itself: without an end, munmap would walk 2^27 entries.
    @Test func `tables that a client ties in a knot end all walks`() throws {
        var kernel = try Kernel()
        try map(&kernel, 0x40_0000, 1 << 20)
        _ = try touch(&kernel, 0x40_0000)
        let boot = kernel.bootTables()
        let walk = kernel.walk(0x40_0000, root: kernel.root(of: 0, boot), boot)
        for level in 1...2 {
            let table = walk.steps[level].table
            let entry = kernel.paging.format.entry(frame: table, .table)
            let word = (0..<8).map { UInt8(truncatingIfNeeded: entry.rawValue >> UInt64($0 * 8)) }
            for index in 0..<UInt64(512) {
                let place = AddressLayout.x8664.pageOffset + table << 12 + index * 8
                let stored = kernel.storeKernel(place, word, in: .standard)
                #expect(stored.fault == nil)
            }
        }

        let read = kernel.userPage(0, at: 0x40_1000, for: .store, cpu: 0)
        let protected = kernel.mprotect(0, 0x40_0000, 1 << 20, .read)
        let unmapped = kernel.munmap(0, 0x40_0000, 1 << 20)

        #expect((try? read.get()) == nil || protected == nil)
        #expect(unmapped == nil)
        let isTampered = kernel.paging.isTampered
        let violations = kernel.checkInvariants(misuse: true)
        #expect(isTampered)
        #expect(violations == [])
    }
}
