import TestSupport
import Testing

@testable import KernelHeap

@Suite("Processes: fork and copy on write")
struct ForkTests {
    private static let profiles = ["linux-6.1-x86_64", "linux-6.1-i386"]
    private static let base: UInt64 = 0x1000_0000

    // 686-1G and pae-1G: `uwalk.jsonl`, from "before fork" on.
    @Test("entries of parent and child have the recorded bits", arguments: PagingMachine.recorded)
    func recordedBits(recorded: PagingMachine.Recorded) throws {
        let walks = try PageWalkRecording.walks(recorded.name, "uwalk")
        let address = try #require(walks["before fork"]).address
        var machine = ProcessMachine(kernel: try PagingMachine.boot(recorded))
        try machine.map(0, address, pages: 1, [.read, .write, .execute])
        func recordedText(_ name: String) throws -> String? {
            try #require(walks[name]).levels.last
        }

        var refusal = machine.store(0, address, 1)
        #expect(refusal == nil)
        var text = machine.entry(0, address)?.text
        #expect(try text == recordedText("before fork"))
        let child = try machine.fork(0)
        text = machine.entry(child, address)?.text
        #expect(try text == recordedText("child after fork (copy on write)"))
        refusal = machine.store(child, address, 2)
        #expect(refusal == nil)
        text = machine.entry(child, address)?.text
        #expect(try text == recordedText("child after its write"))
        _ = machine.load(0, address)
        text = machine.entry(0, address)?.text
        #expect(try text == recordedText("parent after child's copy"))
        refusal = machine.store(0, address, 3)
        #expect(refusal == nil)
        text = machine.entry(0, address)?.text
        #expect(try text == recordedText("parent after its own write"))
    }

    @Test("a page is copied at the first store, and the last owner keeps it", arguments: profiles)
    func lastOwner(profile: String) throws {
        var machine = try ProcessMachine(profile)
        try machine.map(0, Self.base, pages: 1)
        _ = machine.store(0, Self.base, 7)
        let original = try machine.frame(0, Self.base)

        let child = try machine.fork(0)
        let shared = try machine.frame(child, Self.base)
        let mapCount = machine.kernel.pages.map[Int(original)].mapCount
        _ = machine.store(child, Self.base, 8)
        let copy = try machine.frame(child, Self.base)
        _ = machine.store(0, Self.base, 9)
        let kept = try machine.frame(0, Self.base)

        #expect(shared == original)
        #expect(mapCount == 2)
        #expect(copy != original)
        #expect(kept == original)
        let bytes = (machine.load(0, Self.base), machine.load(child, Self.base))
        #expect(bytes == (9, 8))
        #expect(machine.violations() == [])
    }

    @Test("copy_to_user breaks the sharing of the page it stores to", arguments: profiles)
    func copyToUser(profile: String) throws {
        var machine = try ProcessMachine(profile)
        try machine.map(0, Self.base, pages: 1)
        _ = machine.store(0, Self.base, 7)
        let address = try machine.kernelPage()
        machine.kernel.writeKernel(address, [1])
        let child = try machine.fork(0)

        let copy = machine.kernel.copyToUser(
            child,
            to: Self.base,
            from: address,
            count: 1,
            in: CallContext(pid: machine.kernel.processes[child].pid)
        )

        #expect(copy.notCopied == 0)
        let bytes = (machine.load(0, Self.base), machine.load(child, Self.base))
        #expect(bytes == (7, 1))
        #expect(machine.violations() == [])
    }

    @Test("a page that somebody else holds is copied, even by its only process")
    func foreignReference() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1)
        _ = machine.store(0, Self.base, 7)
        let frame = UInt32(try machine.frame(0, Self.base))
        let child = try machine.fork(0)
        machine.exit(child)
        machine.kernel.getPage(frame)

        _ = machine.store(0, Self.base, 8)

        let now = try machine.frame(0, Self.base)
        #expect(now != UInt64(frame))
        machine.kernel.putPage(frame, in: .standard)
        #expect(machine.violations() == [])
    }

    // Areas without an anon_vma are skipped: vma_needs_copy().
    @Test("tables of memory that was only read are not copied", arguments: profiles)
    func lazyTables(profile: String) throws {
        var machine = try ProcessMachine(profile)
        try machine.map(0, Self.base, pages: 4)
        _ = machine.load(0, Self.base)

        let child = try machine.fork(0)

        #expect(machine.kernel.processes[child].space.tableCount == 0)
        let byte = machine.load(child, Self.base)
        #expect(byte == 0)
        #expect(machine.violations() == [])
    }

    @Test("all pages and tables of all processes come back", arguments: profiles)
    func exit(profile: String) throws {
        var machine = try ProcessMachine(profile)
        try machine.map(0, Self.base, pages: 1)
        _ = machine.store(0, Self.base, 7)
        let before = machine.freePages
        let first = try machine.create()
        try machine.map(first, Self.base, pages: 40)
        for page in 0..<UInt64(40) { _ = machine.store(first, Self.base + page << 12, 1) }
        let second = try machine.fork(first)
        let third = try machine.fork(second)
        for page in 0..<UInt64(20) { _ = machine.store(second, Self.base + page << 12, 2) }

        #expect(machine.violations() == [])
        machine.exit(second)
        #expect(machine.violations() == [])
        machine.exit(first)
        machine.exit(third)

        let after = machine.freePages
        #expect(after == before)
        #expect(machine.kernel.pids == [1])
        #expect(machine.violations() == [])
    }

    @Test func `MADV_DONTFORK areas stay behind, MADV_WIPEONFORK areas are empty in the child`()
        throws
    {
        var machine = try ProcessMachine()
        let other = Self.base + 0x10_0000
        try machine.map(0, Self.base, pages: 1)
        try machine.map(0, other, pages: 1)
        _ = machine.store(0, Self.base, 7)
        _ = machine.store(0, other, 8)
        let errors = (
            machine.kernel.madvise(0, Self.base, 4_096, MemoryAdvice.dontFork.rawValue),
            machine.kernel.madvise(0, other, 4_096, MemoryAdvice.wipeOnFork.rawValue)
        )

        let child = try machine.fork(0)

        #expect(errors == (nil, nil))
        #expect(machine.areas(child) == ["10100000-10101000 rw-p"])
        let bytes = (machine.load(child, other), machine.load(child, Self.base))
        #expect(bytes == (0, nil))
        #expect(machine.violations() == [])
    }

    @Test func `shared memory stays shared over a fork, whoever touches it first`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 2, flags: ProcessMachine.sharedFlags)
        _ = machine.store(0, Self.base, 7)

        let child = try machine.fork(0)
        let seen = machine.load(child, Self.base)
        _ = machine.store(child, Self.base + 4_096, 9)
        let seenByParent = machine.load(0, Self.base + 4_096)
        let meminfo = machine.kernel.memInfoView()

        #expect(seen == 7)
        #expect(seenByParent == 9)
        #expect(meminfo[.shmem] == 8)
        #expect(machine.violations() == [])
        machine.exit(child)
        let errno = machine.kernel.munmap(0, Self.base, 2 * 4_096)
        #expect(errno == nil)
        #expect(machine.kernel.files.count == 0)
        #expect(machine.violations() == [])
    }

    @Test func `a fork of the machine keeps sharing what its processes shared`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1)
        _ = machine.store(0, Self.base, 7)
        let child = try machine.fork(0)
        var other = ProcessMachine(kernel: machine.kernel.fork())

        _ = other.store(child, Self.base, 8)

        let here = (machine.load(0, Self.base), machine.load(child, Self.base))
        let there = (other.load(0, Self.base), other.load(child, Self.base))
        #expect(here == (7, 7))
        #expect(there == (7, 8))
        #expect(machine.violations() == [])
        #expect(other.violations() == [])
    }

    @Test func `the end of process 1 is a panic`() throws {
        var machine = try ProcessMachine()

        machine.kernel.exitProcess(0, code: 0x100, cpu: 0)

        let isPanicked = machine.kernel.isPanicked
        #expect(isPanicked)
        let line = machine.kernel.log.lines.last
        #expect(
            line == "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"
        )
    }

    @Test func `a machine without memory for the tables has no child, and nothing is lost`() throws
    {
        var machine = try ProcessMachine(memory: 96 << 20)
        try machine.map(0, Self.base, pages: 64)
        for page in 0..<UInt64(64) { _ = machine.store(0, Self.base + page << 12, 1) }
        var taken: [PFN] = []
        while let page = machine.kernel.allocPages(order: 0, flags: .kernel) { taken.append(page) }
        let before = machine.freePages

        let forked = machine.kernel.forkProcess(0, cpu: 0)

        #expect(throws: Errno.ENOMEM) { try forked.get() }
        #expect(machine.kernel.pids == [1])
        let after = machine.freePages
        #expect(after == before)
        #expect(machine.violations() == [])
    }
}
