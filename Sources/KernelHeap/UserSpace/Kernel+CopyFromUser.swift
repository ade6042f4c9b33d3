/// Copies from user space: `copy_from_user()` and its like, 6.1.
extension Kernel {
    /// `copy_from_user()`: what of the kernel buffer was not reached is cleared.
    mutating func copyFromUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        if movesAtOnce(process, from: from, to: to, count: count, side: .target, in: context) {
            return UserCopyDetail(copied: count, notCopied: 0, fault: nil)
        }
        return copyFromUserInSteps(process, to: to, from: from, count: count, in: context)
    }

    @inline(never)
    private mutating func copyFromUserInSteps(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        if count > Self.longestCopy { return refuseLength(count, user: from, in: context) }
        let isSound = isSoundBuffer(to, count, in: context)
        guard isSound || mayCopy(to, count, toUser: false, in: context) else {
            return refusedByCheck(to, count)
        }
        let failure =
            pages.faults.isArmed ? injectedFailure(count, user: from, in: context) : nil
        if let refusal = failure ?? refuseRange(count, user: from) {
            let (writable, _) = reachableKernelBytes(to, count, for: .copyStore, in: context)
            checkShadow(to, count, isWrite: true, "_copy_from_user", in: context)
            clearReached(to, writable, in: context)
            checkAccess(to, writable, isWrite: true)
            return refusal
        }
        return loadFromUser(
            process,
            to: to,
            from: from,
            count: count,
            clearsRest: true,
            isSound: isSound,
            in: context
        )
    }

    /// `__copy_from_user()`: the caller has checked the range; what was not copied stays.
    mutating func copyFromUserUnchecked(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        mayFault: Bool = true,
        isInjected: Bool = true,
        in context: CallContext
    ) -> UserCopyDetail {
        // `__copy_from_user_inatomic()` asks nobody.
        if isInjected, pages.faults.isArmed,
            let failure = injectedFailure(count, user: from, in: context)
        {
            return failure
        }
        let isSound = isSoundBuffer(to, count, in: context)
        guard isSound || mayCopy(to, count, toUser: false, in: context) else {
            return refusedByCheck(to, count)
        }
        return loadFromUser(
            process,
            to: to,
            from: from,
            count: count,
            clearsRest: false,
            mayFault: mayFault,
            isSound: isSound,
            in: context
        )
    }

    /// `raw_copy_from_user()`, and for `copy_from_user()` what follows it.
    @inline(__always)
    private mutating func loadFromUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        clearsRest: Bool,
        mayFault: Bool = true,
        isSound: Bool,
        in context: CallContext
    ) -> UserCopyDetail {
        if !isSound { checkShadow(to, count, isWrite: true, "_copy_from_user", in: context) }
        let moved = moveReached(
            process,
            from: from,
            to: to,
            count: count,
            side: isSound ? .target : .neither,
            isWhole: layout.is32Bit
        )
        guard moved < count else {
            if !races.isEmpty { noteFetch(process, from, count, in: context) }
            noteStore(to, count, isSound: isSound)
            return UserCopyDetail(copied: count, notCopied: 0, fault: nil)
        }
        return loadByFaults(
            process,
            CopySteps(target: to, source: from, count: count, isLoad: true),
            after: moved,
            clearsRest: clearsRest,
            mayFault: mayFault,
            in: context
        )
    }

    /// The part of a copy from user space that needs faults, and what follows it.
    @inline(never)
    private mutating func loadByFaults(
        _ process: Int,
        _ copy: CopySteps,
        after moved: UInt64,
        clearsRest: Bool,
        mayFault: Bool,
        in context: CallContext
    ) -> UserCopyDetail {
        let (to, from, count) = (copy.target, copy.source, copy.count)
        let (target, length) = (to &+ moved, count - moved)
        let (writable, stop) = reachableKernelBytes(target, length, for: .copyStore, in: context)
        let rest = loadRest(
            process,
            CopySteps(target: target, source: from &+ moved, count: length, isLoad: true),
            writable,
            mayFault: mayFault,
            in: context
        )
        noteFetch(process, from, moved + rest.copied, in: context)
        let done = rest.counted ?? rest.copied
        let clears = clearsRest && rest.fault != nil
        if clears { clearReached(target &+ done, writable - done, in: context) }
        checkAccess(to, moved + (clears ? writable : rest.copied), isWrite: true)
        guard rest.fault == nil, let stop else {
            return finish(moved + done, of: count, rest.fault)
        }
        let place = target &+ writable
        var fault = UserFault(address: LinearAddress(rawValue: place), reason: .kernelAddress)
        fault.code = stop.code
        logAccessFault(at: place, code: stop.code | 2)
        return finish(moved + done, of: count, fault)
    }

    /// What checkers say of kernel memory that was copied from user space.
    @inline(__always)
    private mutating func noteStore(_ address: UInt64, _ count: UInt64, isSound: Bool) {
        guard isSound, unchecked.isEmpty, written.isEmpty else {
            return checkAccess(address, count, isWrite: true)
        }
    }

    /// The rest of a copy from user space, with the faults that it needs.
    ///
    /// - Parameters:
    ///   - process: as an index.
    ///   - steps: what is to be copied.
    ///   - writable: bytes of the kernel's side that can be stored to.
    ///   - mayFault: as the copy's function says.
    ///   - context: of the caller.
    /// - Returns: how far it came, and what stopped it.
    private mutating func loadRest(
        _ process: Int,
        _ steps: CopySteps,
        _ writable: UInt64,
        mayFault: Bool,
        in context: CallContext
    ) -> LongCopy {
        var target = steps.target
        let from = steps.source
        let limit = stepLimit(process, steps, from, writable, mayFault: mayFault, in: context)
        let (walked, stopped) = walkUser(
            process,
            from,
            limit?.moved ?? writable,
            for: .load,
            isCopy: true,
            mayFault: mayFault && self.mayFault(process, in: context),
            cpu: context.cpu
        ) {
            kernel,
            pfn,
            offset,
            length in
            kernel.storeUserBytes(pfn, offset, length, at: target, in: context)
            target &+= UInt64(length)
        }
        return LongCopy(copied: walked, counted: limit?.counted, fault: stopped ?? limit?.fault)
    }

    /// Copies a part of a user page, or zeros, to kernel memory that was reached before.
    private mutating func storeUserBytes(
        _ pfn: UInt32?,
        _ start: Int,
        _ length: Int,
        at target: UInt64,
        in context: CallContext
    ) {
        guard let pfn else { return clearReached(target, UInt64(length), in: context) }
        let process = process(context.pid) ?? 0
        var source = start
        _ = walkKernel(
            target,
            UInt64(length),
            for: .copyStore,
            process: process,
            in: context
        ) { kernel, frame, offset, count in
            if let frame { kernel.copyFrame(pfn, source, to: frame, offset, count: count) }
            source += count
        }
    }
}
