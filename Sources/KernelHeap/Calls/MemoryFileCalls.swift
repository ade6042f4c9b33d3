/// Files that live in memory, for a process to map.
let memoryFileCalls: [any KernelCall.Type] = [
    MemfdCreate.self, Ftruncate.self, Pwrite.self, Pread.self, Close.self,
]

private let descriptorParameter = Parameter("fd", .int, "A file of memfd_create's.")
/// Most bytes that one call reads.
private let transferLimit: UInt64 = 1 << 20

/// The call `int memfd_create(const char *name, unsigned int flags)`.
struct MemfdCreate: KernelCall {
    static let signature = CallSignature(
        "memfd_create",
        returns: "int",
        [
            Parameter("name", .text, "At most 249 bytes; /proc/pid/maps shows it."),
            Parameter(
                "flags",
                .names(FlagNames("flags", [FlagName("MFD_CLOEXEC", 1)])),
                "MFD_CLOEXEC, which says nothing here.",
                optional: true
            ),
        ],
        "Makes an empty file in memory; returns a descriptor of the calling process.",
        isSystemCall: true
    )

    var name: String
    var flags: UInt64

    init(_ arguments: borrowing CallArguments) {
        name = arguments.text(0)
        flags = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard flags & ~1 == 0, name.utf8.count <= 249 else { return kernel.status(.EINVAL) }
        switch kernel.createFile(kernel.processIndex(context), named: name) {
        case .success(let descriptor): return CallResult(.integer(Int64(descriptor)))
        case .failure(let errno): return kernel.status(errno)
        }
    }
}

/// The call `int ftruncate(int fd, off_t length)`.
struct Ftruncate: KernelCall {
    static let signature = CallSignature(
        "ftruncate",
        returns: "int",
        [descriptorParameter, Parameter("length", .size, "Bytes from now on.")],
        "Makes a file longer by zeros, or shorter: what lies behind its end is a SIGBUS.",
        takesLong: true,
        isSystemCall: true
    )

    var descriptor: Int32
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        descriptor = arguments.int(0)
        length = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return kernel.status(
            kernel.truncate(process, Int(descriptor), to: length, cpu: context.cpu)
        )
    }
}

/// The call `ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset)`.
struct Pwrite: KernelCall {
    static let signature = CallSignature(
        "pwrite",
        returns: "ssize_t",
        [
            descriptorParameter, Parameter("data", .bytes, "The bytes."),
            Parameter("offset", .size, "Where in the file, in bytes.", optional: true),
        ],
        "Stores bytes into a file; every process that maps it shared sees them.",
        isSystemCall: true
    )

    var descriptor: Int32
    var data: [UInt8]
    var offset: UInt64

    init(_ arguments: borrowing CallArguments) {
        descriptor = arguments.int(0)
        data = arguments.bytes(1)
        offset = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        let cpu = context.cpu
        switch kernel.writeFile(process, Int(descriptor), data, at: offset, cpu: cpu) {
        case .success(let count): return CallResult(.unsigned(count))
        case .failure(let errno): return kernel.status(errno)
        }
    }
}

/// The call `ssize_t pread(int fd, void *buf, size_t count, off_t offset)`.
struct Pread: KernelCall {
    static let signature = CallSignature(
        "pread",
        returns: "ssize_t",
        [
            descriptorParameter,
            Parameter("count", .size, "Bytes.", maximum: transferLimit),
            Parameter("offset", .size, "Where in the file, in bytes.", optional: true),
        ],
        "Loads bytes of a file, to its end at most.",
        isSystemCall: true
    )

    var descriptor: Int32
    var count: UInt64
    var offset: UInt64

    init(_ arguments: borrowing CallArguments) {
        descriptor = arguments.int(0)
        count = min(arguments.word(1), transferLimit)
        offset = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        switch kernel.readFile(process, Int(descriptor), count, at: offset, cpu: context.cpu) {
        case .success(let bytes):
            return CallResult(
                .unsigned(UInt64(bytes.count)),
                detail: .facts([Fact("data", .bytes(bytes))])
            )
        case .failure(let errno): return kernel.status(errno)
        }
    }
}

/// The call `int close(int fd)`.
struct Close: KernelCall {
    static let signature = CallSignature(
        "close",
        returns: "int",
        [descriptorParameter],
        "Closes a file; it goes when nothing shows it any more.",
        runsMethods: true,
        isSystemCall: true
    )

    var descriptor: Int32

    init(_ arguments: borrowing CallArguments) { descriptor = arguments.int(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return CallResult(kernel.closeFile(process, Int(descriptor), cpu: context.cpu))
    }
}
