/// The copies across the border that check less.
let uncheckedCopyCalls: [any KernelCall.Type] = [
    CopyToUserUnchecked.self, CopyFromUserUnchecked.self, CopyToUserInatomic.self,
    CopyFromUserInatomic.self, CopyToUserNofault.self, CopyFromUserNofault.self,
]

private let toUser = Parameter("to", .address, "A user address.")
private let fromKernel = Parameter("from", .address, "A kernel address.")
private let toKernel = Parameter("to", .address, "A kernel address.")
private let fromUser = Parameter("from", .address, "A user address.")
/// Most bytes that one call copies; the checked copies refuse as much.
private let copyLimit: UInt64 = 1 << 31
private let countParameter = Parameter("n", .size, "Bytes.", maximum: copyLimit, isWork: true)

/// Both addresses and the length of a copy.
struct CopyArguments {
    var to: UInt64
    var from: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        to = arguments.word(0)
        from = arguments.word(1)
        count = min(arguments.word(2), copyLimit)
    }
}

/// Which way a copy goes.
enum CopyDirection {
    case toUser, fromUser
}

/// A copy whose range the caller has checked, or should have.
protocol UncheckedCopyCall: KernelCall {
    static var direction: CopyDirection { get }
    /// Where the function says that it may sleep; nil for those that may be called anywhere.
    static var sleepsAt: StaticString? { get }
    var copy: CopyArguments { get }
    init(copy: CopyArguments)
}

extension UncheckedCopyCall {
    init(_ arguments: borrowing CallArguments) { self.init(copy: CopyArguments(arguments)) }

    static var sleepsAt: StaticString? { nil }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if let place = Self.sleepsAt { kernel.mightFault(at: place, in: context) }
        let done = move(on: &kernel, mayFault: true, in: context)
        return CallResult(.unsigned(done.notCopied), detail: .userCopy(done))
    }

    fileprivate func move(
        on kernel: inout Kernel,
        mayFault: Bool,
        in context: CallContext
    ) -> UserCopyDetail {
        let process = kernel.processIndex(context)
        switch Self.direction {
        case .toUser:
            let done = kernel.copyToUserUnchecked(
                process,
                to: copy.to,
                from: copy.from,
                count: copy.count,
                mayFault: mayFault,
                in: context
            )
            kernel.noteResult(done, at: copy.to, process: process)
            return done
        case .fromUser:
            let done = kernel.copyFromUserUnchecked(
                process,
                to: copy.to,
                from: copy.from,
                count: copy.count,
                mayFault: mayFault,
                isInjected: Self.sleepsAt != nil,
                in: context
            )
            kernel.noteResult(done, at: copy.to, process: nil)
            return done
        }
    }
}

/// A copy that takes no page fault and is done whole or not.
protocol NofaultCopyCall: UncheckedCopyCall {}

extension NofaultCopyCall {
    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let user = Self.direction == .toUser ? copy.to : copy.from
        guard kernel.isUserRange(user, copy.count) else { return .fault(unless: false) }
        let done = move(on: &kernel, mayFault: false, in: context)
        return .fault(unless: done.notCopied == 0, .userCopy(done))
    }
}

/// The call `unsigned long __copy_to_user(void __user *to, const void *from, unsigned long n)`.
struct CopyToUserUnchecked: UncheckedCopyCall {
    static let signature = CallSignature(
        "__copy_to_user",
        returns: "unsigned long",
        [toUser, fromKernel, countParameter],
        "Copies to the calling process; the caller has asked access_ok."
    )
    static let direction = CopyDirection.toUser
    static let sleepsAt: StaticString? = "include/linux/uaccess.h:108"

    var copy: CopyArguments
}

/// The call `unsigned long __copy_from_user(void *to, const void __user *from, unsigned long n)`.
struct CopyFromUserUnchecked: UncheckedCopyCall {
    static let signature = CallSignature(
        "__copy_from_user",
        returns: "unsigned long",
        [toKernel, fromUser, countParameter],
        "Copies from the calling process; what cannot be copied stays as it was."
    )
    static let direction = CopyDirection.fromUser
    static let sleepsAt: StaticString? = "include/linux/uaccess.h:78"

    var copy: CopyArguments
}

/// The call `unsigned long __copy_to_user_inatomic(void __user *to, const void *from, unsigned long n)`.
struct CopyToUserInatomic: UncheckedCopyCall {
    static let signature = CallSignature(
        "__copy_to_user_inatomic",
        returns: "unsigned long",
        [toUser, fromKernel, countParameter],
        "Copies to the calling process where the kernel may not sleep."
    )
    static let direction = CopyDirection.toUser

    var copy: CopyArguments
}

/// The call `unsigned long __copy_from_user_inatomic(void *to, const void __user *from, unsigned long n)`.
struct CopyFromUserInatomic: UncheckedCopyCall {
    static let signature = CallSignature(
        "__copy_from_user_inatomic",
        returns: "unsigned long",
        [toKernel, fromUser, countParameter],
        "Copies from the calling process where the kernel may not sleep; nothing is cleared."
    )
    static let direction = CopyDirection.fromUser

    var copy: CopyArguments
}

/// The call `long copy_to_user_nofault(void __user *dst, const void *src, size_t size)`.
struct CopyToUserNofault: NofaultCopyCall {
    static let signature = CallSignature(
        "copy_to_user_nofault",
        returns: "long",
        [toUser, fromKernel, countParameter],
        "Copies to pages that are there; -EFAULT where one is not."
    )
    static let direction = CopyDirection.toUser

    var copy: CopyArguments
}

/// The call `long copy_from_user_nofault(void *dst, const void __user *src, size_t size)`.
struct CopyFromUserNofault: NofaultCopyCall {
    static let signature = CallSignature(
        "copy_from_user_nofault",
        returns: "long",
        [toKernel, fromUser, countParameter],
        "Copies from pages that are there; -EFAULT where one is not."
    )
    static let direction = CopyDirection.fromUser

    var copy: CopyArguments
}
