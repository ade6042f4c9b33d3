/// Single values across the border, clearing, and pages brought in.
let userAccessCalls: [any KernelCall.Type] = [
    PutUser.self, GetUser.self, ClearUser.self, ClearUserUnchecked.self, FaultInReadable.self,
    FaultInWriteable.self, PagefaultDisable.self, PagefaultEnable.self,
]

private let toUser = Parameter("to", .address, "A user address.")
private let countParameter = Parameter("n", .size, "Bytes.", isWork: true)
private let widthParameter = Parameter(
    "size",
    .uint,
    "sizeof(*ptr): 1, 2, 4 or 8, the default; others count as 8.",
    optional: true
)

extension CallArguments {
    fileprivate borrowing func width(_ index: Int) -> Int {
        let width = has(index) ? uint(index) : 8
        return [1, 2, 4].contains(width) ? Int(width) : 8
    }
}

extension CallResult {
    /// 0, or `-EFAULT`.
    static func fault(unless isDone: Bool, _ detail: CallDetail = .none) -> CallResult {
        isDone
            ? CallResult(.integer(0), detail: detail)
            : CallResult(
                .integer(-Int64(Errno.EFAULT.rawValue)),
                errno: .EFAULT,
                detail: detail
            )
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
        kernel.mightFault(at: nil, in: context)
        let isDone = kernel.putUser(process, address, value, bytes: width, in: context)
        if !isDone { kernel.noteMissing(at: address, UInt64(width), process: process) }
        return .fault(unless: isDone)
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
        kernel.mightFault(at: nil, in: context)
        let value = kernel.getUser(process, address, bytes: width, in: context)
        if value == nil { kernel.noteMissing(at: 0, 0, process: nil) }
        return .fault(unless: value != nil, .facts([Fact("x", .address(value ?? 0))]))
    }
}

extension Kernel {
    /// The bytes that were not cleared, which somebody has to look at.
    fileprivate mutating func cleared(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        left: UInt64
    ) -> CallResult {
        let start = address &+ (count &- left)
        if left > 0 { noteMissing(at: start, left, process: process) }
        return CallResult(.unsigned(left))
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
        kernel.mightFault(at: "arch/x86/lib/usercopy_64.c:19", in: context)
        let left = kernel.clearUser(process, address, count, in: context)
        return kernel.cleared(process, address, count, left: left)
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
        kernel.mightFault(at: "arch/x86/lib/usercopy_64.c:19", in: context)
        let left = kernel.clearUserUnchecked(process, address, count, in: context)
        return kernel.cleared(process, address, count, left: left)
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
