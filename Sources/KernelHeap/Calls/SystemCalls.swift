/// A program's system calls on files, with the way into the kernel and back.
let systemCalls: [any KernelCall.Type] = [
    SysOpen.self, SysRead.self, SysWrite.self, SysIoctl.self, SysClose.self, SysLseek.self,
    SysPoll.self, SysMmap.self, RemapPfnRange.self,
]

private let descriptorParameter = Parameter("fd", .uint, "What sys_open or memfd_create returned.")
private let bufferParameter = Parameter("buf", .address, "A user address.")
private let countParameter = Parameter("count", .size, "Bytes.", isWork: true)

/// Names of `open()`'s flags.
private let openFlags = FlagNames(
    "open flags",
    [
        FlagName("O_RDONLY", 0), FlagName("O_WRONLY", 1), FlagName("O_RDWR", 2),
        FlagName("O_APPEND", 0o2000), FlagName("O_NONBLOCK", 0o4000),
        FlagName("O_CLOEXEC", 0o2000000),
    ]
)

/// A system call's number in each table.
private struct TableEntry {
    let number64: UInt64
    let number32: UInt64
}

extension Kernel {
    /// Enters the kernel, does what the call does there, and goes back.
    fileprivate mutating func systemCall(
        _ table: TableEntry,
        _ arguments: [UInt64],
        in context: CallContext,
        _ body: (inout Kernel, SystemCallEntry) -> DeviceOutcome
    ) -> CallResult {
        guard context.canSleep else {
            let facts = [Fact("refused", .text("programs run in process context"))]
            return CallResult(.failure(.EINVAL, facts))
        }
        let number = layout.is32Bit ? table.number32 : table.number64
        let entry = enterKernel(number, arguments, in: context)
        let outcome = body(&self, entry)
        if let value = outcome.value {
            leaveKernel(entry, with: value, in: context)
        } else if let process = process(context.pid), process > 0 {
            // make_task_dead(): who dies in the kernel exits there, files and memory included.
            exitProcess(process, code: 11, cpu: context.cpu)
        }
        return CallResult(
            outcome,
            [Fact("entry", facts(of: entry)), Fact("exit", exit(entry, outcome.value))]
        )
    }

    private func facts(of entry: SystemCallEntry) -> FactValue {
        let registers = entry.registers.values.map { Fact($0.name, .address($0.value)) }
        let saved = entry.registersAddress.map { FactValue.address($0) } ?? .null
        return .facts([
            Fact("instruction", .text(layout.is32Bit ? "int $0x80" : "syscall")),
            Fact("cpl", .list([.number(3), .number(0)])),
            Fact("cs", .address(layout.is32Bit ? 0x60 : 0x10)),
            Fact("ss", .address(layout.is32Bit ? 0x68 : 0x18)),
            Fact("stack_top", entry.stackTop == 0 ? .null : .address(entry.stackTop)),
            Fact("pt_regs", saved), Fact("registers", .facts(registers)),
        ])
    }

    private func exit(_ entry: SystemCallEntry, _ value: Int64?) -> FactValue {
        guard let value else { return .null }
        let word = UInt64(bitPattern: value) & layout.addressMask
        return .facts([
            Fact("instruction", .text(layout.is32Bit ? "iret" : "sysretq")),
            Fact("cpl", .list([.number(0), .number(3)])), Fact("ax", .address(word)),
        ])
    }
}

/// The system call `int open(const char *pathname, int flags)`.
struct SysOpen: KernelCall {
    static let signature = CallSignature(
        "sys_open",
        returns: "int",
        [
            Parameter("pathname", .text, "A device: /dev/ and its name."),
            Parameter("flags", .names(openFlags), "O_RDWR, and so on; O_RDONLY.", optional: true),
        ],
        "Opens a device from the calling process: its driver's open runs.",
        runsMethods: true
    )

    var path: String
    var flags: UInt64

    init(_ arguments: borrowing CallArguments) {
        path = arguments.text(0)
        flags = arguments.word(1) & 0xffff_ffff
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let table = TableEntry(number64: 2, number32: 5)
        // The path's bytes are the program's; nobody knows where it has them.
        return kernel.systemCall(table, [0, flags], in: context) { kernel, _ in
            kernel.openFile(path, flags: flags, in: context)
        }
    }
}

/// A system call that moves bytes between a buffer of the program and a file.
private protocol TransferCall: KernelCall {
    static var table: TableEntry { get }
    static var method: DeviceMethod { get }
    var descriptor: Int { get }
    var buffer: UInt64 { get }
    var count: UInt64 { get }
    init(descriptor: Int, buffer: UInt64, count: UInt64)
}

extension TransferCall {
    init(_ arguments: borrowing CallArguments) {
        self.init(
            descriptor: Int(arguments.uint(0)),
            buffer: arguments.word(1),
            count: arguments.word(2)
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let words = [UInt64(descriptor), buffer, count]
        return kernel.systemCall(Self.table, words, in: context) { kernel, entry in
            kernel.transfer(
                Self.method,
                descriptor,
                buffer: buffer,
                count: count,
                entry,
                in: context
            )
        }
    }
}

/// The system call `ssize_t read(int fd, void *buf, size_t count)`.
struct SysRead: TransferCall {
    static let signature = CallSignature(
        "sys_read",
        returns: "ssize_t",
        [descriptorParameter, bufferParameter, countParameter],
        "Reads from a file in memory, or from a device: its driver's read runs.",
        runsMethods: true
    )
    fileprivate static let table = TableEntry(number64: 0, number32: 3)
    static let method = DeviceMethod.read

    var descriptor: Int
    var buffer: UInt64
    var count: UInt64
}

/// The system call `ssize_t write(int fd, const void *buf, size_t count)`.
struct SysWrite: TransferCall {
    static let signature = CallSignature(
        "sys_write",
        returns: "ssize_t",
        [descriptorParameter, bufferParameter, countParameter],
        "Writes to a file in memory, or to a device: its driver's write runs.",
        runsMethods: true
    )
    fileprivate static let table = TableEntry(number64: 1, number32: 4)
    static let method = DeviceMethod.write

    var descriptor: Int
    var buffer: UInt64
    var count: UInt64
}

/// The system call `int ioctl(int fd, unsigned int cmd, unsigned long arg)`.
struct SysIoctl: KernelCall {
    static let signature = CallSignature(
        "sys_ioctl",
        returns: "int",
        [
            descriptorParameter, Parameter("cmd", .uint, "What to do, as the driver counts."),
            Parameter("arg", .address, "A number or a user address.", optional: true),
        ],
        "Asks a device for something of its own: its driver's ioctl runs.",
        runsMethods: true
    )

    var descriptor: Int
    var command: UInt64
    var argument: UInt64

    init(_ arguments: borrowing CallArguments) {
        descriptor = Int(arguments.uint(0))
        command = UInt64(arguments.uint(1))
        argument = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let table = TableEntry(number64: 16, number32: 54)
        let words = [UInt64(descriptor), command, argument]
        return kernel.systemCall(table, words, in: context) { kernel, _ in
            kernel.controlFile(descriptor, command: command, argument: argument, in: context)
        }
    }
}

/// The system call `int close(int fd)`.
struct SysClose: KernelCall {
    static let signature = CallSignature(
        "sys_close",
        returns: "int",
        [descriptorParameter],
        "Closes a file of the calling process: the driver's release runs.",
        runsMethods: true
    )

    var descriptor: Int

    init(_ arguments: borrowing CallArguments) { descriptor = Int(arguments.uint(0)) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let table = TableEntry(number64: 3, number32: 6)
        return kernel.systemCall(table, [UInt64(descriptor)], in: context) { kernel, _ in
            kernel.closeFile(kernel.processIndex(context), descriptor, cpu: context.cpu)
        }
    }
}

/// The system call `off_t lseek(int fd, off_t offset, int whence)`.
struct SysLseek: KernelCall {
    static let signature = CallSignature(
        "sys_lseek",
        returns: "off_t",
        [
            descriptorParameter,
            Parameter("offset", .signed(bits: 64), "Bytes.", isFixedWidth: true),
            Parameter("whence", .names(FileSeek.names), "SEEK_SET, and so on.", optional: true),
        ],
        "Moves the position of a file in memory, or asks a device: its driver's llseek runs.",
        runsMethods: true
    )

    var descriptor: Int
    var seek: FileSeek

    init(_ arguments: borrowing CallArguments) {
        descriptor = Int(arguments.uint(0))
        seek = FileSeek(
            offset: Int64(bitPattern: arguments.word(1)),
            origin: FileSeek.Origin(rawValue: arguments.word(2) & 0xffff_ffff)
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let table = TableEntry(number64: 8, number32: 19)
        let words = [
            UInt64(descriptor), UInt64(bitPattern: seek.offset), seek.origin?.rawValue ?? 0,
        ]
        return kernel.systemCall(table, words, in: context) { kernel, _ in
            kernel.seekFile(descriptor, seek, in: context)
        }
    }
}

/// The system call `int poll(struct pollfd *fds, nfds_t nfds, int timeout)`.
struct SysPoll: KernelCall {
    static let signature = CallSignature(
        "sys_poll",
        returns: "int",
        [
            Parameter("ufds", .address, "User address of struct pollfd: fd, events, revents."),
            Parameter("nfds", .uint, "How many there are."),
            Parameter("timeout_msecs", .int, "0 returns at once; below 0 waits.", optional: true),
        ],
        "Asks files whether they are ready: their drivers' poll runs. Time does not pass here.",
        runsMethods: true
    )

    var address: UInt64
    var count: UInt64
    var timeout: Int32

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = UInt64(arguments.uint(1))
        timeout = arguments.has(2) ? arguments.int(2) : 0
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let table = TableEntry(number64: 7, number32: 168)
        let words = [address, count, UInt64(bitPattern: Int64(timeout))]
        return kernel.systemCall(table, words, in: context) { kernel, _ in
            kernel.pollFiles(address, count, timeout: timeout, in: context)
        }
    }
}

/// The system call `void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)`.
struct SysMmap: KernelCall {
    static let signature = CallSignature(
        "sys_mmap",
        returns: "void *",
        [
            Parameter("addr", .address, "Where, as a hint or with MAP_FIXED.", optional: true),
            Parameter("len", .size, "Bytes."),
            Parameter("prot", .names(MemoryRights.names), "PROT_READ|PROT_WRITE, and so on."),
            Parameter("flags", .names(MapFlags.names), "MAP_SHARED, and so on."),
            Parameter("fd", .uint, "What sys_open or memfd_create returned.", optional: true),
            Parameter("off", .size, "Where in the file, in bytes.", optional: true),
        ],
        "Maps memory, a file, or a device: its driver's mmap runs.",
        runsMethods: true
    )

    var words: [UInt64]

    init(_ arguments: borrowing CallArguments) {
        words = (0..<6).map { arguments.word($0) }
        if !arguments.has(4) { words[4] = .max }
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let table = TableEntry(number64: 9, number32: 192)
        var result = kernel.systemCall(table, words, in: context) { kernel, _ in
            kernel.mapFile(words, in: context)
        }
        if case .integer(let address) = result.value, address >= 0 {
            result.value = .pointer(UInt64(address))
        }
        return result
    }
}

/// Puts frames into the area that a driver's mmap is asked to fill.
struct RemapPfnRange: KernelCall {
    static let signature = CallSignature(
        "remap_pfn_range",
        returns: "int",
        [
            Parameter("vma", .address, "What the driver's mmap was called with."),
            Parameter("addr", .address, "User address of the first page."),
            Parameter("pfn", .size, "The first frame."),
            Parameter("size", .size, "Bytes.", maximum: 1 << 30, isWork: true),
        ],
        "Maps frames that follow each other into the area that a driver's mmap fills."
    )

    var vma: UInt64
    var address: UInt64
    var frame: UInt64
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        vma = arguments.word(0)
        address = arguments.word(1)
        frame = arguments.word(2)
        size = min(arguments.word(3), 1 << 30)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(
            kernel.remapFrames(vma: vma, at: address, frame: frame, size: size, in: context)
        )
    }
}
