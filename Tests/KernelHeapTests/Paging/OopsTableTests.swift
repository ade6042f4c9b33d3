import TestSupport
import Testing

@testable import KernelHeap

@Suite("Oopses: the tables' entries")
struct OopsTableTests {
    /// The lines of a recorded oops from the first to `Oops:`, without time stamps.
    private static func recorded(_ file: String) throws -> [String] {
        try Recording.text(file).split(separator: "\n")
            .map { String($0.drop { $0 != "]" }.dropFirst(2)) }
            .filter { line in ["BUG:", "#PF:", "PGD", "Oops:"].contains { line.hasPrefix($0) } }
    }

    /// A line of entries with the low bits of each: the frames of tables differ.
    private static func bits(_ line: String) -> String {
        line.split(separator: " ", omittingEmptySubsequences: false)
            .map { $0.count > 3 ? $0.suffix(3) : $0 }
            .joined(separator: " ")
    }

    @Test func `the guard page of an area shows four levels`() throws {
        let machine = try CallMachine()
        let area = try machine.call("vmalloc", 4_096).word

        let outcome = try machine.call("kernel_read", .word(area + 4_096), 1)

        let wanted = try Self.recorded("warnings/bad-page.case-98.txt")
        let lines = Array(outcome.log)
        #expect(lines.count == 5)
        #expect(wanted.count == 5)
        #expect(lines[1...2] == wanted[1...2])
        #expect(Self.bits(lines[3]) == Self.bits(wanted[3]))
        #expect(lines[4] == wanted[4])
    }

    @Test func `a NULL pointer ends where the process's tables do`() throws {
        let machine = try CallMachine()
        // A page far above, in the same table of the third level as in the recorded process.
        try machine.call("mmap", 0x400_0000, 4_096, 3, 0x32)
        try machine.call("user_write", 0x400_0000, .bytes([1]))

        let outcome = try machine.call("kernel_read", 0x10, 1)

        let wanted = try Self.recorded("warnings/bad-page.case-102.txt")
        let lines = Array(outcome.log)
        #expect(lines.count == 5)
        #expect(lines[0] == wanted[0])
        #expect(Self.bits(lines[3]) == Self.bits(wanted[3]))
    }

    // `bad-ucopy.case-39`.
    @Test func `a large page ends the line, and its entry is the recorded one`() throws {
        let machine = try CallMachine()

        let outcome = try machine.call("kernel_write", 0xffff_ffff_8216_1900, .bytes([1]))

        let line = try #require(outcome.log.first { $0.hasPrefix("PGD") })
        #expect(line.hasSuffix(" PMD 80000000020001e1 "))
        #expect(Self.bits(line) == "PGD 067 P4D 067 PUD 063 PMD 1e1 ")
    }

    @Test func `where nothing is the line is the recorded one`() throws {
        let machine = try CallMachine()

        let outcome = try machine.call("kernel_read", 0xffff_ebde_0000_0048, 8)

        #expect(outcome.log.contains("PGD 0 P4D 0 "))
    }

    @Test func `32-bit kernels print entries in full width`() throws {
        let two = try CallMachine(I386Machine("686-1G").description)
        let three = try CallMachine(I386Machine("pae-1G").description)

        let ldt = try two.call("kernel_read", 0xff00_0000, 4)
        let wide = try three.call("kernel_read", 0x10, 4)

        #expect(ldt.log.contains("*pde = 00000000 "))
        #expect(wide.log.contains("*pdpt = 0000000000000000 "))
        #expect(ldt.log.last == "Oops: 0000 [#1] PREEMPT SMP")
        #expect(wide.log.last == "Oops: 0000 [#1] PREEMPT SMP PTI")
    }

    @Test func `a table that points out of memory is bad`() throws {
        let machine = try CallMachine()
        let root = machine.kernel.translationView(.null, pid: 1).cr3.rawValue
        let entry: [UInt8] = [0x67, 0, 0, 0, 0xff, 0xff, 0x0f, 0]
        try machine.call(
            "kernel_write",
            .word(0xffff_8880_0000_0000 + root),
            .bytes(entry)
        )

        let outcome = try machine.call("kernel_read", 0x10, 1)

        #expect(outcome.log.contains("BAD"))
    }
}
