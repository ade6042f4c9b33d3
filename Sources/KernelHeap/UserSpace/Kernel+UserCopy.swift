extension Kernel {
    /// `access_ok()`: whether a range lies in user space; says nothing about what is mapped.
    func isUserRange(_ address: UInt64, _ length: UInt64) -> Bool {
        length <= layout.userEnd && address <= layout.userEnd - length
    }

    /// Whether a user copy may take page faults: `faulthandler_disabled()`.
    func mayFault(_ process: Int, in context: CallContext) -> Bool {
        processes[process].pagefaultDisabled == 0 && context.canSleep
    }

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
        if let refusal = refuseLength(count, user: to, in: context) { return refusal }
        guard mayCopy(from, count, toUser: true, in: context) else {
            return refusedByCheck(from, count)
        }
        if let refusal = refuse(count, user: to) { return refusal }
        return storeToUser(process, to: to, from: from, count: count, in: context)
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
        guard mayCopy(from, count, toUser: true, in: context) else {
            return refusedByCheck(from, count)
        }
        return storeToUser(
            process,
            to: to,
            from: from,
            count: count,
            mayFault: mayFault,
            in: context
        )
    }

    /// `raw_copy_to_user()`.
    private mutating func storeToUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        mayFault: Bool = true,
        in context: CallContext
    ) -> UserCopyDetail {
        if copyMapped(process, to: to, from: from, count: count) {
            checkAccess(from, count, isWrite: false)
            checkLeak(from, count)
            return finish(count, of: count, nil)
        }
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
        checkAccess(from, done, isWrite: false)
        checkLeak(from, done)
        return finish(limit?.counted ?? done, of: count, fault ?? limit?.fault ?? kernelFault)
    }

    /// Copies to user space where no byte needs a fault on either side.
    ///
    /// Every page is looked at before the first byte moves: where a copy stops, how many bytes have
    /// moved is the long way's to say.
    ///
    /// - Returns: false where a fault is needed; nothing was copied then.
    private mutating func copyMapped(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64
    ) -> Bool {
        guard !from.addingReportingOverflow(count).overflow,
            !to.addingReportingOverflow(count).overflow
        else { return false }
        let isOnePiece = count <= 4096 &- max(from & 4095, to & 4095)
        guard isOnePiece || eachPiece(process, to, from, count, moves: false) else { return false }
        return eachPiece(process, to, from, count, moves: true)
    }

    /// Goes over the pieces of a copy that lie in one page on either side.
    @inline(__always)
    private mutating func eachPiece(
        _ process: Int,
        _ to: UInt64,
        _ from: UInt64,
        _ count: UInt64,
        moves: Bool
    ) -> Bool {
        var done: UInt64 = 0
        while done < count {
            let (source, target) = (from &+ done, to &+ done)
            let room = 4096 &- max(source & 4095, target & 4095)
            let length = min(count &- done, room)
            guard case .success(let read) = translate(source, for: .copyLoad, process: process),
                case .success(let stored) = translate(target, for: .copyStore, process: process),
                let old = memoryFrame(read), let new = memoryFrame(stored)
            else { return false }
            if moves {
                copyFrame(
                    old,
                    Int(truncatingIfNeeded: source & 4095),
                    to: new,
                    Int(truncatingIfNeeded: target & 4095),
                    count: Int(truncatingIfNeeded: length)
                )
            }
            done &+= length
        }
        return true
    }

    /// `copy_from_user()`: as above, and the rest of the kernel buffer is cleared.
    mutating func copyFromUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        if let refusal = refuseLength(count, user: from, in: context) { return refusal }
        guard mayCopy(to, count, toUser: false, in: context) else {
            return refusedByCheck(to, count)
        }
        if let refusal = refuse(count, user: from) {
            let (writable, _) = reachableKernelBytes(to, count, for: .copyStore, in: context)
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
        in context: CallContext
    ) -> UserCopyDetail {
        guard mayCopy(to, count, toUser: false, in: context) else {
            return refusedByCheck(to, count)
        }
        return loadFromUser(
            process,
            to: to,
            from: from,
            count: count,
            clearsRest: false,
            mayFault: mayFault,
            in: context
        )
    }

    /// `raw_copy_from_user()`, and for `copy_from_user()` what follows it.
    private mutating func loadFromUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        clearsRest: Bool,
        mayFault: Bool = true,
        in context: CallContext
    ) -> UserCopyDetail {
        let (writable, stop) = reachableKernelBytes(to, count, for: .copyStore, in: context)
        var target = to
        let steps = CopySteps(target: to, source: from, count: count, isLoad: true)
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
        noteFetch(process, from, walked, in: context)
        let fault = stopped ?? limit?.fault
        let done = limit?.counted ?? walked
        let clears = clearsRest && fault != nil
        if clears { clearReached(to &+ done, writable - done, in: context) }
        checkAccess(to, clears ? writable : walked, isWrite: true)
        var kernelFault: UserFault?
        if fault == nil, let stop {
            kernelFault = UserFault(
                address: LinearAddress(rawValue: to &+ writable),
                reason: .kernelAddress
            )
            kernelFault?.code = stop.code
            logAccessFault(at: to &+ writable, code: stop.code | 2)
        }
        return finish(done, of: count, fault ?? kernelFault)
    }

    /// Clears kernel memory that was reached before.
    private mutating func clearReached(_ address: UInt64, _ count: UInt64, in context: CallContext)
    {
        let process = process(context.pid) ?? 0
        _ = walkKernel(address, count, for: .copyStore, process: process, cpu: context.cpu) {
            kernel,
            frame,
            offset,
            length in
            if let frame { kernel.fillFrame(frame, offset: offset, count: length, with: 0) }
        }
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
            cpu: context.cpu
        ) { kernel, frame, offset, count in
            if let frame { kernel.copyFrame(pfn, source, to: frame, offset, count: count) }
            source += count
        }
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
        _ = walkKernel(source, UInt64(length), for: .copyLoad, process: process, cpu: 0) {
            kernel,
            frame,
            offset,
            count in
            if let frame { kernel.copyFrame(frame, offset, to: pfn, target, count: count) }
            target += count
        }
    }

    /// A length above `INT_MAX` is refused before anything else: `check_copy_size()`.
    private mutating func refuseLength(
        _ count: UInt64,
        user: UInt64,
        in context: CallContext
    ) -> UserCopyDetail? {
        guard count > UInt64(Int32.max) else { return nil }
        log.warnOnce(at: "include/linux/thread_info.h:233", in: "check_copy_size", context)
        let fault = UserFault(address: LinearAddress(rawValue: user), reason: .tooLong)
        return finish(0, of: count, fault)
    }

    /// The check of the kernel's side is a `BUG`: the caller never learns a result.
    private mutating func refusedByCheck(_ address: UInt64, _ count: UInt64) -> UserCopyDetail {
        let fault = UserFault(address: LinearAddress(rawValue: address), reason: .usercopyAbort)
        return finish(0, of: count, fault)
    }

    /// A range out of user space is refused before any byte moves.
    private mutating func refuse(_ count: UInt64, user: UInt64) -> UserCopyDetail? {
        let accepted = isUserRange(user, count)
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

    private mutating func finish(
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
