/// Where user space ends, and the copies across the border.
let userCopyCalls: [any KernelCall.Type] = [
    AccessOK.self, CopyToUser.self, CopyFromUser.self, CheckResult.self,
]

private let addressParameter = Parameter("addr", .address, "A user address.")

extension Kernel {
    /// The process that a call runs for; the first where the number is unknown.
    func processIndex(_ context: CallContext) -> Int { process(context.pid) ?? 0 }
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
        let process = kernel.processIndex(context)
        kernel.mightFault(at: "lib/usercopy.c:29", in: context)
        let copy = kernel.copyToUser(process, to: to, from: from, count: count, in: context)
        kernel.noteResult(copy, at: to, process: process)
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
        let process = kernel.processIndex(context)
        kernel.mightFault(at: "lib/usercopy.c:13", in: context)
        let copy = kernel.copyFromUser(process, to: to, from: from, count: count, in: context)
        kernel.noteResult(copy, at: to, process: nil)
        return CallResult(.unsigned(copy.notCopied), detail: .userCopy(copy))
    }
}

/// Says that the driver has looked at what a copy returned.
struct CheckResult: KernelCall {
    static let signature = CallSignature(
        "check_result",
        returns: "unsigned long",
        [
            Parameter(
                "seq",
                .size,
                "The number of a call that copied to or from user space; left out, the call before.",
                optional: true
            )
        ],
        "Looks at a copy's result: the bytes it did not copy. Without it, to use them is a warning.",
        takesNull: true
    )

    var call: UInt64?

    init(_ arguments: borrowing CallArguments) { call = arguments.has(0) ? arguments.word(0) : nil }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let call = call ?? kernel.sequence &- 1
        return CallResult(.unsigned(kernel.unchecked.check(call) ?? 0))
    }
}
