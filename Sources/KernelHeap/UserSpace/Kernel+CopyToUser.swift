/// Copies to user space: `copy_to_user()` and its like, 6.1.
extension Kernel {
    /// `copy_to_user()`.
    ///
    /// Byte exact: what lies beyond the first inaccessible byte is not copied, on either side.
    mutating func copyToUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        if movesAtOnce(process, from: from, to: to, count: count, side: .source, in: context) {
            return UserCopyDetail(copied: count, notCopied: 0, fault: nil)
        }
        return copyToUserInSteps(process, to: to, from: from, count: count, in: context)
    }

    @inline(never)
    private mutating func copyToUserInSteps(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        if count > Self.longestCopy { return refuseLength(count, user: to, in: context) }
        let isSound = isSoundBuffer(from, count, in: context)
        guard isSound || mayCopy(from, count, toUser: true, in: context) else {
            return refusedByCheck(from, count)
        }
        if pages.faults.isArmed, let failure = injectedFailure(count, user: to, in: context) {
            return failure
        }
        if let refusal = refuseRange(count, user: to) { return refusal }
        return storeToUser(
            process,
            to: to,
            from: from,
            count: count,
            isSound: isSound,
            in: context
        )
    }

    /// `__copy_to_user()`: the caller has checked the range, or should have.
    mutating func copyToUserUnchecked(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        mayFault: Bool = true,
        in context: CallContext
    ) -> UserCopyDetail {
        if pages.faults.isArmed, let failure = injectedFailure(count, user: to, in: context) {
            return failure
        }
        let isSound = isSoundBuffer(from, count, in: context)
        guard isSound || mayCopy(from, count, toUser: true, in: context) else {
            return refusedByCheck(from, count)
        }
        return storeToUser(
            process,
            to: to,
            from: from,
            count: count,
            mayFault: mayFault,
            isSound: isSound,
            in: context
        )
    }

    /// `raw_copy_to_user()`.
    @inline(__always)
    private mutating func storeToUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        mayFault: Bool = true,
        isSound: Bool,
        in context: CallContext
    ) -> UserCopyDetail {
        if !isSound { checkShadow(from, count, isWrite: false, "_copy_to_user", in: context) }
        let moved = moveReached(
            process,
            from: from,
            to: to,
            count: count,
            side: isSound ? .source : .neither,
            isWhole: layout.is32Bit
        )
        guard moved < count else {
            noteLoad(from, count, to: to, isSound: isSound, in: context)
            return UserCopyDetail(copied: count, notCopied: 0, fault: nil)
        }
        let rest = storeRest(
            process,
            to: to &+ moved,
            from: from &+ moved,
            count: count &- moved,
            mayFault: mayFault,
            in: context
        )
        noteLoad(from, moved &+ rest.copied, to: to, isSound: isSound, in: context)
        return finish(moved &+ (rest.counted ?? rest.copied), of: count, rest.fault)
    }

    /// What checkers say of kernel memory that was copied to user space.
    @inline(__always)
    private mutating func noteLoad(
        _ address: UInt64,
        _ count: UInt64,
        to target: UInt64,
        isSound: Bool,
        in context: CallContext
    ) {
        if !isSound || !unchecked.isEmpty { checkAccess(address, count, isWrite: false) }
        // Under the sanitizer no buffer is known to be sound.
        if !written.isEmpty || (!isSound && isSanitized) {
            checkUse(address, count, .copied(to: target), in: context)
        }
    }

    /// The rest of a copy to user space, with the faults that it needs.
    @inline(never)
    private mutating func storeRest(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        mayFault: Bool,
        in context: CallContext
    ) -> LongCopy {
        var kernelFault: UserFault?
        let (readable, stop) = reachableKernelBytes(from, count, for: .copyLoad, in: context)
        if let stop {
            kernelFault = UserFault(
                address: LinearAddress(rawValue: from &+ readable),
                reason: .kernelAddress
            )
            kernelFault?.code = stop.code
        }
        var source = from
        let steps = CopySteps(target: to, source: from, count: count, isLoad: false)
        let limit = stepLimit(process, steps, to, readable, mayFault: mayFault, in: context)
        let (done, fault) = walkUser(
            process,
            to,
            limit?.moved ?? readable,
            for: .store,
            isCopy: true,
            mayFault: mayFault && self.mayFault(process, in: context),
            cpu: context.cpu
        ) {
            kernel,
            pfn,
            offset,
            length in
            if let pfn { kernel.copyFromKernel(source, to: pfn, offset, length, process) }
            source &+= UInt64(length)
        }
        return LongCopy(
            copied: done,
            counted: limit?.counted,
            fault: fault ?? limit?.fault ?? kernelFault
        )
    }

    /// Copies kernel memory that was reached before into a frame.
    private mutating func copyFromKernel(
        _ source: UInt64,
        to pfn: UInt32,
        _ start: Int,
        _ length: Int,
        _ process: Int
    ) {
        var target = start
        _ = walkKernel(source, UInt64(length), for: .copyLoad, process: process, in: .standard) {
            kernel,
            frame,
            offset,
            count in
            if let frame { kernel.copyFrame(frame, offset, to: pfn, target, count: count) }
            target += count
        }
    }
}
