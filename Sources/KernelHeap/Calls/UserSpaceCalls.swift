/// System calls on a process's mappings.
let userSpaceCalls: [any KernelCall.Type] = [
    Mmap.self, Munmap.self, Mprotect.self, Mremap.self, Brk.self, Madvise.self, Mlock.self,
    Munlock.self, Msync.self,
]

private let addressParameter = Parameter("addr", .address, "A user address.")
private let lengthParameter = Parameter("length", .size, "Bytes.", isWork: true)

extension Kernel {
    /// A system call's result: 0, or the negative error number.
    func status(_ errno: Errno?) -> CallResult {
        guard let errno else { return CallResult(.integer(0)) }
        return CallResult(.integer(-Int64(errno.rawValue)), errno: errno)
    }

    /// The same of a system call that returns an address.
    fileprivate func place(_ result: Result<UInt64, Errno>) -> CallResult {
        switch result {
        case .success(let address): CallResult(.pointer(address))
        case .failure(let errno): status(errno)
        }
    }
}

/// The call `void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)`.
struct Mmap: KernelCall {
    static let signature = CallSignature(
        "mmap",
        returns: "void *",
        [
            Parameter("addr", .address, "Where, as a hint or with MAP_FIXED.", optional: true),
            lengthParameter,
            Parameter("prot", .names(MemoryRights.names), "PROT_READ|PROT_WRITE, and so on."),
            Parameter("flags", .names(MapFlags.names), "MAP_PRIVATE|MAP_ANONYMOUS, and so on."),
            Parameter("fd", .int, "A file of memfd_create's, unless anonymous.", optional: true),
            Parameter("offset", .size, "Where in the file, in bytes.", optional: true),
        ],
        "Maps memory or a file into the calling process; pages come at the first touch.",
        isSystemCall: true
    )

    var hint: UInt64
    var length: UInt64
    var rights: MemoryRights
    var flags: UInt64
    var descriptor: Int32
    var offset: UInt64

    init(_ arguments: borrowing CallArguments) {
        hint = arguments.word(0)
        length = arguments.word(1)
        rights = MemoryRights(rawValue: arguments.word(2) & 7)
        flags = arguments.word(3)
        descriptor = arguments.has(4) ? arguments.int(4) : -1
        offset = arguments.word(5)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let mapped = kernel.mmap(
            kernel.processIndex(context),
            hint: hint,
            length: length,
            rights: rights,
            flags: flags,
            descriptor: Int(descriptor),
            offset: offset,
            cpu: context.cpu
        )
        return kernel.place(mapped)
    }
}

/// The call `int munmap(void *addr, size_t length)`.
struct Munmap: KernelCall {
    static let signature = CallSignature(
        "munmap",
        returns: "int",
        [addressParameter, lengthParameter],
        "Takes a range out of the calling process; its pages go back.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return kernel.status(kernel.munmap(process, address, length, cpu: context.cpu))
    }
}

/// The call `int mprotect(void *addr, size_t len, int prot)`.
struct Mprotect: KernelCall {
    static let signature = CallSignature(
        "mprotect",
        returns: "int",
        [
            addressParameter, Parameter("len", .size, "Bytes.", isWork: true),
            Parameter("prot", .names(MemoryRights.names), "The rights from now on."),
        ],
        "Changes what the process may do with mapped memory.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64
    var protection: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
        protection = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        // PROT_SEM is known, and says nothing here.
        guard protection & ~0xf == 0 else { return kernel.status(.EINVAL) }
        let errno = kernel.mprotect(
            kernel.processIndex(context),
            address,
            length,
            MemoryRights(rawValue: protection & 7),
            cpu: context.cpu
        )
        return kernel.status(errno)
    }
}

/// The call `void *mremap(void *old_address, size_t old_size, size_t new_size, int flags, …)`.
struct Mremap: KernelCall {
    static let signature = CallSignature(
        "mremap",
        returns: "void *",
        [
            Parameter("old_address", .address, "Where the memory is."),
            Parameter("old_size", .size, "Bytes that it has.", isWork: true),
            Parameter("new_size", .size, "Bytes that it is to have.", isWork: true),
            Parameter(
                "flags",
                .names(RemapFlags.names),
                "MREMAP_MAYMOVE, and so on.",
                optional: true
            ),
            Parameter("new_address", .address, "Where to, with MREMAP_FIXED.", optional: true),
        ],
        "Grows, shrinks or moves mapped memory with its pages.",
        isSystemCall: true
    )

    var request: Kernel.Remapping

    init(_ arguments: borrowing CallArguments) {
        request = Kernel.Remapping(
            address: arguments.word(0),
            oldLength: arguments.word(1),
            newLength: arguments.word(2),
            flags: arguments.word(3),
            target: arguments.word(4)
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return kernel.place(kernel.mremap(process, request, cpu: context.cpu))
    }
}

/// The call `void *brk(void *addr)`, as the system call answers.
struct Brk: KernelCall {
    static let signature = CallSignature(
        "brk",
        returns: "void *",
        [
            Parameter(
                "addr",
                .address,
                "Where the heap is to end; 0 asks where it does.",
                optional: true
            )
        ],
        "Moves the end of the heap; returns where it is now, which is the old place if it may not move.",
        takesLong: true,
        isSystemCall: true
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return CallResult(.pointer(kernel.setBreak(process, to: address, cpu: context.cpu)))
    }
}

/// The call `int madvise(void *addr, size_t length, int advice)`.
struct Madvise: KernelCall {
    static let signature = CallSignature(
        "madvise",
        returns: "int",
        [
            addressParameter, lengthParameter,
            Parameter("advice", .names(MemoryAdvice.names), "MADV_DONTNEED gives pages back."),
        ],
        "Says what the process will do with memory.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64
    var advice: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
        advice = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return kernel.status(kernel.madvise(process, address, length, advice, cpu: context.cpu))
    }
}

/// The call `int mlock(const void *addr, size_t len)`.
struct Mlock: KernelCall {
    static let signature = CallSignature(
        "mlock",
        returns: "int",
        [addressParameter, Parameter("len", .size, "Bytes.", isWork: true)],
        "Brings the pages of a range in, and keeps them.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return kernel.status(kernel.lock(process, address, length, cpu: context.cpu))
    }
}

/// The call `int munlock(const void *addr, size_t len)`.
struct Munlock: KernelCall {
    static let signature = CallSignature(
        "munlock",
        returns: "int",
        [addressParameter, Parameter("len", .size, "Bytes.", isWork: true)],
        "Ends what mlock began.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.unlock(kernel.processIndex(context), address, length))
    }
}

/// The call `int msync(void *addr, size_t length, int flags)`.
struct Msync: KernelCall {
    static let signature = CallSignature(
        "msync",
        returns: "int",
        [
            addressParameter, lengthParameter,
            Parameter("flags", .names(SyncFlags.names), "MS_SYNC, MS_ASYNC, MS_INVALIDATE."),
        ],
        "Writes a file's pages back; files in memory have nowhere to go.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64
    var flags: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
        flags = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.sync(kernel.processIndex(context), address, length, flags))
    }
}
