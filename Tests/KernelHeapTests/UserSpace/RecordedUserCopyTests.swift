import TestSupport
import Testing

@testable import KernelHeap

/// Every recorded call, with the bytes on both sides.
///
/// User pages hold 1...127, the kernel buffer 128...255, so that every byte that moves is seen. The
/// recorder's own two patterns hold the same value at one byte in 128, or sometimes 64.
@Suite("User copies: recorded calls")
struct RecordedUserCopyTests {
    @Test("a recording has its calls of 26 functions", arguments: UserCopyTable.names)
    func count(name: String) throws {
        let table = try UserCopyTable.named(name)

        let counts = Dictionary(grouping: table.cases, by: \.fn).mapValues(\.count)

        #expect(counts["access_ok"] == 407)
        #expect(counts["copy_to_user"] == 741)
        #expect(counts["copy_from_user"] == 738)
        #expect(counts.count == 26)
        #expect(table.window.count == 15)
    }

    @Test("access_ok accepts what the kernel accepts", arguments: UserCopyTable.names)
    func ranges(name: String) throws {
        let kernel = try Kernel()
        for call in try UserCopyTable.named(name).cases where call.fn == "access_ok" {
            let isAccepted = kernel.isUserRange(call.address, call.len)
            #expect(isAccepted == (call.ret != 0), "\(call)")
        }
    }

    @Test("copy_to_user stores what the kernel stores", arguments: UserCopyTable.names)
    func stores(name: String) throws {
        let table = try UserCopyTable.named(name)
        var machine = try UserCopyMachine.boot(table)
        for call in table.cases where call.fn == "copy_to_user" {
            var kernel = machine.kernel.fork()

            let detail = kernel.copyToUser(
                0,
                to: call.address,
                from: machine.buffer,
                count: call.len,
                in: CallContext()
            )

            #expect(detail.notCopied == call.ret, "\(call)")
            let moved = call.len - call.ret
            expectWindow(of: call, moved, in: table)
            let stored = machine.bufferBytes.prefix(Int(moved))
            let expected = machine.userBytes(storing: stored, at: call.address)
            let found = machine.userBytes(in: kernel)
            #expect(found == expected, "\(call)")
            let source = machine.bufferBytes
            let buffer = machine.bufferBytes(in: kernel)
            #expect(call.kernChanged == 0)
            #expect(buffer == source, "\(call)")
        }
    }

    @Test("copy_from_user loads, and clears what it could not", arguments: UserCopyTable.names)
    func loads(name: String) throws {
        let table = try UserCopyTable.named(name)
        var machine = try UserCopyMachine.boot(table)
        for call in table.cases where call.fn == "copy_from_user" {
            var kernel = machine.kernel.fork()

            let detail = kernel.copyFromUser(
                0,
                to: machine.buffer,
                from: call.address,
                count: call.len,
                in: CallContext()
            )

            #expect(detail.notCopied == call.ret, "\(call)")
            let before = machine.bufferBytes
            let buffer = machine.bufferBytes(in: kernel)
            let changed = buffer.prefix(Int(call.kernChanged))
            #expect(buffer.dropFirst(changed.count) == before.dropFirst(changed.count), "\(call)")
            #expect(changed.allSatisfy { $0 < 128 }, "\(call)")
            #expect(UInt64(changed.count { $0 == 0 }) == call.kernZeroed ?? 0, "\(call)")
            #expect(changed.firstIndex(of: 0).map { UInt64($0) } == call.kernFirstZero, "\(call)")
            let moved = Int(call.len - call.ret)
            let source = machine.userBytes(call.address, moved)
            #expect(changed.prefix(moved) == source, "\(call)")
            let userBytes = machine.userBytes
            let found = machine.userBytes(in: kernel)
            #expect(call.userChanged == 0)
            #expect(found == userBytes, "\(call)")
        }
    }

    /// The recorded change of the window is the range that was copied.
    private func expectWindow(
        of call: UserCopyTable.Case,
        _ moved: UInt64,
        in table: UserCopyTable
    ) {
        guard moved > 0, call.address < table.topPage else {
            #expect(call.userChanged == 0, "\(call)")
            return
        }
        let offset = call.address - table.start
        // One recorded range begins at a byte where the recorder's patterns agree.
        let first = call.address == 0x1000_1fe1 ? offset + 1 : offset
        #expect(call.userFirst == first, "\(call)")
        #expect(call.userLast == offset + moved - 1, "\(call)")
        #expect(call.userChanged <= moved && moved - call.userChanged <= 1 + moved / 64, "\(call)")
    }
}
