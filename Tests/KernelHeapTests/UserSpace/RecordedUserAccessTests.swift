import Foundation
import TestSupport
import Testing

@testable import KernelHeap

/// The recorded calls of all functions beside `copy_to_user` and `copy_from_user`.
@Suite("User accesses: recorded calls")
struct RecordedUserAccessTests {
    /// A recording, and the boot option that gives its processor's features.
    struct Setup: Sendable, CustomTestStringConvertible {
        let name: String
        let options: String

        var testDescription: String { name }

        static let all = [
            Setup(name: "usercopy", options: "clearcpuid=erms,smap,smep"),
            Setup(name: "usercopy-erms-smap", options: ""),
        ]
    }

    static let copiesToUser = [
        "copy_to_user", "__copy_to_user", "__copy_to_user_inatomic", "copy_to_user_nofault",
    ]
    static let copiesFromUser = [
        "copy_from_user", "__copy_from_user", "__copy_from_user_inatomic",
        "copy_from_user_nofault",
    ]

    @Test("copies to the user, faults disabled or not", arguments: Setup.all)
    func storesCopies(setup: Setup) throws {
        try forEach(setup, Self.copiesToUser) { call, kernel, machine in
            let returned = try Self.run(call, machine.buffer, on: &kernel)
            #expect(returned == call.ret, "\(call)")
            let found = machine.userBytes(in: kernel)
            let moved = Self.moved(call, found, machine)
            let stored = machine.bufferBytes.prefix(moved)
            #expect(found == machine.userBytes(storing: stored, at: call.address), "\(call)")
            #expect(machine.bufferBytes(in: kernel) == machine.bufferBytes)
            Self.expectWindow(call, moved)
        }
    }

    @Test("copies from the user, faults disabled or not", arguments: Setup.all)
    func loadsCopies(setup: Setup) throws {
        try forEach(setup, Self.copiesFromUser + ["strncpy_from_user"]) { call, kernel, machine in
            let returned = try Self.run(call, machine.buffer, on: &kernel)
            #expect(returned == call.ret, "\(call)")
            let buffer = machine.bufferBytes(in: kernel)
            let changed = buffer.prefix(Int(call.kernChanged))
            let rest = buffer.dropFirst(changed.count)
            #expect(rest == machine.bufferBytes.dropFirst(changed.count), "\(call)")
            #expect(changed.allSatisfy { $0 < 128 }, "\(call)")
            #expect(UInt64(changed.count { $0 == 0 }) == call.kernZeroed ?? 0, "\(call)")
            #expect(changed.firstIndex(of: 0).map { UInt64($0) } == call.kernFirstZero, "\(call)")
            #expect(machine.userBytes(in: kernel) == machine.userBytes)
        }
    }

    @Test("single values move whole or not at all", arguments: Setup.all)
    func values(setup: Setup) throws {
        let puts = ["put_user1", "put_user2", "put_user4", "put_user8"]
        try forEach(setup, puts) { call, kernel, machine in
            let returned = try Self.run(call, machine.buffer, on: &kernel)
            #expect(returned == call.ret, "\(call)")
            let width = Int(String(call.function.suffix(1))) ?? 0
            let stored = Data(Self.value.littleEndianBytes.prefix(call.ret == 0 ? width : 0))
            let expected = machine.userBytes(storing: stored, at: call.address)
            #expect(machine.userBytes(in: kernel) == expected, "\(call)")
        }
        let gets = ["get_user1", "get_user2", "get_user4", "get_user8"]
        try forEach(setup, gets) { call, kernel, machine in
            let outcome = try Self.outcome(call, machine.buffer, on: &kernel)
            #expect(outcome.word == call.ret, "\(call)")
            let width = Int(String(call.function.suffix(1))) ?? 0
            let held = call.ret == 0 ? machine.userBytes(call.address, width) : Data()
            let value = held.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            #expect(outcome.fact("x") == .address(value), "\(call)")
            // The recorder's pages hold other values, but zeros where ours do.
            #expect((call.value == "0x0") == (value == 0), "\(call)")
        }
    }

    @Test("clear_user counts what is left as the processor does", arguments: Setup.all)
    func clears(setup: Setup) throws {
        try forEach(setup, ["clear_user"]) { call, kernel, machine in
            let returned = try Self.run(call, machine.buffer, on: &kernel)
            #expect(returned == call.ret, "\(call)")
            let cleared = Data(count: Int(call.len &- call.ret))
            let expected = machine.userBytes(storing: cleared, at: call.address)
            #expect(machine.userBytes(in: kernel) == expected, "\(call)")
        }
    }

    @Test("lengths of strings, and pages brought in", arguments: Setup.all)
    func looks(setup: Setup) throws {
        try forEach(setup, ["strnlen_user", "fault_in_readable"]) { call, kernel, machine in
            let returned = try Self.run(call, machine.buffer, on: &kernel)
            #expect(returned == call.ret, "\(call)")
            #expect(machine.userBytes(in: kernel) == machine.userBytes)
        }
        try forEach(setup, ["fault_in_writeable"]) { call, kernel, machine in
            let returned = try Self.run(call, machine.buffer, on: &kernel)
            #expect(returned == call.ret, "\(call)")
            var changed: UInt64 = 0
            for (page, bytes) in machine.userBytes(in: kernel) where page < 0x7000_0000_0000 {
                let before = machine.userBytes[page] ?? Data()
                changed += UInt64(zip(before, bytes).count { $0 != $1 })
            }
            #expect(changed == call.userChanged, "\(call)")
        }
    }

    private static let value: UInt64 = 0x8182_8384_8586_8788

    /// Runs the recorded calls of some functions, each on a machine of its own.
    private func forEach(
        _ setup: Setup,
        _ functions: [String],
        _ body: (UserCopyTable.Case, inout Kernel, borrowing UserCopyMachine) throws -> Void
    ) throws {
        let table = try UserCopyTable.named(setup.name)
        var machine = try UserCopyMachine.boot(table, options: setup.options)
        var count = 0
        for call in table.cases where functions.contains(String(call.function)) {
            var kernel = machine.kernel.fork()
            if call.isWithoutFaults { try kernel.perform("pagefault_disable") }
            try body(call, &kernel, machine)
            count += 1
        }
        #expect(count > 100)
    }

    private static func run(
        _ call: UserCopyTable.Case,
        _ buffer: UInt64,
        on kernel: inout Kernel
    ) throws -> UInt64 {
        try outcome(call, buffer, on: &kernel).word
    }

    private static func outcome(
        _ call: UserCopyTable.Case,
        _ buffer: UInt64,
        on kernel: inout Kernel
    ) throws -> CallOutcome {
        let function = String(call.function)
        let address = call.address
        if copiesToUser.contains(function) {
            return try kernel.perform(function, address, buffer, call.len)
        }
        if copiesFromUser.contains(function) || function == "strncpy_from_user" {
            return try kernel.perform(function, buffer, address, call.len)
        }
        if function.hasPrefix("put_user") || function.hasPrefix("get_user") {
            let width = UInt64(function.suffix(1)) ?? 8
            return function.hasPrefix("put")
                ? try kernel.perform("put_user", value, address, width)
                : try kernel.perform("get_user", address, width)
        }
        return try kernel.perform(function, address, call.len)
    }

    /// Bytes that a copy moved: what it says, or where it says nothing, what the pages show.
    private static func moved(
        _ call: UserCopyTable.Case,
        _ found: [UInt64: Data],
        _ machine: borrowing UserCopyMachine
    ) -> Int {
        guard call.function == "copy_to_user_nofault" else { return Int(call.len - call.ret) }
        if call.ret == 0 { return Int(call.len) }
        return found.reduce(0) { sum, page in
            sum + zip(page.value, machine.userBytes[page.key] ?? Data()).count { $0 != $1 }
        }
    }

    /// The recorder's patterns agree at one byte in 128, or sometimes 64, and at the beginning of a range.
    private static func expectWindow(_ call: UserCopyTable.Case, _ moved: Int) {
        guard call.address < 0x7000_0000_0000 else { return }
        let moved = UInt64(moved)
        #expect(call.userChanged <= moved, "\(call)")
        #expect(moved - call.userChanged <= 1 + moved / 64, "\(call)")
    }
}

extension Kernel {
    /// Runs a call of the registry with words for its arguments.
    @discardableResult
    mutating func perform(_ name: String, _ words: UInt64...) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name], "\(name)")
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        return apply(descriptor, arguments, in: CallContext())
    }
}
