/// System calls on a process's memory, its own loads and stores, and the copies across the border.
let userSpaceCalls: [any KernelCall.Type] = [
    Mmap.self, Munmap.self, Mprotect.self, Madvise.self, UserRead.self, UserWrite.self,
    AccessOK.self, CopyToUser.self, CopyFromUser.self,
]

/// Most bytes that a load or store in user mode moves per call.
private let transferLimit: UInt64 = 1 << 20
private let addressParameter = Parameter("addr", .address, "A user address.")
private let lengthParameter = Parameter("length", .size, "Bytes.", isWork: true)

extension Kernel {
    /// The process that a call runs for; the first where the number is unknown.
    fileprivate func processIndex(_ context: CallContext) -> Int { process(context.pid) ?? 0 }

    /// A system call's result: 0, or the negative error number.
    fileprivate func status(_ errno: Errno?) -> CallResult {
        guard let errno else { return CallResult(.integer(0)) }
        return CallResult(.integer(-Int64(errno.rawValue)), errno: errno)
    }

    /// The signal that a refused load or store gets.
    ///
    /// For an address of the kernel's, the error code tells nothing but that: `sanitize_error_code()`.
    fileprivate func signal(_ fault: UserFault) -> Fact {
        let hidden: UInt32 = fault.address.rawValue >= userEnd ? 1 : 0
        let code = fault.reason == .notMapped || fault.reason == .outsideUserSpace ? 1 : 2
        return Fact(
            "signal",
            .facts([
                Fact("name", .text("SIGSEGV")),
                Fact("si_code", .text(code == 1 ? "SEGV_MAPERR" : "SEGV_ACCERR")),
                Fact("si_addr", .address(fault.address.rawValue)),
                Fact("error_code", .number(Int64(fault.code | hidden))),
            ])
        )
    }
}

/// The call `void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)`.
struct Mmap: KernelCall {
    static let signature = CallSignature(
        "mmap",
        returns: "void *",
        [
            Parameter("addr", .address, "Where, as a hint or with MAP_FIXED.", optional: true),
            Parameter("length", .size, "Bytes."),
            Parameter("prot", .names(MemoryRights.names), "PROT_READ|PROT_WRITE, and so on."),
            Parameter("flags", .names(MapFlags.names), "MAP_PRIVATE|MAP_ANONYMOUS, and so on."),
            Parameter("fd", .int, "A file; only anonymous memory exists.", optional: true),
            Parameter("offset", .size, "Where in the file.", optional: true),
        ],
        "Maps memory into the calling process; pages come at the first touch."
    )

    var hint: UInt64
    var length: UInt64
    var rights: MemoryRights
    var flags: UInt64

    init(_ arguments: borrowing CallArguments) {
        hint = arguments.word(0)
        length = arguments.word(1)
        rights = MemoryRights(rawValue: arguments.word(2) & 7)
        flags = arguments.word(3)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        let mapped = kernel.mmap(
            process,
            hint: hint,
            length: length,
            rights: rights,
            flags: flags
        )
        switch mapped {
        case .success(let address): return CallResult(.pointer(address))
        case .failure(let errno): return kernel.status(errno)
        }
    }
}

/// The call `int munmap(void *addr, size_t length)`.
struct Munmap: KernelCall {
    static let signature = CallSignature(
        "munmap",
        returns: "int",
        [addressParameter, lengthParameter],
        "Takes a range out of the calling process; its pages go back."
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.munmap(kernel.processIndex(context), address, length))
    }
}

/// The call `int mprotect(void *addr, size_t len, int prot)`.
struct Mprotect: KernelCall {
    static let signature = CallSignature(
        "mprotect",
        returns: "int",
        [
            addressParameter, Parameter("len", .size, "Bytes."),
            Parameter("prot", .names(MemoryRights.names), "The rights from now on."),
        ],
        "Changes what the process may do with mapped memory."
    )

    var address: UInt64
    var length: UInt64
    var rights: MemoryRights

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.word(1)
        rights = MemoryRights(rawValue: arguments.word(2) & 7)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.mprotect(kernel.processIndex(context), address, length, rights))
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
        "Says what the process will do with memory."
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
        kernel.status(kernel.madvise(kernel.processIndex(context), address, length, advice))
    }
}

/// Loads bytes in user mode: the result is how many were loaded.
struct UserRead: KernelCall {
    static let signature = CallSignature(
        "user_read",
        returns: "size_t",
        [addressParameter, Parameter("length", .size, "Bytes.", maximum: transferLimit)],
        "Loads bytes in user mode; a refused access is a signal."
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = min(arguments.word(1), transferLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var bytes: [UInt8] = []
        let (done, fault) = kernel.walkUser(
            kernel.processIndex(context),
            address,
            length,
            for: .load,
            cpu: context.cpu
        ) { kernel, pfn, offset, count in
            if let pfn {
                kernel.readFrame(pfn, offset: offset, count: count, into: &bytes)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: count))
            }
        }
        var facts = [Fact("data", .bytes(bytes))]
        if let fault { facts.append(kernel.signal(fault)) }
        return CallResult(.unsigned(done), detail: .facts(facts))
    }
}

/// Stores bytes in user mode: the result is how many were stored.
struct UserWrite: KernelCall {
    static let signature = CallSignature(
        "user_write",
        returns: "size_t",
        [addressParameter, Parameter("data", .bytes, "The bytes.")],
        "Stores bytes in user mode; a refused access is a signal."
    )

    var address: UInt64
    var data: [UInt8]

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        data = arguments.bytes(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var rest = data[...]
        let (done, fault) = kernel.walkUser(
            kernel.processIndex(context),
            address,
            UInt64(data.count),
            for: .store,
            cpu: context.cpu
        ) { kernel, pfn, offset, count in
            if let pfn { kernel.writeFrame(pfn, offset: offset, rest.prefix(count)) }
            rest = rest.dropFirst(count)
        }
        let facts = fault.map { [kernel.signal($0)] } ?? []
        return CallResult(.unsigned(done), detail: .facts(facts))
    }
}

/// The call `int access_ok(const void __user *addr, unsigned long size)`.
struct AccessOK: KernelCall {
    static let signature = CallSignature(
        "access_ok",
        returns: "int",
        [addressParameter, Parameter("size", .size, "Bytes.")],
        "Whether a range lies in user space; says nothing about what is mapped."
    )

    var address: UInt64
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        size = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.integer(kernel.isUserRange(address, size) ? 1 : 0))
    }
}

/// The call `unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)`.
public struct CopyToUser: KernelCall {
    public static let signature = CallSignature(
        "copy_to_user",
        returns: "unsigned long",
        [
            Parameter("to", .address, "A user address."),
            Parameter("from", .address, "A kernel address."),
            Parameter("n", .size, "Bytes.", isWork: true),
        ],
        "Copies kernel memory to the calling process; returns the bytes not copied."
    )

    var to: UInt64
    var from: UInt64
    var count: UInt64

    public init(_ arguments: borrowing CallArguments) {
        to = arguments.word(0)
        from = arguments.word(1)
        count = arguments.word(2)
    }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let copy = kernel.copyToUser(
            kernel.processIndex(context),
            to: to,
            from: from,
            count: count,
            in: context
        )
        return CallResult(.unsigned(copy.notCopied), detail: .userCopy(copy))
    }
}

/// The call `unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)`.
public struct CopyFromUser: KernelCall {
    public static let signature = CallSignature(
        "copy_from_user",
        returns: "unsigned long",
        [
            Parameter("to", .address, "A kernel address."),
            Parameter("from", .address, "A user address."),
            Parameter("n", .size, "Bytes.", isWork: true),
        ],
        "Copies from the calling process; returns the bytes not copied and clears their place."
    )

    var to: UInt64
    var from: UInt64
    var count: UInt64

    public init(_ arguments: borrowing CallArguments) {
        to = arguments.word(0)
        from = arguments.word(1)
        count = arguments.word(2)
    }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let copy = kernel.copyFromUser(
            kernel.processIndex(context),
            to: to,
            from: from,
            count: count,
            in: context
        )
        return CallResult(.unsigned(copy.notCopied), detail: .userCopy(copy))
    }
}
