/// Where the members of a `struct file` are: 6.1 without lock debugging.
///
/// The sizes come out as recorded: 232 bytes on 64 bits, 160 on 32 (cache `filp`).
struct FileLayout {
    let count: UInt64
    let flags: UInt64
    let mode: UInt64
    let position: UInt64

    init(is32Bit: Bool) {
        count = is32Bit ? 0x1c : 0x38
        flags = is32Bit ? 0x20 : 0x40
        mode = is32Bit ? 0x24 : 0x44
        position = is32Bit ? 0x3c : 0x68
    }
}

/// The registers that an entry into the kernel saves, in the order of their addresses: `pt_regs`.
struct SavedRegisters {
    private(set) var values: [(name: String, value: UInt64)]
    private let wordBytes: Int

    /// The registers of a program that makes a system call.
    ///
    /// - Parameters:
    ///   - number: of the system call.
    ///   - arguments: at most six.
    ///   - is32Bit: whether it comes by `int $0x80` rather than `syscall`.
    ///   - stack: the program's stack pointer.
    init(number: UInt64, _ arguments: [UInt64], is32Bit: Bool, stack: UInt64) {
        let flags: UInt64 = 0x246
        func argument(_ index: Int) -> UInt64 { index < arguments.count ? arguments[index] : 0 }
        if is32Bit {
            wordBytes = 4
            values = [
                ("bx", argument(0)), ("cx", argument(1)), ("dx", argument(2)), ("si", argument(3)),
                ("di", argument(4)), ("bp", argument(5)), ("ax", 0xffff_ffda), ("ds", 0x7b),
                ("es", 0x7b), ("fs", 0), ("gs", 0x33), ("orig_ax", number),
                ("ip", Self.instruction32), ("cs", 0x73), ("flags", flags), ("sp", stack),
                ("ss", 0x7b),
            ]
        } else {
            wordBytes = 8
            // `syscall` leaves the return address in rcx and the flags in r11.
            values = [
                ("r15", 0), ("r14", 0), ("r13", 0), ("r12", 0), ("bp", 0), ("bx", 0),
                ("r11", flags), ("r10", argument(3)), ("r9", argument(5)), ("r8", argument(4)),
                ("ax", UInt64(bitPattern: -38)), ("cx", Self.instruction64), ("dx", argument(2)),
                ("si", argument(1)), ("di", argument(0)), ("orig_ax", number),
                ("ip", Self.instruction64), ("cs", 0x33), ("flags", flags), ("sp", stack),
                ("ss", 0x2b),
            ]
        }
    }

    /// Where the program's next instruction is: a page that a static program has its text in.
    private static let instruction64: UInt64 = 0x40_1012
    private static let instruction32: UInt64 = 0x804_9012

    var bytes: [UInt8] {
        values.flatMap { $0.value.littleEndianBytes.prefix(wordBytes) }
    }

    /// Where the result goes, in bytes from the first register.
    var resultOffset: UInt64 {
        UInt64((values.firstIndex { $0.name == "ax" } ?? 0) * wordBytes)
    }
}
