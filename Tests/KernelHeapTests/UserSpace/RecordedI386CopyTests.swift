import Foundation
import TestSupport
import Testing

@testable import KernelHeap

/// Every row of `i386/*/usercopy`: copies at the end of user space and into a hole, on both kinds of
/// processor, with single values and strings beside them.
///
/// The kernel buffer is aligned as the recorder's was, so that the copy loops take the same steps.
@Suite("User copies of 32-bit kernels: recorded calls")
struct RecordedI386CopyTests {
    typealias Row = [String: I386Recording.Value]

    struct Setup: Sendable, CustomTestStringConvertible {
        let machine: I386Machine
        /// Recorded on an Intel processor.
        let hasBlockCopies: Bool

        var testDescription: String { machine.folder }
    }

    static let recorded = [
        ("686-512M", true), ("686-1G", true), ("686-3G", true), ("686-4G", true),
        ("pae-1G", true), ("686-1G-amd", false), ("pae-4G", false),
    ].map { Setup(machine: I386Machine($0.0), hasBlockCopies: $0.1) }

    private static let end: UInt64 = 0xc000_0000

    private func boot(_ setup: Setup) throws -> UserCopyMachine {
        var machine = try UserCopyMachine.boot(
            [
                (Self.end - 0x4000, .written), (Self.end - 0x2000, .readOnly),
                (Self.end - 0x1000, .written),
            ],
            setup.machine.description
        )
        machine.kernel.paging.controls.hasBlockCopies = setup.hasBlockCopies
        return machine
    }

    private func rows(_ setup: Setup, _ operation: String) throws -> [Row] {
        try I386Recording.rows("\(setup.machine.folder)/usercopy").filter {
            $0["op"]?.text == operation
        }
    }

    @Test("copy_to_user stores what the kernel stores", arguments: recorded)
    func stores(setup: Setup) throws {
        var machine = try boot(setup)
        let rows = try rows(setup, "copy_to_user")
        for row in rows {
            let address = try #require(row["u"]?.number)
            let count = try #require(row["n"]?.number)
            let moved = Int(row["last_changed"]?.number ?? 0)
            var kernel = machine.kernel.fork()

            let accepts = kernel.isUserRange(address, count)
            let detail = kernel.copyToUser(
                0,
                to: address,
                from: machine.buffer,
                count: count,
                in: CallContext()
            )

            #expect(accepts == (row["access_ok"]?.number == 1), "\(row)")
            #expect(detail.notCopied == row["ret"]?.number, "\(row)")
            let stored = machine.bufferBytes.prefix(moved)
            let expected = machine.userBytes(storing: stored, at: address)
            let found = machine.userBytes(in: kernel)
            #expect(found == expected, "\(row)")
        }
        #expect(rows.count >= 270)
    }

    @Test("copy_from_user loads, and clears what it did not copy", arguments: recorded)
    func loads(setup: Setup) throws {
        var machine = try boot(setup)
        let rows = try rows(setup, "copy_from_user")
        for row in rows {
            let address = try #require(row["u"]?.number)
            let count = try #require(row["n"]?.number)
            let prefix = Int(row["prefix_copied"]?.number ?? 0)
            let cleared = Int(row["zero_tail"]?.number ?? 0)
            var kernel = machine.kernel.fork()

            let detail = kernel.copyFromUser(
                0,
                to: machine.buffer,
                from: address,
                count: count,
                in: CallContext()
            )

            #expect(detail.notCopied == row["ret"]?.number, "\(row)")
            let before = machine.bufferBytes
            let buffer = machine.bufferBytes(in: kernel)
            let source = machine.userBytes(address, prefix)
            #expect(buffer.prefix(prefix) == source, "\(row)")
            let tail = buffer.dropFirst(prefix).prefix(cleared)
            #expect(tail.allSatisfy { $0 == 0 }, "\(row)")
            let rest = prefix + cleared
            #expect(buffer.dropFirst(rest) == before.dropFirst(rest), "\(row)")
        }
        #expect(rows.count >= 290)
    }

    @Test("strings are looked at in words of four bytes", arguments: recorded)
    func strings(setup: Setup) throws {
        var machine = try boot(setup)
        let all = try I386Recording.rows("\(setup.machine.folder)/usercopy")
        var compared = 0
        for row in all {
            guard let name = row["op"]?.text, name.hasPrefix("str") || name.hasPrefix("clear_user")
            else { continue }
            var kernel = machine.kernel.fork()
            if name.contains("NUL in the last byte") {
                try kernel.perform("put_user", 0, Self.end - 1, 1)
            }
            let address = try #require(row["u"]?.number)
            let count = try #require(row["n"]?.number)
            let buffer = machine.buffer

            let outcome =
                name.hasPrefix("strncpy")
                ? try kernel.perform("strncpy_from_user", buffer, address, count)
                : try kernel.perform(String(name.prefix { $0 != "(" && $0 != " " }), address, count)

            // Numbers of the machine have 32 bits; the recorder prints them with their sign.
            #expect(Self.signed(outcome.word) == row["ret"]?.signed, "\(row)")
            compared += 1
        }
        #expect(compared == 22)
    }

    @Test("single values move whole or not at all", arguments: recorded)
    func values(setup: Setup) throws {
        var machine = try boot(setup)
        let places: [String: UInt64] = [
            "hole": Self.end - 0x3000, "RO": Self.end - 0x2000, "NULL": 0,
        ]
        var compared = 0
        for row in try I386Recording.rows("\(setup.machine.folder)/usercopy") {
            let words = row["op"]?.text?.split(separator: " ") ?? []
            guard words.count >= 3, words[0] == "get_user" || words[0] == "put_user" else {
                continue
            }
            let width = try #require(UInt64(words[1].dropFirst())) / 8
            let offset = words[2].split(separator: "-").dropFirst().first.flatMap { UInt64($0) }
            let address = places[String(words[2])] ?? Self.end - (offset ?? 0)
            var kernel = machine.kernel.fork()

            let outcome =
                words[0] == "get_user"
                ? try kernel.perform("get_user", address, width)
                : try kernel.perform("put_user", 0x4142_4344, address, width)

            #expect(Self.signed(outcome.word) == row["ret"]?.signed, "\(row)")
            if words[0] == "get_user", row["ret"]?.signed != 0 {
                #expect(outcome.fact("x") == .address(0))
            }
            compared += 1
        }
        #expect(compared == 10)
    }

    private static func signed(_ word: UInt64) -> Int64 {
        Int64(Int32(truncatingIfNeeded: word))
    }
}

/// The two loops by hand, beside the recordings.
@Suite("User copies of 32-bit kernels: steps")
struct CopyStepsTests {
    //      source …………|  hole        the second word crosses the end: four bytes are copied
    //      target 0123 4567
    @Test func `a word that crosses the end is not moved`() {
        let steps = CopySteps(target: 0x1000, source: 0x2ffa, count: 16, isLoad: true)

        #expect(steps.progress(reached: 6) == CopySteps.Progress(moved: 4, counted: 4))
        #expect(steps.progress(reached: 16) == CopySteps.Progress(moved: 16, counted: 16))
    }

    @Test func `a block is read ahead, and counts as a whole`() {
        let load = CopySteps(target: 0x1000, source: 0x2001, count: 200, isLoad: true)
        let store = CopySteps(target: 0x2001, source: 0x1000, count: 200, isLoad: false)

        #expect(load.progress(reached: 67).counted == 0)
        #expect(load.progress(reached: 68).counted == 64)
        #expect(store.progress(reached: 67) == CopySteps.Progress(moved: 64, counted: 64))
        #expect(store.progress(reached: 63) == CopySteps.Progress(moved: 60, counted: 0))
    }

    @Test("no step goes beyond what is there", arguments: [false, true])
    func bounds(isLoad: Bool) {
        for target in UInt64(0)..<8 {
            for source in UInt64(0)..<8 {
                for count in [0, 1, 7, 8, 63, 64, 67, 68, 131, 200] as [UInt64] {
                    let steps = CopySteps(
                        target: 0x1000 + target,
                        source: 0x2000 + source,
                        count: count,
                        isLoad: isLoad
                    )
                    for reached in 0...count {
                        let progress = steps.progress(reached: reached)
                        #expect(progress.moved <= reached && progress.counted <= progress.moved)
                    }
                }
            }
        }
    }
}
