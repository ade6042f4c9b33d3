import Testing

@testable import KernelHeap

/// Which neighbours join: `vma_merge()`, `mm/mmap.c`, 6.1.
@Suite("Processes: areas merge and split")
struct AreaMergingTests {
    private static let base: UInt64 = 0x1000_0000

    //   | rw | rw |  →  | rw |  →  mprotect the middle  →  | rw | r | rw |  →  back  →  | rw |
    @Test func `alike neighbours are one area, and are again after mprotect went and came`() throws
    {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 2)
        try machine.map(0, Self.base + 0x2000, pages: 2)
        let joined = machine.areas(0)

        let away = machine.kernel.mprotect(0, Self.base + 0x1000, 0x1000, .read)
        let cut = machine.areas(0)
        let back = machine.kernel.mprotect(0, Self.base + 0x1000, 0x1000, [.read, .write])

        #expect(joined == ["10000000-10004000 rw-p"])
        #expect(away == nil && back == nil)
        #expect(
            cut == ["10000000-10001000 rw-p", "10001000-10002000 r--p", "10002000-10004000 rw-p"]
        )
        #expect(machine.areas(0) == joined)
        #expect(machine.violations() == [])
    }

    // A promise of memory, once made, is kept: VM_ACCOUNT stays with mprotect(PROT_READ).
    @Test func `memory that was writable once does not join memory that never was`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1, .read)
        try machine.map(0, Self.base + 0x1000, pages: 1)

        let errno = machine.kernel.mprotect(0, Self.base + 0x1000, 0x1000, .read)

        #expect(errno == nil)
        #expect(machine.areas(0) == ["10000000-10001000 r--p", "10001000-10002000 r--p"])
    }

    // is_mergeable_anon_vma(): both have pages, of different owners.
    @Test func `areas that got their first pages apart stay apart`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1)
        try machine.map(0, Self.base + 0x2000, pages: 1)
        _ = machine.store(0, Self.base, 1)
        _ = machine.store(0, Self.base + 0x2000, 1)

        try machine.map(0, Self.base + 0x1000, pages: 1)

        #expect(machine.areas(0) == ["10000000-10001000 rw-p", "10001000-10003000 rw-p"])
    }

    // find_mergeable_anon_vma(): a neighbour of other rights lends its owner before the first page.
    @Test func `a neighbour's owner is taken over, so that the two can join later`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 2)
        let cut = machine.kernel.mprotect(0, Self.base + 0x1000, 0x1000, [.read, .write, .execute])
        _ = machine.store(0, Self.base, 1)
        _ = machine.store(0, Self.base + 0x1000, 1)

        let joined = machine.kernel.mprotect(0, Self.base + 0x1000, 0x1000, [.read, .write])

        #expect(cut == nil && joined == nil)
        #expect(machine.areas(0) == ["10000000-10002000 rw-p"])
    }

    // The chain of a child's area has two links: it takes no area without pages.
    @Test func `a child's inherited area takes no new neighbour`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1)
        _ = machine.store(0, Self.base, 1)
        let child = try machine.fork(0)

        try machine.map(child, Self.base + 0x1000, pages: 1)
        try machine.map(0, Self.base + 0x1000, pages: 1)

        #expect(machine.areas(child) == ["10000000-10001000 rw-p", "10001000-10002000 rw-p"])
        #expect(machine.areas(0) == ["10000000-10002000 rw-p"])
    }

    @Test func `parts of a file join only where the file goes on`() throws {
        var machine = try ProcessMachine()
        let file = try machine.kernel.createFile(0, named: "data").get()
        let errno = machine.kernel.truncate(0, file, to: 0x4000, cpu: 0)
        let flags = MapFlags.shared

        try machine.map(0, Self.base, pages: 1, flags: flags, file: file)
        try machine.map(0, Self.base + 0x1000, pages: 1, flags: flags, file: file, offset: 0x1000)
        try machine.map(0, Self.base + 0x2000, pages: 1, flags: flags, file: file)

        #expect(errno == nil)
        #expect(machine.areas(0) == ["10000000-10002000 rw-s", "10002000-10003000 rw-s"])
        #expect(machine.violations() == [])
    }

    @Test func `advice and locks cut an area, and taking them back joins it`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 3)
        // With a page there is an owner that all parts share.
        _ = machine.store(0, Self.base, 1)
        let middle = Self.base + 0x1000
        for (away, back) in [
            (MemoryAdvice.dontFork, MemoryAdvice.doFork), (.sequential, .normal),
            (.hugePage, .noHugePage), (.dontDump, .doDump), (.wipeOnFork, .keepOnFork),
        ] {
            let cut = machine.kernel.madvise(0, middle, 0x1000, away.rawValue)
            let count = machine.areas(0).count
            let joined = machine.kernel.madvise(0, Self.base, 0x3000, back.rawValue)
            #expect(cut == nil && joined == nil)
            #expect(count == 3, "\(away)")
            #expect(machine.areas(0).count == 1, "\(back)")
        }
        let locked = machine.kernel.lock(0, middle + 7, 1, cpu: 0)
        let count = machine.areas(0).count
        let lockedPages = machine.kernel.processes[0].space.lockedPages
        let unlocked = machine.kernel.unlock(0, Self.base, 0x3000)

        #expect(locked == nil && unlocked == nil)
        #expect(count == 3 && lockedPages == 1)
        #expect(machine.areas(0).count == 1)
        #expect(machine.violations() == [])
    }
}
