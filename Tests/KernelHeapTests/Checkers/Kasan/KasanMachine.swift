import Testing

@testable import KernelHeap

/// A machine with the address sanitizer, and the calls that its tests make.
struct KasanMachine {
    let calls: CallMachine

    init(_ configure: (inout MachineDescription) -> Void = { _ in }) throws {
        var description = MachineDescription()
        description.kasan = true
        configure(&description)
        calls = try CallMachine(description)
    }

    @discardableResult
    func call(_ name: String, _ arguments: CallMachine.Argument...) throws -> CallOutcome {
        try calls.call(name, arguments)
    }

    func pointer(_ name: String, _ arguments: CallMachine.Argument...) throws -> UInt64 {
        let outcome = try calls.call(name, arguments)
        guard case .pointer(let address) = outcome.result.value, address != 0 else {
            Issue.record("\(name) gave nothing")
            return 0
        }
        return address
    }

    func kmalloc(_ size: UInt64) throws -> UInt64 {
        try pointer("kmalloc", .word(size), 0xcc0)
    }

    func kfree(_ address: UInt64) throws -> [KasanReport] {
        try call("kfree", .word(address)).kasan
    }

    func read(_ address: UInt64, _ length: UInt64) throws -> [KasanReport] {
        try call("kernel_read", .word(address), .word(length)).kasan
    }

    func write(_ address: UInt64, _ length: Int) throws -> [KasanReport] {
        let bytes = [UInt8](repeating: 0x41, count: length)
        return try call("kernel_write", .word(address), .bytes(bytes)).kasan
    }
}

extension CallOutcome {
    /// What the address sanitizer reported.
    var kasan: [KasanReport] {
        warnings.compactMap { warning in
            if case .kasan(let report) = warning { return report }
            return nil
        }
    }
}
