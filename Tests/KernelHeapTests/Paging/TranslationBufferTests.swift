import TestSupport
import Testing

@testable import KernelHeap

/// Each CPU's TLB, seen through loads and stores after an entry was changed behind its back.
@Suite("Paging: the TLBs of several CPUs")
struct TranslationBufferTests {
    private static let user: UInt64 = 0x40_0000

    /// Two CPUs that have both stored to a page of the process.
    private static func machine() throws -> CallMachine {
        let machine = try CallMachine(cpus: 2)
        try machine.call("mmap", .word(user), 4_096, 3, 0x32)
        for cpu in 0..<2 {
            let stored = try machine.call("user_write", .word(user), .bytes([1]), cpu: cpu)
            #expect(stored.word == 1)
        }
        return machine
    }

    private static func bits(_ name: String) -> CallMachine.Argument {
        .word(PageTableEntry.names.first { $0.name == name }?.bits ?? 0)
    }

    /// The CPUs that have the page, and whether they may store to it.
    private static func cached(_ machine: CallMachine) -> [Int: Bool] {
        let view = machine.kernel.translationView(LinearAddress(rawValue: user), pid: 1)
        return Dictionary(uniqueKeysWithValues: view.cachedBy.map { ($0.cpu, $0.isWritable) })
    }

    @Test func `a change without a flush is seen by no CPU that has the page`() throws {
        let machine = try Self.machine()

        try machine.call(
            "set_pte_flags",
            .word(Self.user),
            0,
            Self.bits("P"),
            .absent,
            0
        )
        let first = try machine.call("user_read", .word(Self.user), 1, cpu: 0)
        let second = try machine.call("user_read", .word(Self.user), 1, cpu: 1)

        #expect(first.word == 1)
        #expect(second.word == 1)
        #expect(Self.cached(machine) == [0: true, 1: true])
    }

    @Test func `invlpg is for the CPU that runs it alone`() throws {
        let machine = try Self.machine()
        try machine.call("set_pte_flags", .word(Self.user), 0, Self.bits("P"), .absent, 0)

        try machine.call("invlpg", .word(Self.user), cpu: 0)

        #expect(Self.cached(machine) == [1: true])
        let kept = try machine.call("kernel_read", 0xffff_8880_0011_0000, 1, cpu: 1)
        #expect(kept.word == 1)
        #expect(Self.cached(machine) == [1: true])
    }

    @Test func `a shootdown reaches every CPU`() throws {
        let machine = try Self.machine()
        try machine.call("set_pte_flags", .word(Self.user), 0, Self.bits("RW"), .absent, 0)

        try machine.call("flush_tlb_all", cpu: 1)

        #expect(Self.cached(machine).isEmpty)
    }

    @Test func `munmap on one CPU takes the page from all`() throws {
        let machine = try Self.machine()

        try machine.call("munmap", .word(Self.user), 4_096, cpu: 0)
        let late = try machine.call("user_read", .word(Self.user), 1, cpu: 1)

        #expect(Self.cached(machine).isEmpty)
        #expect(late.word == 0)
    }

    @Test func `a CPU that has not run has nothing, and a fork knows what tables say`() throws {
        let machine = try CallMachine(cpus: 64)
        let address: UInt64 = 0xffff_8880_0010_0000
        try machine.call("kernel_read", .word(address), 1, cpu: 63)

        let view = machine.kernel.translationView(LinearAddress(rawValue: address), pid: 1)
        let fork = machine.fork()
        let forked = fork.kernel.translationView(LinearAddress(rawValue: address), pid: 1)

        #expect(view.cachedBy.map(\.cpu) == [63])
        #expect(view.cached?.rawValue == 0x100)
        #expect(forked.cachedBy.isEmpty)
        #expect(try fork.call("kernel_read", .word(address), 1, cpu: 63).word == 1)
    }

    @Test("any order of CPUs and flushes leaves each with its own pages", arguments: UInt64(1)...20)
    func randomly(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var buffer = TranslationBuffer(addressBits: 48)
        // What each CPU should have: few pages, so that places of the table do not collide.
        var model = [[UInt64: UInt32]](repeating: [:], count: 4)
        for step in 0..<2_000 {
            let cpu = Int(random.next() % 4)
            buffer.run(on: cpu)
            let half: UInt64 = random.next() % 2 == 0 ? 0 : 0xffff_8880_0000_0000
            let page = half | (random.next() % 64) << 12
            switch random.next() % 16 {
            case 0:
                buffer.flushAll()
                model = model.map { _ in [:] }
            case 1:
                buffer.flushLower()
                model = model.map { pages in pages.filter { $0.key >> 63 == 1 } }
            case 2:
                buffer.flushOwnLower()
                model[cpu] = model[cpu].filter { $0.key >> 63 == 1 }
            case 3:
                buffer.flushOwn(page: page)
                model[cpu][page] = nil
            case 4:
                buffer.flush(page: page)
                for place in model.indices { model[place][page] = nil }
            default:
                let frame = UInt32(truncatingIfNeeded: step)
                buffer.insert(page, frame, [PageRights(.kernelLoad)])
                model[cpu][page] = frame
            }
            for place in model.indices {
                #expect(buffer.cached(page, cpu: place)?.frame == model[place][page])
            }
            #expect(buffer.frame(page, for: .kernelLoad) == model[cpu][page])
        }
    }

    @Test("no page comes back however often all is flushed", arguments: [UInt64(48), 32])
    func generationsBeginAgain(addressBits: UInt64) {
        var buffer = TranslationBuffer(addressBits: addressBits)
        let pages: [UInt64] = [0x40_0000, addressBits == 48 ? 0xffff_8880_0000_0000 : 0xc010_0000]
        for number in 1...10_000 {
            for page in pages {
                buffer.insert(page, UInt32(number), [PageRights(.kernelLoad)])
                #expect(buffer.frame(page, for: .kernelLoad) == UInt32(number))
            }
            buffer.flushAll()
            for page in pages { #expect(buffer.frame(page, for: .kernelLoad) == nil) }
        }
    }
}
