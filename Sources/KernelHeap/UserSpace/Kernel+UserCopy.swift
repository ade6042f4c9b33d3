/// What copies across the border have in common: the checks before them, and their results.
extension Kernel {
    /// `access_ok()`: whether a range lies in user space; says nothing about what is mapped.
    func isUserRange(_ address: UInt64, _ length: UInt64) -> Bool {
        length <= layout.userEnd && address <= layout.userEnd - length
    }

    /// How far a copy came by the long way.
    struct LongCopy {
        /// Bytes that were moved.
        var copied: UInt64
        /// Bytes that count as copied, where that differs.
        var counted: UInt64?
        var fault: UserFault?
    }

    /// Whether a user copy may take page faults: `faulthandler_disabled()`.
    func mayFault(_ process: Int, in context: CallContext) -> Bool {
        processes[process].task.pagefaultDisabled == 0 && !context.isInAtomic
    }

    /// Clears kernel memory that was reached before.
    mutating func clearReached(_ address: UInt64, _ count: UInt64, in context: CallContext) {
        let process = process(context.pid) ?? 0
        _ = walkKernel(address, count, for: .copyStore, process: process, in: context) {
            kernel,
            frame,
            offset,
            length in
            if let frame { kernel.fillFrame(frame, offset: offset, count: length, with: 0) }
        }
    }

    /// `INT_MAX`: a longer copy is refused before anything else, `check_copy_size()`.
    static let longestCopy = UInt64(Int32.max)

    @inline(never)
    mutating func refuseLength(
        _ count: UInt64,
        user: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        log.warnOnce(at: "include/linux/thread_info.h:233", in: "check_copy_size", context)
        let fault = UserFault(address: LinearAddress(rawValue: user), reason: .tooLong)
        return finish(0, of: count, fault)
    }

    /// `should_fail_usercopy()`: no byte of the copy is moved.
    mutating func injectedFailure(
        _ count: UInt64,
        user: UInt64,
        in context: CallContext
    ) -> UserCopyDetail? {
        guard injectsFault(at: .usercopy, in: context) else { return nil }
        let fault = UserFault(address: LinearAddress(rawValue: user), reason: .injected)
        return finish(0, of: count, fault)
    }

    /// The check of the kernel's side is a `BUG`: the caller never learns a result.
    mutating func refusedByCheck(_ address: UInt64, _ count: UInt64) -> UserCopyDetail {
        let fault = UserFault(address: LinearAddress(rawValue: address), reason: .usercopyAbort)
        return finish(0, of: count, fault)
    }

    /// A range out of user space is refused before any byte moves.
    @inline(__always)
    mutating func refuseRange(_ count: UInt64, user: UInt64) -> UserCopyDetail? {
        let accepted = isUserRange(user, count)
        if accepted && !pages.decisions.isOn { return nil }
        return checkRange(count, user: user, accepted)
    }

    @inline(never)
    private mutating func checkRange(
        _ count: UInt64,
        user: UInt64,
        _ accepted: Bool
    ) -> UserCopyDetail? {
        if pages.decisions.isOn {
            pages.decisions.add(
                .userRangeChecked(
                    address: LinearAddress(rawValue: user),
                    length: count,
                    accepted: accepted
                )
            )
        }
        guard !accepted else { return nil }
        let fault = UserFault(address: LinearAddress(rawValue: user), reason: .outsideUserSpace)
        return finish(0, of: count, fault)
    }

    mutating func finish(
        _ done: UInt64,
        of count: UInt64,
        _ fault: UserFault?
    ) -> UserCopyDetail {
        if let fault, pages.decisions.isOn {
            pages.decisions.add(.copyStopped(fault: fault, copied: done))
        }
        return UserCopyDetail(copied: done, notCopied: count - done, fault: fault)
    }
}
