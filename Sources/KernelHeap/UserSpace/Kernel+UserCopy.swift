extension Kernel {
    /// `access_ok()`: whether a range lies in user space; says nothing about what is mapped.
    func isUserRange(_ address: UInt64, _ length: UInt64) -> Bool {
        length <= AddressSpace.end && address <= AddressSpace.end - length
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
        if let refusal = refuse(count, user: to, in: context) { return refusal }
        var kernelFault: UserFault?
        let readable = readableKernelBytes(from, count)
        if readable < count {
            kernelFault = UserFault(
                address: LinearAddress(rawValue: from &+ readable),
                reason: .kernelAddress
            )
        }
        var source = from
        let (done, fault) = walkUser(process, to, readable, for: .store, cpu: context.cpu) {
            kernel,
            pfn,
            offset,
            length in
            if let pfn { kernel.copyFromKernel(source, to: pfn, offset, length) }
            source &+= UInt64(length)
        }
        checkAccess(from, done, isWrite: false)
        return finish(done, of: count, fault ?? kernelFault)
    }

    /// `copy_from_user()`: as above, and the rest of the kernel buffer is cleared.
    mutating func copyFromUser(
        _ process: Int,
        to: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> UserCopyDetail {
        guard count <= UInt64(Int32.max) else {
            return refuse(count, user: from, in: context)
                ?? finish(0, of: count, nil)
        }
        let writable = readableKernelBytes(to, count)
        if let refusal = refuse(count, user: from, in: context) {
            clearKernel(to, writable)
            checkAccess(to, writable, isWrite: true)
            return refusal
        }
        var target = to
        let (done, fault) = walkUser(process, from, writable, for: .load, cpu: context.cpu) {
            kernel,
            pfn,
            offset,
            length in
            kernel.storeUserBytes(pfn, offset, length, at: target)
            target &+= UInt64(length)
        }
        if fault != nil { clearKernel(to &+ done, writable - done) }
        checkAccess(to, fault == nil ? done : writable, isWrite: true)
        var kernelFault: UserFault?
        if fault == nil && writable < count {
            kernelFault = UserFault(
                address: LinearAddress(rawValue: to &+ writable),
                reason: .kernelAddress
            )
            logAccessFault(at: to &+ writable, isWrite: true)
        }
        return finish(done, of: count, fault ?? kernelFault)
    }

    private mutating func storeUserBytes(
        _ pfn: UInt32?,
        _ offset: Int,
        _ length: Int,
        at target: UInt64
    ) {
        guard let pfn else { return clearKernel(target, UInt64(length)) }
        var done = 0
        while done < length, let frame = frame(ofDirectMapped: target &+ UInt64(done)) {
            let place = Int((target &+ UInt64(done)) % 4096)
            let part = min(length - done, 4096 - place)
            copyFrame(pfn, offset + done, to: frame, place, count: part)
            done += part
        }
    }

    /// Copies mapped kernel memory into a frame.
    private mutating func copyFromKernel(
        _ source: UInt64,
        to pfn: UInt32,
        _ offset: Int,
        _ length: Int
    ) {
        var done = 0
        while done < length, let frame = frame(ofDirectMapped: source &+ UInt64(done)) {
            let place = Int((source &+ UInt64(done)) % 4096)
            let part = min(length - done, 4096 - place)
            copyFrame(frame, place, to: pfn, offset + done, count: part)
            done += part
        }
    }

    /// What refuses a copy before any byte moves: a length above `INT_MAX`, a range out of user
    /// space.
    private mutating func refuse(
        _ count: UInt64,
        user: UInt64,
        in context: CallContext
    ) -> UserCopyDetail? {
        if count > UInt64(Int32.max) {
            log.warnOnce(
                at: "include/linux/thread_info.h:229",
                in: "check_copy_size",
                context
            )
            let fault = UserFault(address: LinearAddress(rawValue: user), reason: .tooLong)
            return finish(0, of: count, fault)
        }
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
