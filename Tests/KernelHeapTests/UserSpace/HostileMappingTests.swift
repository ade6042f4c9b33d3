import Testing

@testable import KernelHeap

/// What mappings, files and their limits do where a process asks for too much, or at odd addresses.
@Suite("Processes: limits and edges of mappings")
struct HostileMappingTests {
    private static let base: UInt64 = 0x1000_0000
    private static let profiles = ["linux-6.1-x86_64", "linux-6.1-i386"]

    private static func map(
        _ machine: inout ProcessMachine,
        _ hint: UInt64,
        _ length: UInt64,
        _ flags: UInt64
    ) -> Result<UInt64, Errno> {
        let rights: MemoryRights = [.read, .write]
        return machine.kernel.mmap(0, hint: hint, length: length, rights: rights, flags: flags)
    }

    @Test func `one call brings in so many pages, in however many areas`() throws {
        var machine = try ProcessMachine()
        try machine.map(0, Self.base, pages: 4)
        try machine.map(0, Self.base + 0x4000, pages: 4, .read)
        let range = Self.base..<Self.base + 0x8000

        let stop = machine.kernel.populate(0, range, limit: 6, cpu: 0)
        let entries = machine.kernel.userLeaves(0, range).found.count
        let rest = machine.kernel.populate(0, range, limit: 8, cpu: 0)

        #expect(stop?.reason == .outOfMemory)
        #expect(entries == 6)
        #expect(rest == nil)
        #expect(Kernel.populatedPages == 1 << 20)
        #expect(machine.violations() == [])
    }

    @Test("a load in the middle of a file's page maps it once", arguments: profiles)
    func unalignedLoad(profile: String) throws {
        var machine = try ProcessMachine(profile)
        let before = machine.freePages
        let file = try machine.kernel.createFile(0, named: "data").get()
        let written = machine.kernel.writeFile(0, file, [65, 66], at: 0, cpu: 0)
        try machine.map(0, Self.base, pages: 1, flags: MapFlags.shared, file: file)

        let byte = machine.load(0, Self.base + 1)
        let resident = machine.kernel.processes[0].space.filePages
        let violations = machine.violations()
        let unmapped = machine.kernel.munmap(0, Self.base, 4_096)
        let closed = machine.kernel.closeFile(0, file, cpu: 0)

        #expect(try written.get() == 2)
        #expect(byte == 66)
        #expect(resident == 1)
        #expect(violations == [])
        #expect(unmapped == nil && closed.value == 0)
        #expect(machine.freePages == before)
    }

    //   private: | copy of page 0 | page 1 of the file |   MADV_REMOVE of both pages
    @Test func `a hole in a file takes its pages out of private mappings, not their copies`()
        throws
    {
        var machine = try ProcessMachine()
        let file = try machine.kernel.createFile(0, named: "data").get()
        let bytes = [UInt8](repeating: 5, count: 8_192)
        let written = machine.kernel.writeFile(0, file, bytes, at: 0, cpu: 0)
        try machine.map(0, Self.base, pages: 2, flags: MapFlags.private, file: file)
        let shared = Self.base + 0x10_0000
        try machine.map(0, shared, pages: 2, flags: MapFlags.shared, file: file)
        _ = machine.store(0, Self.base, 9)
        _ = machine.load(0, Self.base + 4_096)

        let removed = machine.kernel.madvise(0, shared, 8_192, MemoryAdvice.remove.rawValue)
        let copy = machine.load(0, Self.base)
        let hole = machine.load(0, Self.base + 4_096)

        #expect(try written.get() == 8_192)
        #expect(removed == nil)
        #expect(copy == 9)
        #expect(hole == 0)
        #expect(machine.violations() == [])
    }

    //   | … | zeros 8 | 1 …        eight bytes of zeros, and what lies behind them is not looked at
    @Test("zeros are looked for in words of the machine", arguments: profiles)
    func zeroedWords(profile: String) throws {
        var machine = try ProcessMachine(profile)
        try machine.map(0, Self.base, pages: 1)
        for byte in [UInt64(16), 4_095] { _ = machine.store(0, Self.base + byte, 1) }
        let ranges: [(UInt64, UInt64)] = [(8, 8), (12, 4), (8, 9), (4_088, 7), (4_088, 8)]
        var found: [Bool?] = []
        for (offset, count) in ranges {
            let start = Self.base + offset
            found.append(machine.kernel.isZeroedUser(0, start, count, in: .standard))
        }

        #expect(found == [true, true, false, true, false])
    }

    @Test func `shared anonymous memory is promised like private memory, or not at all`() throws {
        var machine = try ProcessMachine()
        let flags = ProcessMachine.sharedFlags
        let tooMuch = Self.map(&machine, 0, 1 << 30, flags)
        let before = machine.kernel.memInfoView()[.committedAS]
        let unreserved = Self.map(&machine, 0, 1 << 30, flags | MapFlags.noReserve)
        let after = machine.kernel.memInfoView()[.committedAS]

        #expect(throws: Errno.ENOMEM) { try tooMuch.get() }
        #expect(try unreserved.get() > 0)
        #expect(after == before)
        #expect(machine.violations() == [])
    }

    @Test func `a fault that ends in SIGBUS is counted as one`() throws {
        var machine = try ProcessMachine()
        let file = try machine.kernel.createFile(0, named: "data").get()
        try machine.map(0, Self.base, pages: 1, flags: MapFlags.shared, file: file)
        let before = machine.kernel.pageFaults

        let refusal = machine.store(0, Self.base, 1)

        #expect(refusal == .beyondFile)
        #expect(machine.kernel.pageFaults == before + 1)
    }

    // do_mmap() refuses above sysctl_max_map_count, not at it.
    @Test func `the last mapping is the one above the limit`() throws {
        var machine = try ProcessMachine()
        let count = UInt64(AddressSpace.maximumAreas)
        let held = UInt64(machine.kernel.processes[0].space.areas.count)
        for index in held..<count {
            let start = Self.base + index << 13
            machine.kernel.processes[0].space.insert(
                VMArea(start: start, end: start + 4_096, rights: [.read])
            )
        }
        let flags = ProcessMachine.privateFlags | MapFlags.fixed
        let last = Self.map(&machine, 0x100_0000, 4_096, flags)
        let tooMany = Self.map(&machine, 0x200_0000, 4_096, flags)

        #expect(try last.get() == 0x100_0000)
        #expect(throws: Errno.ENOMEM) { try tooMany.get() }
        #expect(machine.kernel.processes[0].space.areas.count == AddressSpace.maximumAreas + 1)
    }

    @Test func `advice to merge pages says nothing of shared memory`() throws {
        var machine = try ProcessMachine()
        let flags = ProcessMachine.sharedFlags
        try machine.map(0, Self.base, pages: 1, flags: flags)
        try machine.map(0, Self.base + 0x2000, pages: 1)
        let advice = MemoryAdvice.mergeable.rawValue

        let shared = machine.kernel.madvise(0, Self.base, 4_096, advice)
        let own = machine.kernel.madvise(0, Self.base + 0x2000, 4_096, advice)
        let areas = machine.kernel.processes[0].space.areas.prefix(2)

        #expect(shared == nil && own == nil)
        #expect(areas.map { $0.flags.contains(.mergeable) } == [false, true])
    }

    @Test func `a length of 32 bits is negative from its highest bit on`() throws {
        var description = MachineDescription()
        description.profile = "linux-6.1-i386"
        let machine = try CallMachine(description)
        try machine.call("mmap", .word(Self.base), 4_096, 3, 0x32)

        let negative = try machine.call("strnlen_user", .word(Self.base), 0xffff_ffff)
        let largest = try machine.call("strnlen_user", .word(Self.base), 0x7fff_ffff)

        #expect(negative.word == 0)
        #expect(largest.word == 1)
    }
}
