/// Strings and structures across the border.
let userStringCalls: [any KernelCall.Type] = [
    StrncpyFromUser.self, StrnlenUser.self, CopyStructFromUser.self, CheckZeroedUser.self,
]

/// Most bytes that one call looks at.
private let lengthLimit: UInt64 = 64 << 20
private let fromUser = Parameter("from", .address, "A user address.")

extension CallArguments {
    /// A value of type `long`: what is above its largest is negative.
    ///
    /// No longer string is looked at.
    fileprivate borrowing func limit(_ index: Int) -> Int64 {
        min(Int64(bitPattern: word(index)), Int64(lengthLimit))
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
        kernel.mightFault(at: "lib/strncpy_from_user.c:117", in: context)
        let length = kernel.strncpyFromUser(
            kernel.processIndex(context),
            to: target,
            from: string,
            limit: limit,
            in: context
        )
        guard let length else {
            kernel.noteMissing(at: target, UInt64(max(limit, 0)), process: nil)
            return .fault(unless: false)
        }
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
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        count = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        // A `long` has the machine's word.
        let isNarrow = kernel.layout.is32Bit
        let long = isNarrow ? Int64(Int32(truncatingIfNeeded: count)) : Int64(bitPattern: count)
        let limit = min(long, Int64(lengthLimit))
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
        kernel.mightFault(at: "lib/usercopy.c:13", in: context)
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
