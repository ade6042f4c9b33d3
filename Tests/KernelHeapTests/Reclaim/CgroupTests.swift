import TestSupport
import Testing

@testable import KernelHeap

@Suite("Memory cgroups: limits of __GFP_ACCOUNT, of processes and of files")
struct CgroupTests {
    private static let base: UInt64 = 0x1000_0000

    /// Bytes that tell which page they were written to.
    private static func word(_ page: Int) -> [UInt8] {
        let word = UInt64(page) &* 0x0101_0101_0101 + 1
        return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }

    /// A machine whose group /a has one process and a limit.
    private func machine(limit: String, swap: UInt64 = 0) throws -> ReclaimMachine {
        var machine = try ReclaimMachine(megabytes: 96, swap: swap)
        try machine.mkdir("/a")
        try machine.write("/a/memory.max", limit)
        let made = machine.kernel.createProcess(named: "worker", parent: 1, cpu: 0)
        #expect(made == .success(2))
        try machine.write("/a/cgroup.procs", "2")
        return machine
    }

    // A limit of 64 KiB is 16 pages: an accounted block of 16 fits, a page more does not.
    @Test func `GFP_KERNEL_ACCOUNT gets no page beyond its group's limit, and GFP_ATOMIC does`()
        throws
    {
        var machine = try machine(limit: "64K")
        let worker = CallContext(pid: 2)
        let account = GFPFlags.kernel.union(.account)
        let block = machine.kernel.allocPages(order: 4, flags: account, in: worker)
        #expect(block != nil)
        #expect(machine.usage("/a") == 16 * 4096)
        let lines = machine.kernel.log.lines.count
        let patient = account.union(.retryMayFail)
        #expect(machine.kernel.allocPages(order: 0, flags: patient, in: worker) == nil)
        #expect(machine.events("/a")["max"] ?? 0 > 0 && machine.events("/a")["oom"] == 0)
        #expect(machine.kernel.log.lines.count == lines, "no report: the machine is not short")
        // Without a flag to give up by, the group's only process is killed, and gets nothing either.
        #expect(machine.kernel.allocPages(order: 0, flags: account, in: worker) == nil)
        #expect(machine.kernel.dyingProcess == 2 && machine.usage("/a") == 16 * 4096)
        #expect(machine.events("/a")["oom"] == 1 && machine.events("/a")["oom_kill"] == 1)
        machine.kernel.endDyingProcess(2, in: .standard)

        let atomic = GFPFlags([.high, .kswapdReclaim]).union(.account)
        try machine.write("/a/cgroup.procs", "1")
        let forced = machine.kernel.allocPages(order: 0, flags: atomic, in: CallContext(pid: 1))
        #expect(forced != nil && machine.usage("/a") == 17 * 4096)
        // Who is not in the group, and who is in no process, is not held to it.
        try machine.write("/cgroup.procs", "1")
        #expect(machine.kernel.allocPages(order: 3, flags: account, in: CallContext(pid: 1)) != nil)
        #expect(machine.usage("/a") == 17 * 4096)
        let violations = machine.violations
        #expect(violations == [])
    }

    @Test func `what is freed, in whole or in part, is charged no more`() throws {
        var machine = try machine(limit: "max")
        let worker = CallContext(pid: 2)
        let account = GFPFlags.kernel.union(.account)
        let first = try machine.block(3, account, worker)
        machine.kernel.freePages(first, order: 3, in: .standard)
        #expect(machine.usage("/a") == 0)

        let split = try machine.block(2, account, worker)
        machine.kernel.splitBlock(UInt32(split.rawValue))
        for page in 0..<3 {
            let pfn = PFN(rawValue: split.rawValue + UInt64(page))
            machine.kernel.freePages(pfn, order: 0, in: .standard)
        }
        #expect(machine.usage("/a") == 4096)

        let exact = machine.kernel.allocPagesExact(bytes: 5 * 4096, flags: account, in: worker)
        #expect(exact != nil && machine.usage("/a") == 6 * 4096)
        // While another holds the head, the halves above it go at once: `__free_pages()`.
        let held = try machine.block(2, account, worker)
        machine.kernel.getPage(UInt32(held.rawValue))
        machine.kernel.freePages(held, order: 2, in: .standard)
        #expect(machine.usage("/a") == 7 * 4096)
        let violations = machine.violations
        #expect(violations == [])
        machine.kernel.freePages(held, order: 0, in: .standard)
        #expect(machine.usage("/a") == 6 * 4096)
    }

    // `obj_full_size()`: an object and the pointer to its group, 64 + 8 bytes; 57 of them are 4,104.
    @Test func `slab objects are charged with the pointer beside them, in whole pages`() throws {
        var machine = try machine(limit: "8K")
        let worker = CallContext(pid: 2)
        let flags = GFPFlags.kernel.union([.account, .noRetry])
        var objects: [LinearAddress] = []
        for _ in 0..<56 {
            objects.append(machine.kernel.kmalloc(size: 64, flags: flags, in: worker))
        }
        #expect(machine.usage("/a") == 4096)
        objects.append(machine.kernel.kmalloc(size: 64, flags: flags, in: worker))
        #expect(machine.usage("/a") == 8192)
        while let next = machine.object(flags, worker) { objects.append(next) }
        #expect(objects.count == 8192 / 72, "the second page is full, and there is no third")
        #expect(machine.kernel.log.lines.allSatisfy { !$0.contains("page allocation failure") })
        let violations = machine.violations
        #expect(violations == [])
        for object in objects { machine.kernel.kfree(object, in: .standard) }
        #expect(machine.usage("/a") == 0)
    }

    @Test func `a group at its limit swaps its own pages out and leaves those of others`() throws {
        var machine = try machine(limit: "1M", swap: 16)
        machine.map(0, Self.base, pages: 64)
        for page in 0..<64 {
            let address = Self.base + UInt64(page) * 4096
            _ = machine.kernel.storeUser(0, address, [1], in: CallContext(pid: 1))
        }
        let worker = try machine.place(2)
        machine.map(worker, Self.base, pages: 512)
        machine.kernel.runningProcess = 2
        for page in 0..<512 {
            let address = Self.base + UInt64(page) * 4096
            let isStored = machine.kernel.storeUser(
                worker,
                address,
                Self.word(page),
                in: CallContext(pid: 2)
            )
            try #require(isStored)
        }

        #expect(machine.usage("/a") <= 1 << 20)
        #expect(machine.kernel.processes[worker].space.swapEntries > 250)
        #expect(machine.kernel.processes[0].space.swapEntries == 0)
        #expect(machine.events("/a")["oom_kill"] == 0)
        for page in 0..<512 {
            let address = Self.base + UInt64(page) * 4096
            let loaded = machine.kernel.loadUser(worker, address, bytes: 8, in: CallContext(pid: 2))
            try #require(loaded == UInt64(page) &* 0x0101_0101_0101 + 1, "page \(page)")
        }
        let violations = machine.violations
        #expect(violations == [])
    }

    @Test func `without swap the group's largest process is killed, and nobody outside`() throws {
        var machine = try machine(limit: "1M")
        _ = machine.kernel.createProcess(named: "outside", parent: 1, cpu: 0)
        let outside = try machine.place(3)
        machine.map(outside, Self.base, pages: 1_024)
        machine.kernel.runningProcess = 3
        for page in 0..<1_024 {
            let address = Self.base + UInt64(page) * 4096
            _ = machine.kernel.storeUser(outside, address, [1], in: CallContext(pid: 3))
        }
        let worker = try machine.place(2)
        machine.map(worker, Self.base, pages: 512)
        for page in 0..<512 where machine.kernel.process(2) != nil {
            machine.kernel.runningProcess = 2
            _ = machine.kernel.storeUser(
                worker,
                Self.base + UInt64(page) * 4096,
                [1],
                in: CallContext(pid: 2)
            )
            if let dying = machine.kernel.dyingProcess {
                machine.kernel.endDyingProcess(dying, in: .standard)
            }
        }

        #expect(machine.kernel.process(2) == nil && machine.kernel.process(3) != nil)
        let lines = machine.kernel.log.lines
        #expect(
            lines.contains {
                $0.hasPrefix("Memory cgroup out of memory: Killed process 2 (worker)")
            }
        )
        let summary =
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
        #expect(
            lines.contains(
                summary + "oom_memcg=/a,task_memcg=/a,task=worker,pid=2,uid=0"
            )
        )
        #expect(lines.contains("Memory cgroup stats for /a:"))
        #expect(!lines.contains { $0.hasPrefix("Mem-Info:") }, "the machine has memory enough")
        #expect(machine.usage("/a") == 0)
        #expect(machine.events("/a")["oom_kill"] == 1)
    }

    @Test func `limits hold for the groups below, and protection keeps reclaim away`() throws {
        var machine = try ReclaimMachine(megabytes: 96, swap: 32)
        for path in ["/a", "/a/b", "/a/c"] { try machine.mkdir(path) }
        try machine.write("/a/memory.max", "2M")
        try machine.write("/a/b/memory.min", "1M")
        for (pid, path) in [(2, "/a/b"), (3, "/a/c")] {
            _ = machine.kernel.createProcess(named: "p\(pid)", parent: 1, cpu: 0)
            try machine.write("\(path)/cgroup.procs", "\(pid)")
            let place = try machine.place(pid)
            machine.map(place, Self.base, pages: 1_024)
            machine.kernel.runningProcess = pid
            for page in 0..<(pid == 2 ? 200 : 600) {
                let address = Self.base + UInt64(page) * 4096
                _ = machine.kernel.storeUser(place, address, [1], in: CallContext(pid: pid))
            }
        }

        #expect(machine.usage("/a") <= 2 << 20)
        #expect(machine.usage("/a") == machine.usage("/a/b") + machine.usage("/a/c"))
        let kept = try machine.place(2)
        #expect(machine.kernel.processes[kept].space.swapEntries == 0, "below memory.min")
        let violations = machine.violations
        #expect(violations == [])
    }

    @Test func `files refuse what they do not take, and directories in use stay`() throws {
        var machine = try machine(limit: "1M")
        let refused: [(String, String, Errno)] = [
            ("/a/memory.max", "many", .EINVAL), ("/a/memory.max", "-1", .EINVAL),
            ("/a/memory.swap.weight", "1", .ENOENT), ("/b/memory.max", "1", .ENOENT),
            ("/memory.max", "1M", .ENOENT), ("/a/cgroup.procs", "99", .ESRCH),
            ("/a/cgroup.procs", "x", .EINVAL), ("memory.max", "1", .ENOENT),
            ("/a/memory.current", "0", .EINVAL),
            ("/a/memory.oom.group", "2", .EINVAL),
        ]
        for (file, value, errno) in refused {
            #expect(machine.kernel.writeCgroupFile(file, value, in: .standard) == errno, "\(file)")
        }
        #expect(machine.kernel.makeCgroup("/a") == .EEXIST)
        #expect(machine.kernel.makeCgroup("/x/y") == .ENOENT)
        #expect(machine.kernel.makeCgroup("/a\nb") == .EINVAL)
        #expect(machine.kernel.makeCgroup("/a/") == .EEXIST)
        #expect(machine.kernel.makeCgroup("/memory.max") == .EEXIST)
        #expect(
            machine.kernel.makeCgroup("/" + String(repeating: "n", count: 256)) == .ENAMETOOLONG
        )
        #expect(machine.kernel.removeCgroup("/a") == .EBUSY)
        #expect(machine.kernel.removeCgroup("/") == .EPERM)
        machine.kernel.exitProcess(try machine.place(2), code: 0, cpu: 0)
        #expect(machine.kernel.removeCgroup("/a") == nil)
        #expect(machine.kernel.removeCgroup("/a") == .ENOENT)
        var made = 0
        while machine.kernel.makeCgroup("/g\(made)") == nil, made < 1_000 { made += 1 }
        #expect(made == MemoryCgroups.limit - 1)
    }
}

extension ReclaimMachine {
    fileprivate mutating func mkdir(_ path: String) throws {
        let errno = kernel.makeCgroup(path)
        try #require(errno == nil, "\(path)")
    }

    fileprivate mutating func block(
        _ order: Int,
        _ flags: GFPFlags,
        _ context: CallContext
    ) throws -> PFN {
        let pfn = kernel.allocPages(order: order, flags: flags, in: context)
        return try #require(pfn)
    }

    fileprivate mutating func write(_ file: String, _ value: String) throws {
        let errno = kernel.writeCgroupFile(file, value, in: .standard)
        try #require(errno == nil, "\(file)")
    }

    /// Bytes that a group is charged for.
    fileprivate func usage(_ path: String) -> UInt64 { kernel.cgroupView(at: path)?.current ?? 0 }

    fileprivate func events(_ path: String) -> [String: UInt64] {
        let events = kernel.cgroupView(at: path)?.events ?? []
        return Dictionary(events.map { ($0.name, $0.count) }) { first, _ in first }
    }

    fileprivate mutating func object(_ flags: GFPFlags, _ context: CallContext) -> LinearAddress? {
        let object = kernel.kmalloc(size: 64, flags: flags, in: context)
        return object == .null ? nil : object
    }
}
