import Testing

@testable import KernelHeap

@Suite("Processes: mmap, mremap, brk, stacks, locks")
struct MappingTests {
    private static let base: UInt64 = 0x1000_0000
    private static let profiles = ["linux-6.1-x86_64", "linux-6.1-i386"]

    // do_mmap() and ksys_mmap_pgoff(), 6.1, in the order of their checks.
    @Test("mmap refuses what Linux refuses")
    func refusals() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1)
        let anonymous = ProcessMachine.privateFlags
        let fixed = anonymous | MapFlags.fixed
        let cases: [(UInt64, UInt64, UInt64, UInt64, Errno)] = [
            (0, 4_096, anonymous, 1, .EINVAL), (0, 4_096, MapFlags.private, 0, .EBADF),
            (0, 0, MapFlags.private, 0, .EBADF), (0, 0, anonymous, 0, .EINVAL),
            (0, .max, anonymous, 0, .ENOMEM), (0, 1 << 47, anonymous, 0, .ENOMEM),
            (0, 4_096, MapFlags.anonymous, 0, .EINVAL),
            (0, 4_096, MapFlags.anonymous | MapFlags.sharedValidate, 0, .EINVAL),
            (0, 4_096, ProcessMachine.sharedFlags | MapFlags.growsDown, 0, .EINVAL),
            (Self.base + 1, 4_096, fixed, 0, .EINVAL),
            (0x7fff_ffff_f000, 4_096, fixed, 0, .ENOMEM), (0x1000, 4_096, fixed, 0, .EPERM),
            (Self.base, 4_096, anonymous | MapFlags.fixedNoReplace, 0, .EEXIST),
            (0, 9 << 20, anonymous | MapFlags.locked, 0, .EAGAIN),
            (0, 1 << 30, anonymous, 0, .ENOMEM),
        ]
        for (index, (hint, length, flags, offset, errno)) in cases.enumerated() {
            let result = machine.kernel.mmap(
                0,
                hint: hint,
                length: length,
                rights: [.read, .write],
                flags: flags,
                offset: offset
            )
            #expect(throws: errno, "case \(index)") { try result.get() }
        }
        #expect(machine.areas(0) == ["10000000-10001000 rw-p"])
    }

    @Test("a private mapping of a file copies, a shared one stores, and the end is SIGBUS")
    func files() throws {
        for profile in Self.profiles {
            var machine = try ProcessMachine(profile)
            let file = try machine.kernel.createFile(0, named: "data").get()
            let bytes = [UInt8](repeating: 5, count: 5_000)
            let written = machine.kernel.writeFile(0, file, bytes, at: 0, cpu: 0)
            try machine.map(0, Self.base, pages: 3, flags: MapFlags.private, file: file)
            let shared = Self.base + 0x10_0000
            try machine.map(0, shared, pages: 3, flags: MapFlags.shared, file: file)

            let copied = machine.store(0, Self.base, 9)
            let stored = machine.store(0, shared + 4_096, 7)
            let beyond = machine.store(0, shared + 0x2000, 7)
            let loaded = [Self.base, shared, Self.base + 4_096, Self.base + 5_000].map {
                machine.load(0, $0)
            }
            let content = try machine.kernel.readFile(0, file, 8_192, at: 4_096, cpu: 0).get()

            #expect(try written.get() == 5_000)
            #expect(copied == nil && stored == nil)
            #expect(beyond == .beyondFile)
            #expect(loaded == [9, 5, 7, 0], "\(profile)")
            #expect(content.count == 904 && content.first == 7)
            #expect(machine.violations() == [])

            let cut = machine.kernel.truncate(0, file, to: 10, cpu: 0)
            let gone = (machine.load(0, shared + 4_096), machine.load(0, Self.base))
            #expect(cut == nil)
            #expect(gone == (nil, 9))
            #expect(machine.violations() == [])
            let closed = machine.kernel.closeFile(0, file, cpu: 0)
            let unmapped = machine.kernel.munmap(0, Self.base, 0x20_0000)
            #expect(closed.value == 0 && unmapped == nil)
            #expect(machine.kernel.files.count == 0)
            #expect(machine.violations() == [])
        }
    }

    // expand_downwards(): 1 MiB of gap, 8 MiB of stack.
    @Test func `a stack grows at a fault below it, but not near another mapping`() throws {
        var machine = try ProcessMachine()
        let process = try machine.create()
        let top: UInt64 = 0x7fff_ffff_f000

        let near = machine.store(process, top - 0x30_0000, 1)
        let far = machine.store(process, top - (8 << 20) - 1, 1)
        let limit = machine.store(process, top - (8 << 20), 1)
        let grown = machine.areas(process)
        #expect(near == nil && limit == nil)
        #expect(far == .notMapped)
        #expect(grown == ["7fffff7ff000-7ffffffff000 rw-p"])

        let flags = ProcessMachine.privateFlags
        try machine.map(process, Self.base, pages: 1, flags: flags | MapFlags.growsDown)
        try machine.map(process, Self.base - 0x10_1000, pages: 1)
        let guarded = machine.store(process, Self.base - 4_096, 1)
        #expect(guarded == .notMapped)
        let errno = machine.kernel.munmap(process, Self.base - 0x10_1000, 4_096)
        let free = machine.store(process, Self.base - 4_096, 1)
        #expect(errno == nil && free == nil)
        #expect(machine.violations() == [])
    }

    @Test func `brk moves the end of the heap, and stays where something is in the way`() throws {
        var machine = try ProcessMachine()
        let process = try machine.create()
        let start = machine.kernel.setBreak(process, to: 0, cpu: 0)

        let grown = machine.kernel.setBreak(process, to: start + 10_000, cpu: 0)
        let stored = machine.store(process, start + 9_999, 3)
        try machine.map(process, start + 0x10_0000, pages: 1)
        let blocked = machine.kernel.setBreak(process, to: start + 0x10_0000, cpu: 0)
        let shrunk = machine.kernel.setBreak(process, to: start + 100, cpu: 0)
        let refused = machine.load(process, start + 8_192)
        let below = machine.kernel.setBreak(process, to: start - 1, cpu: 0)

        #expect(start == 0x5555_5555_9000)
        #expect(grown == start + 10_000 && stored == nil)
        #expect(blocked == grown)
        #expect(shrunk == start + 100 && below == shrunk)
        #expect(refused == nil)
        #expect(machine.violations() == [])
    }

    @Test("mremap grows in place, moves with its pages, shrinks and leaves", arguments: profiles)
    func remap(profile: String) throws {
        var machine = try ProcessMachine(profile)
        try machine.map(0, Self.base, pages: 2)
        try machine.map(0, Self.base + 0x8000, pages: 1, .read)
        _ = machine.store(0, Self.base, 1)
        _ = machine.store(0, Self.base + 0x1000, 2)
        let frame = machine.entry(0, Self.base)?.frame
        func remap(
            _ old: UInt64,
            _ new: UInt64,
            _ flags: UInt64,
            to target: UInt64 = 0
        )
            -> Kernel.Remapping
        {
            Kernel.Remapping(
                address: Self.base,
                oldLength: old,
                newLength: new,
                flags: flags,
                target: target
            )
        }

        let inPlace = machine.kernel.mremap(0, remap(0x2000, 0x4000, 0), cpu: 0)
        let blocked = machine.kernel.mremap(0, remap(0x4000, 0x10000, 0), cpu: 0)
        #expect(try inPlace.get() == Self.base)
        #expect(throws: Errno.ENOMEM) { try blocked.get() }

        let target: UInt64 = 0x3000_0000
        let both = RemapFlags.mayMove | RemapFlags.fixed
        let moved = machine.kernel.mremap(0, remap(0x4000, 0x10000, both, to: target), cpu: 0)
        let bytes = (machine.load(0, target), machine.load(0, target + 0x1000))
        let old = machine.load(0, Self.base)
        #expect(try moved.get() == target)
        #expect(bytes == (1, 2))
        #expect(old == nil)
        #expect(machine.entry(0, target)?.frame == frame)
        #expect(machine.violations() == [])

        var back = remap(0x1000, 0x1000, RemapFlags.mayMove | RemapFlags.dontUnmap)
        back.address = target
        let left = try machine.kernel.mremap(0, back, cpu: 0).get()
        let seen = (machine.load(0, left), machine.load(0, target))
        #expect(seen == (1, 0))
        #expect(machine.violations() == [])

        var wrong = remap(0x1000, 0x1000, RemapFlags.fixed, to: target)
        let withoutMove = machine.kernel.mremap(0, wrong, cpu: 0)
        wrong.flags = 0
        let unmapped = machine.kernel.mremap(0, wrong, cpu: 0)
        var across = remap(0x20000, 0x40000, RemapFlags.mayMove)
        across.address = target
        let tooLong = machine.kernel.mremap(0, across, cpu: 0)
        #expect(throws: Errno.EINVAL) { try withoutMove.get() }
        #expect(throws: Errno.EFAULT) { try unmapped.get() }
        #expect(throws: Errno.EFAULT) { try tooLong.get() }
    }

    @Test func `mlock brings pages in, and tells what it could not`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 4)
        try machine.map(0, Self.base + 0x8000, pages: 1, [])

        let locked = machine.kernel.lock(0, Self.base, 0x4000, cpu: 0)
        let resident = machine.kernel.processes[0].space.residentPages
        let hole = machine.kernel.lock(0, Self.base + 0x3000, 0x2000, cpu: 0)
        let closed = machine.kernel.lock(0, Self.base + 0x8000, 0x1000, cpu: 0)
        let tooMuch = machine.kernel.lock(0, Self.base, 9 << 20, cpu: 0)
        let wrapped = machine.kernel.lock(0, .max - 4_096, 8_192, cpu: 0)
        let kept = machine.kernel.madvise(0, Self.base, 4_096, MemoryAdvice.dontNeed.rawValue)
        let given = machine.kernel.madvise(
            0,
            Self.base,
            4_096,
            MemoryAdvice.dontNeedLocked.rawValue
        )

        #expect(locked == nil)
        #expect(resident == 4)
        #expect(hole == .ENOMEM && closed == .ENOMEM && tooMuch == .ENOMEM)
        #expect(wrapped == .EINVAL)
        #expect(kept == .EINVAL && given == nil)
        #expect(machine.kernel.processes[0].space.residentPages == 3)
        #expect(machine.violations() == [])
    }

    @Test func `MAP_POPULATE, MADV_POPULATE and MADV_REMOVE act on pages`() throws {
        var machine = try ProcessMachine()
        let flags = ProcessMachine.privateFlags
        try machine.map(0, Self.base, pages: 4, flags: flags | MapFlags.populate)
        let populated = machine.kernel.processes[0].space.anonymousPages
        let shared = Self.base + 0x10_0000
        try machine.map(0, shared, pages: 4, flags: ProcessMachine.sharedFlags)
        let advised = machine.kernel.madvise(
            0,
            shared,
            0x4000,
            MemoryAdvice.populateWrite.rawValue
        )
        let resident = machine.kernel.processes[0].space.filePages
        _ = machine.store(0, shared, 7)
        let removed = machine.kernel.madvise(0, shared, 0x1000, MemoryAdvice.remove.rawValue)
        let byte = machine.load(0, shared)
        let wrong = machine.kernel.madvise(0, Self.base, 0x1000, MemoryAdvice.remove.rawValue)

        #expect(populated == 4)
        #expect(advised == nil && resident == 4)
        #expect(removed == nil && byte == 0)
        #expect(wrong == .EINVAL)
        #expect(machine.violations() == [])
    }

    // access_error() and do_kern_addr_fault(), arch/x86/mm/fault.c.
    @Test func `signals tell what was refused, for loads, stores and fetches`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 1)
        try machine.map(0, Self.base + 0x1000, pages: 1, .read)
        try machine.map(0, Self.base + 0x2000, pages: 1, [])
        let hidden: UInt64 = 0xffff_8880_0000_1000
        let cases: [(UInt64, Kernel.UserAccess, UserFault.Reason, UInt32)] = [
            (Self.base, .fetch, .notExecutable, 0x15), (Self.base + 0x1000, .store, .readOnly, 6),
            (Self.base + 0x2000, .load, .noAccess, 4), (Self.base + 0x3000, .store, .notMapped, 6),
            (Self.base + 0x3000, .fetch, .notMapped, 0x14), (hidden, .load, .notMapped, 5),
            (0x8000_0000_0000, .load, .nonCanonical, 0), (0, .load, .notMapped, 4),
        ]
        for (address, access, reason, code) in cases {
            let page = machine.kernel.userPage(0, at: address, for: access, cpu: 0)
            guard case .failure(let stop) = page else {
                Issue.record("\(address) is not refused")
                continue
            }
            #expect(stop.reason == reason, "\(address)")
            #expect(stop.code == code, "\(address)")
        }
    }
}
