/// Values, strings and structures across the border, and the copies that check less.
let userAccessCalls: [any KernelCall.Type] = [
    CopyToUserUnchecked.self, CopyFromUserUnchecked.self, CopyToUserInatomic.self,
    CopyFromUserInatomic.self, CopyToUserNofault.self, CopyFromUserNofault.self, PutUser.self,
    GetUser.self, ClearUser.self, ClearUserUnchecked.self, StrncpyFromUser.self, StrnlenUser.self,
    CopyStructFromUser.self, CheckZeroedUser.self, FaultInReadable.self, FaultInWriteable.self,
    PagefaultDisable.self, PagefaultEnable.self,
]

/// Most bytes that one call looks at.
private let lengthLimit: UInt64 = 64 << 20
private let toUser = Parameter("to", .address, "A user address.")
private let fromKernel = Parameter("from", .address, "A kernel address.")
private let toKernel = Parameter("to", .address, "A kernel address.")
private let fromUser = Parameter("from", .address, "A user address.")
private let countParameter = Parameter("n", .size, "Bytes.", isWork: true)
private let widthParameter = Parameter(
    "size",
    .uint,
    "sizeof(*ptr): 1, 2, 4 or 8, the default; others count as 8.",
    optional: true
)

extension CallArguments {
    /// A value of type `long`: what is above its largest is negative.
    ///
    /// No longer string is looked at.
    fileprivate borrowing func limit(_ index: Int) -> Int64 {
        min(Int64(bitPattern: word(index)), Int64(lengthLimit))
    }

    fileprivate borrowing func width(_ index: Int) -> Int {
        let width = has(index) ? uint(index) : 8
        return [1, 2, 4].contains(width) ? Int(width) : 8
    }
}

extension CallResult {
    /// 0, or `-EFAULT`.
    fileprivate static func fault(unless isDone: Bool, _ detail: CallDetail = .none) -> CallResult {
        isDone
            ? CallResult(.integer(0), detail: detail)
            : CallResult(
                .integer(-Int64(Errno.EFAULT.rawValue)),
                errno: .EFAULT,
                detail: detail
            )
    }
}

/// Both addresses and the length of a copy.
private struct CopyArguments {
    var to: UInt64
    var from: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        to = arguments.word(0)
        from = arguments.word(1)
        count = arguments.word(2)
    }

    func store(on kernel: inout Kernel, mayFault: Bool, in context: CallContext) -> UserCopyDetail {
        let process = kernel.processIndex(context)
        let copy = kernel.copyToUserUnchecked(
            process,
            to: to,
            from: from,
            count: count,
            mayFault: mayFault,
            in: context
        )
        kernel.noteResult(copy, at: to, process: process)
        return copy
    }

    func load(on kernel: inout Kernel, mayFault: Bool, in context: CallContext) -> UserCopyDetail {
        let copy = kernel.copyFromUserUnchecked(
            kernel.processIndex(context),
            to: to,
            from: from,
            count: count,
            mayFault: mayFault,
            in: context
        )
        kernel.noteResult(copy, at: to, process: nil)
        return copy
    }
}

/// The call `unsigned long __copy_to_user(void __user *to, const void *from, unsigned long n)`.
struct CopyToUserUnchecked: KernelCall {
    static let signature = CallSignature(
        "__copy_to_user",
        returns: "unsigned long",
        [toUser, fromKernel, countParameter],
        "Copies to the calling process; the caller has asked access_ok."
    )

    private var copy: CopyArguments

    init(_ arguments: borrowing CallArguments) { copy = CopyArguments(arguments) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let done = copy.store(on: &kernel, mayFault: true, in: context)
        return CallResult(.unsigned(done.notCopied), detail: .userCopy(done))
    }
}

/// The call `unsigned long __copy_from_user(void *to, const void __user *from, unsigned long n)`.
struct CopyFromUserUnchecked: KernelCall {
    static let signature = CallSignature(
        "__copy_from_user",
        returns: "unsigned long",
        [toKernel, fromUser, countParameter],
        "Copies from the calling process; what cannot be copied stays as it was."
    )

    private var copy: CopyArguments

    init(_ arguments: borrowing CallArguments) { copy = CopyArguments(arguments) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let done = copy.load(on: &kernel, mayFault: true, in: context)
        return CallResult(.unsigned(done.notCopied), detail: .userCopy(done))
    }
}

/// The call `unsigned long __copy_to_user_inatomic(void __user *to, const void *from, unsigned long n)`.
struct CopyToUserInatomic: KernelCall {
    static let signature = CallSignature(
        "__copy_to_user_inatomic",
        returns: "unsigned long",
        [toUser, fromKernel, countParameter],
        "Copies to the calling process where the kernel may not sleep."
    )

    private var copy: CopyArguments

    init(_ arguments: borrowing CallArguments) { copy = CopyArguments(arguments) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let done = copy.store(on: &kernel, mayFault: true, in: context)
        return CallResult(.unsigned(done.notCopied), detail: .userCopy(done))
    }
}

/// The call `unsigned long __copy_from_user_inatomic(void *to, const void __user *from, unsigned long n)`.
struct CopyFromUserInatomic: KernelCall {
    static let signature = CallSignature(
        "__copy_from_user_inatomic",
        returns: "unsigned long",
        [toKernel, fromUser, countParameter],
        "Copies from the calling process where the kernel may not sleep; nothing is cleared."
    )

    private var copy: CopyArguments

    init(_ arguments: borrowing CallArguments) { copy = CopyArguments(arguments) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let done = copy.load(on: &kernel, mayFault: true, in: context)
        return CallResult(.unsigned(done.notCopied), detail: .userCopy(done))
    }
}

/// The call `long copy_to_user_nofault(void __user *dst, const void *src, size_t size)`.
struct CopyToUserNofault: KernelCall {
    static let signature = CallSignature(
        "copy_to_user_nofault",
        returns: "long",
        [toUser, fromKernel, countParameter],
        "Copies to pages that are there; -EFAULT where one is not."
    )

    private var copy: CopyArguments

    init(_ arguments: borrowing CallArguments) { copy = CopyArguments(arguments) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.isUserRange(copy.to, copy.count) else { return .fault(unless: false) }
        let done = copy.store(on: &kernel, mayFault: false, in: context)
        return .fault(unless: done.notCopied == 0, .userCopy(done))
    }
}

/// The call `long copy_from_user_nofault(void *dst, const void __user *src, size_t size)`.
struct CopyFromUserNofault: KernelCall {
    static let signature = CallSignature(
        "copy_from_user_nofault",
        returns: "long",
        [toKernel, fromUser, countParameter],
        "Copies from pages that are there; -EFAULT where one is not."
    )

    private var copy: CopyArguments

    init(_ arguments: borrowing CallArguments) { copy = CopyArguments(arguments) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.isUserRange(copy.from, copy.count) else { return .fault(unless: false) }
        let done = copy.load(on: &kernel, mayFault: false, in: context)
        return .fault(unless: done.notCopied == 0, .userCopy(done))
    }
}

/// The call `int put_user(x, ptr)`.
struct PutUser: KernelCall {
    static let signature = CallSignature(
        "put_user",
        returns: "int",
        [
            Parameter("x", .address, "The value.", isFixedWidth: true),
            Parameter("ptr", .address, "A user address."), widthParameter,
        ],
        "Stores one value into user memory, whole or not at all."
    )

    var value: UInt64
    var address: UInt64
    var width: Int

    init(_ arguments: borrowing CallArguments) {
        value = arguments.word(0)
        address = arguments.word(1)
        width = arguments.width(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return .fault(
            unless: kernel.putUser(process, address, value, bytes: width, in: context)
        )
    }
}

/// The call `int get_user(x, ptr)`.
struct GetUser: KernelCall {
    static let signature = CallSignature(
        "get_user",
        returns: "int",
        [
            Parameter("ptr", .address, "A user address."), widthParameter,
        ],
        "Loads one value from user memory; detail.x is 0 after a fault."
    )

    var address: UInt64
    var width: Int

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        width = arguments.width(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        let value = kernel.getUser(process, address, bytes: width, in: context)
        return .fault(unless: value != nil, .facts([Fact("x", .address(value ?? 0))]))
    }
}

/// The call `unsigned long clear_user(void __user *to, unsigned long n)`.
struct ClearUser: KernelCall {
    static let signature = CallSignature(
        "clear_user",
        returns: "unsigned long",
        [
            toUser, countParameter,
        ],
        "Clears user memory; returns the bytes not cleared."
    )

    var address: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return CallResult(.unsigned(kernel.clearUser(process, address, count, in: context)))
    }
}

/// The call `unsigned long __clear_user(void __user *to, unsigned long n)`.
struct ClearUserUnchecked: KernelCall {
    static let signature = CallSignature(
        "__clear_user",
        returns: "unsigned long",
        [
            toUser, countParameter,
        ],
        "The same; the caller has asked access_ok."
    )

    var address: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return CallResult(
            .unsigned(kernel.clearUserUnchecked(process, address, count, in: context))
        )
    }
}

/// The call `long strncpy_from_user(char *dst, const char __user *src, long count)`.
struct StrncpyFromUser: KernelCall {
    static let signature = CallSignature(
        "strncpy_from_user",
        returns: "long",
        [
            Parameter("dst", .address, "A kernel address."),
            Parameter("src", .address, "A user string."),
            Parameter(
                "count",
                .size,
                "Bytes at most, NUL included.",
                maximum: lengthLimit,
                isWork: true
            ),
        ],
        "Copies a string; returns its length, the count where it has no NUL in it, or -EFAULT."
    )

    var target: UInt64
    var string: UInt64
    var limit: Int64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        string = arguments.word(1)
        limit = arguments.limit(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let length = kernel.strncpyFromUser(
            kernel.processIndex(context),
            to: target,
            from: string,
            limit: limit,
            in: context
        )
        guard let length else { return .fault(unless: false) }
        return CallResult(.integer(length))
    }
}

/// The call `long strnlen_user(const char __user *str, long count)`.
struct StrnlenUser: KernelCall {
    static let signature = CallSignature(
        "strnlen_user",
        returns: "long",
        [
            Parameter("str", .address, "A user string."),
            Parameter("count", .size, "Bytes to look at.", isWork: true),
        ],
        "The length of a string with its NUL; count + 1 where it has none, 0 for a fault."
    )

    var string: UInt64
    var limit: Int64

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        limit = arguments.limit(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let length = kernel.strnlenUser(
            kernel.processIndex(context),
            string,
            limit: limit,
            in: context
        )
        return CallResult(.unsigned(length))
    }
}

/// The call `int copy_struct_from_user(void *dst, size_t ksize, const void __user *src, size_t usize)`.
struct CopyStructFromUser: KernelCall {
    static let signature = CallSignature(
        "copy_struct_from_user",
        returns: "int",
        [
            Parameter("dst", .address, "A kernel address."),
            Parameter(
                "ksize",
                .size,
                "Bytes that the kernel knows.",
                maximum: lengthLimit,
                isWork: true
            ),
            Parameter("src", .address, "A user address."),
            Parameter(
                "usize",
                .size,
                "Bytes that the process gave.",
                maximum: lengthLimit,
                isWork: true
            ),
        ],
        "Copies a structure of another size: the rest is cleared, or must be zero (-E2BIG)."
    )

    var target: UInt64
    var kernelSize: UInt64
    var source: UInt64
    var userSize: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        kernelSize = min(arguments.word(1), lengthLimit)
        source = arguments.word(2)
        userSize = min(arguments.word(3), lengthLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let errno = kernel.copyStructFromUser(
            kernel.processIndex(context),
            to: target,
            kernelSize: kernelSize,
            from: source,
            userSize: userSize,
            in: context
        )
        guard let errno else { return CallResult(.integer(0)) }
        return CallResult(.integer(-Int64(errno.rawValue)), errno: errno)
    }
}

/// The call `int check_zeroed_user(const void __user *from, size_t size)`.
struct CheckZeroedUser: KernelCall {
    static let signature = CallSignature(
        "check_zeroed_user",
        returns: "int",
        [
            fromUser,
            Parameter("size", .size, "Bytes.", maximum: lengthLimit, isWork: true),
        ],
        "1 where user memory is all zeros, 0 where it is not, -EFAULT."
    )

    var address: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = min(arguments.word(1), lengthLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        let isZeroed = kernel.isZeroedUser(process, address, count, in: context)
        guard let isZeroed else { return .fault(unless: false) }
        return CallResult(.integer(isZeroed ? 1 : 0))
    }
}

/// The call `size_t fault_in_readable(const char __user *uaddr, size_t size)`.
struct FaultInReadable: KernelCall {
    static let signature = CallSignature(
        "fault_in_readable",
        returns: "size_t",
        [
            Parameter("uaddr", .address, "A user address."),
            Parameter("size", .size, "Bytes.", isWork: true),
        ],
        "Brings pages in for reading; returns the bytes out of reach."
    )

    var address: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let rest = kernel.faultIn(
            kernel.processIndex(context),
            address,
            count,
            for: .load,
            in: context
        )
        return CallResult(.unsigned(rest))
    }
}

/// The call `size_t fault_in_writeable(const char __user *uaddr, size_t size)`.
struct FaultInWriteable: KernelCall {
    static let signature = CallSignature(
        "fault_in_writeable",
        returns: "size_t",
        [
            Parameter("uaddr", .address, "A user address."),
            Parameter("size", .size, "Bytes.", isWork: true),
        ],
        "Brings pages in for writing, a zero into the first byte of each; returns the bytes out of reach."
    )

    var address: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let rest = kernel.faultIn(
            kernel.processIndex(context),
            address,
            count,
            for: .store,
            in: context
        )
        return CallResult(.unsigned(rest))
    }
}

/// The call `void pagefault_disable(void)`.
struct PagefaultDisable: KernelCall {
    static let signature = CallSignature(
        "pagefault_disable",
        returns: "void",
        [],
        "From now on user copies of the calling process take no page faults."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.disablePagefaults(of: kernel.processIndex(context), by: 1)
        return .void
    }
}

/// The call `void pagefault_enable(void)`.
struct PagefaultEnable: KernelCall {
    static let signature = CallSignature(
        "pagefault_enable",
        returns: "void",
        [],
        "Ends one pagefault_disable()."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.disablePagefaults(of: kernel.processIndex(context), by: -1)
        return .void
    }
}
