import KernelHeap
import Testing

/// The calls that look at page tables and change them.
@Suite("Simulation: translate and set_pte_flags")
struct PageTableCallTests {
    private static let user: UInt64 = 0x1000_0000
    private static let writable: UInt64 = 2

    private func run() throws -> CallRun {
        let run = try CallRun(MachineDescription())
        try run.call("mmap", Self.user, 8_192, 3, 0x32)
        try run.call("user_write", Self.user, bytes: [1, 2, 3])
        return run
    }

    @Test func `translate shows each level, and what a copy would find`() throws {
        let run = try run()

        let outcome = try run.call("translate", Self.user + 5, 1, 1, 1)

        guard case .list(let levels)? = outcome.fact("levels") else {
            Issue.record("no levels: \(outcome.everything)")
            return
        }
        #expect(levels.count == 4)
        #expect(outcome.word % 4_096 == 5)
        #expect(outcome.fact("fault") == .null)
        #expect(outcome.fact("page_size") == .number(4_096))
        let bytes = try run.call("kernel_read", 0xffff_8880_0000_0000 + outcome.word - 5, 3)
        #expect(bytes.fact("data") == .bytes([1, 2, 3]))
    }

    @Test func `the kernel may not touch what translate says is SMAP's`() throws {
        let run = try run()

        let looked = try run.call("translate", Self.user)
        let read = try run.call("kernel_read", Self.user, 3)

        #expect(
            looked.fact("fault")
                == .facts([Fact("error_code", .number(1)), Fact("reason", .text("smap"))])
        )
        #expect(read.word == 0)
        #expect(read.fact("error_code") == .number(1))
        #expect(read.log.contains { $0 == "#PF: error_code(0x0001) - permissions violation" })
    }

    @Test func `without RW a store faults, and the fault gives it back`() throws {
        let run = try run()

        try run.call("set_pte_flags", Self.user, 0, Self.writable)
        let closed = try run.call("translate", Self.user, 1, 1, 1)
        let written = try run.call("user_write", Self.user, bytes: [9])
        let open = try run.call("translate", Self.user, 1, 1, 1)

        #expect(
            closed.fact("fault")
                == .facts([Fact("error_code", .number(7)), Fact("reason", .text("protection"))])
        )
        #expect(written.word == 1)
        #expect(open.fact("fault") == .null)
    }

    @Test("a TLB that is not flushed keeps what the tables took away", arguments: [true, false])
    func stale(flushes: Bool) throws {
        let run = try CallRun(MachineDescription())
        let address = try run.call("__get_free_pages", 0xcc0, 0).word
        try run.call("kernel_write", address, bytes: [7])

        try run.call("set_pte_flags", address, 0, 1, 1, flushes ? 1 : 0)
        let forked = CallRun(forking: run)
        let read = try run.call("kernel_read", address, 1)
        let other = try forked.call("kernel_read", address, 1)

        #expect(read.word == (flushes ? 0 : 1))
        #expect(other.word == read.word)
    }

    @Test func `MADV_DONTNEED gives zeros back, and names what is not mapped`() throws {
        let run = try run()

        let given = try run.call("madvise", Self.user, 4_096, 4)
        let read = try run.call("user_read", Self.user, 3)
        let hole = try run.call("madvise", Self.user, 16_384, 4)
        let unknown = try run.call("madvise", Self.user, 4_096, 99)

        #expect(given.result.value == .integer(0))
        #expect(read.fact("data") == .bytes([0, 0, 0]))
        #expect(hole.result.errno == .ENOMEM)
        #expect(unknown.result.errno == .EINVAL)
    }

    @Test func `a refused access tells the processor's error code`() throws {
        let run = try run()

        let outcome = try run.call("user_read", 0xffff_8880_0000_0000, 1)

        guard case .facts(let signal)? = outcome.fact("signal") else {
            Issue.record("no signal: \(outcome.everything)")
            return
        }
        #expect(signal.contains(Fact("error_code", .number(5))))
        #expect(signal.contains(Fact("si_code", .text("SEGV_MAPERR"))))
    }
}
