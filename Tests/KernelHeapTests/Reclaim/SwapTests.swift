import Testing

@testable import KernelHeap

@Suite("Reclaim: swap")
struct SwapTests {
    private static let base: UInt64 = 0x1000_0000
    private static let pages = 30_000

    /// A process with more memory than there is, each page with bytes of its own.
    private func fill(_ machine: inout ReclaimMachine, _ process: Int = 0) throws {
        machine.map(process, Self.base, pages: UInt64(Self.pages))
        for number in 0..<Self.pages {
            let address = Self.base + UInt64(number) * 4096
            let bytes = Array(ReclaimMachine.pattern(number).prefix(8))
            let isStored = machine.kernel.storeUser(process, address, bytes, in: .standard)
            try #require(isStored)
        }
    }

    private func wrongPages(_ machine: inout ReclaimMachine, _ process: Int = 0) -> [Int] {
        (0..<Self.pages).filter { number in
            let address = Self.base + UInt64(number) * 4096
            let word = machine.kernel.loadUser(process, address, bytes: 8, in: .standard)
            let bytes = ReclaimMachine.pattern(number).prefix(8)
            return word != bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    @Test(
        "memory of a process larger than the machine's comes back as it was",
        arguments: ["linux-6.1-x86_64", "linux-6.1-i386"]
    )
    func comesBack(profile: String) throws {
        var machine = try ReclaimMachine(swap: 128, profile: profile)

        try fill(&machine)
        let swapped = machine.kernel.processes[0].space.swapEntries
        let meminfo = machine.kernel.memInfoView()
        let wrong = wrongPages(&machine)

        #expect(swapped > 2_000)
        #expect(meminfo[.swapTotal] - meminfo[.swapFree] >= swapped * 4)
        #expect(wrong == [])
        #expect(machine.event(.pswpin) >= swapped)
        #expect(machine.event(.pswpout) > swapped)
        #expect(machine.violations == [])
    }

    @Test func `a fork shares what is in the swap area`() throws {
        var machine = try ReclaimMachine(swap: 128)
        try fill(&machine)
        let pid = try machine.kernel.forkProcess(0, cpu: 0).get()
        let child = try machine.place(pid)

        _ = machine.kernel.storeUser(0, Self.base, [9], in: .standard)
        let own = machine.kernel.loadUser(0, Self.base, bytes: 1, in: .standard)
        let wrong = wrongPages(&machine, child)
        machine.kernel.exitProcess(child, code: 0, cpu: 0)

        #expect(own == 9)
        #expect(wrong == [])
        #expect(machine.violations == [])
    }

    @Test func `swapoff brings everything back, or refuses`() throws {
        var machine = try ReclaimMachine(swap: 128)
        try fill(&machine)

        let refused = try machine.call("swapoff", text: "/dev/sda2").result
        machine.kernel.unmap(0, Self.base..<Self.base + 24_000 * 4096, cpu: 0)
        let accepted = try machine.call("swapoff", text: "/dev/sda2").result
        let meminfo = machine.kernel.memInfoView()

        #expect(refused.errno == .ENOMEM)
        #expect(accepted.value == .integer(0))
        #expect(meminfo[.swapTotal] == 0)
        let left = machine.kernel.processes[0].space.swapEntries
        #expect(left == 0)
        #expect(machine.violations == [])
    }

    @Test func `a machine's swap is there from the boot, and more can be added`() throws {
        var machine = try ReclaimMachine(swap: 16)

        let second = try machine.call("swapon", 8 << 20, text: "/swapfile")
        let again = try machine.call("swapon", 8 << 20, text: "/swapfile")

        let total = machine.kernel.memInfoView()[.swapTotal]
        #expect(total == (16 << 10) - 4 + (8 << 10) - 4)
        #expect(
            second.log.first
                == "Adding 8188k swap on /swapfile.  Priority:-3 extents:1 across:8188k "
        )
        #expect(again.result.errno == .EBUSY)
    }

    @Test func `locked pages stay, and are counted`() throws {
        var machine = try ReclaimMachine(swap: 128)
        let locked: UInt64 = 0x4000_0000
        machine.map(0, locked, pages: 64)
        try machine.call("mlock", locked, 64 * 4096)
        _ = machine.kernel.storeUser(0, locked, [5], in: .standard)

        try fill(&machine)
        let frames = machine.kernel.userLeaves(0, locked..<locked + 64 * 4096).found
        let isThere = frames.allSatisfy { $0.entry.flags.contains(.present) }

        #expect(frames.count == 64 && isThere)
        #expect(machine.count(.unevictable) >= 1)
        let mlocked = machine.kernel.memInfoView()[.mlocked]
        #expect(mlocked >= 4)
        try machine.call("munlock", locked, 64 * 4096)
        #expect(machine.count(.unevictable) == 0)
        #expect(machine.violations == [])
    }

    @Test func `what MADV_FREE gave up is dropped without being written`() throws {
        var machine = try ReclaimMachine(swap: 128)
        let given: UInt64 = 0x4000_0000
        machine.map(0, given, pages: 512)
        for page in 0..<UInt64(512) {
            _ = machine.kernel.storeUser(0, given + page * 4096, [1], in: .standard)
        }
        // MADV_FREE
        try machine.call("madvise", given, 512 * 4096, 8)
        _ = machine.kernel.storeUser(0, given, [2], in: .standard)

        try fill(&machine)
        let written = machine.kernel.loadUser(0, given, bytes: 1, in: .standard)
        let dropped = machine.kernel.loadUser(0, given + 4096, bytes: 1, in: .standard)

        #expect(written == 2)
        #expect(dropped == 0)
        #expect(machine.event(.pglazyfree) == 512)
        #expect((256...511).contains(machine.event(.pglazyfreed)))
        #expect(machine.violations == [])
    }
}
