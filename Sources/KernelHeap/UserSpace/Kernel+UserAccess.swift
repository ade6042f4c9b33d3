/// Single values, zeros and faults ahead of time across the border: `arch/x86/lib`, `mm/gup.c`, 6.1.
///
/// The functions answer as the recordings `usercopy/` have it: a value moves whole or not at all,
/// and `clear_user()` without ERMS works in steps of eight bytes.
extension Kernel {
    /// Bytes that one call looks at; only a process with more than this mapped at once is told less.
    private static let reachLimit: UInt64 = 1 << 31

    /// Loads up to eight bytes of user memory, little-endian: `unsafe_get_user()`.
    ///
    /// - Returns: the value; nil where one of its bytes cannot be loaded.
    mutating func loadUser(
        _ process: Int,
        _ address: UInt64,
        bytes count: Int,
        in context: CallContext
    ) -> UInt64? {
        if let frame = valueFrame(address, bytes: count, for: .copyLoad, process: process) {
            let offset = Int(truncatingIfNeeded: address & 4095)
            let value = pages.contents.word(frame, offset: offset, bytes: count)
            if !races.isEmpty { noteFetch(process, address, UInt64(count), in: context) }
            return value
        }
        var bytes: [UInt8] = []
        let (_, fault) = walkUser(
            process,
            address,
            UInt64(count),
            for: .load,
            isCopy: true,
            mayFault: mayFault(process, in: context),
            cpu: context.cpu
        ) { kernel, pfn, offset, length in
            if let pfn {
                kernel.readFrame(pfn, offset: offset, count: length, into: &bytes)
            } else {
                bytes += repeatElement(0, count: length)
            }
        }
        guard fault == nil else { return nil }
        noteFetch(process, address, UInt64(count), in: context)
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Stores up to eight bytes into user memory, all or none: `unsafe_put_user()`.
    mutating func storeUser(
        _ process: Int,
        _ address: UInt64,
        _ bytes: [UInt8],
        in context: CallContext
    ) -> Bool {
        // The processor looks at both pages of a store across a border before it stores.
        let (_, fault) = walkUser(
            process,
            address,
            UInt64(bytes.count),
            for: .store,
            isCopy: true,
            mayFault: mayFault(process, in: context),
            cpu: context.cpu
        ) { _, _, _, _ in }
        guard fault == nil else { return false }
        var rest = bytes[...]
        _ = walkUser(
            process,
            address,
            UInt64(bytes.count),
            for: .store,
            isCopy: true,
            cpu: context.cpu
        ) { kernel, pfn, offset, length in
            if let pfn { kernel.writeFrame(pfn, offset: offset, rest.prefix(length)) }
            rest = rest.dropFirst(length)
        }
        return true
    }

    /// `get_user()`.
    ///
    /// - Returns: the value; nil for `-EFAULT`, where the kernel's variable becomes 0.
    mutating func getUser(
        _ process: Int,
        _ address: UInt64,
        bytes count: Int,
        in context: CallContext
    ) -> UInt64? {
        guard isUserRange(address, UInt64(count)) else { return nil }
        return loadUser(process, address, bytes: count, in: context)
    }

    /// `put_user()`.
    mutating func putUser(
        _ process: Int,
        _ address: UInt64,
        _ value: UInt64,
        bytes count: Int,
        in context: CallContext
    ) -> Bool {
        guard isUserRange(address, UInt64(count)) else { return false }
        if let frame = valueFrame(address, bytes: count, for: .copyStore, process: process) {
            let offset = Int(truncatingIfNeeded: address & 4095)
            pages.contents.setWord(frame, offset: offset, bytes: count, to: value)
            return true
        }
        let bytes = Array(value.littleEndianBytes.prefix(count))
        return storeUser(process, address, bytes, in: context)
    }

    /// `clear_user()`.
    ///
    /// - Returns: bytes that were not cleared, as the kernel counts them.
    mutating func clearUser(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> UInt64 {
        guard isUserRange(address, count) else { return count }
        return clearUserUnchecked(process, address, count, in: context)
    }

    /// `__clear_user()`: words first and the rest byte by byte; with ERMS, 64 bytes and more by one
    /// string instruction, which stops at the very byte.
    mutating func clearUserUnchecked(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> UInt64 {
        let reached = reachableUserBytes(process, address, count, for: .store, in: context)
        var done = reached
        let isExact = paging.controls.erms && count >= 64
        let step = layout.wordBytes
        if layout.is32Bit || !isExact, reached < count & ~(step - 1) {
            done = reached & ~(step - 1)
        }
        let filled = fillReached(process, address, done, with: 0, for: .copyStore)
        let (start, rest) = (address &+ filled, done - filled)
        _ = walkUser(process, start, rest, for: .store, isCopy: true, cpu: context.cpu) {
            kernel,
            pfn,
            offset,
            length in
            if let pfn { kernel.fillFrame(pfn, offset: offset, count: length, with: 0) }
        }
        return count - done
    }

    /// Nests or ends `pagefault_disable()`; an end too many has no effect here.
    mutating func disablePagefaults(of process: Int, by change: Int) {
        if processes[process].task.isPlain { processes[process].task.call = sequence }
        let depth = processes[process].task.pagefaultDisabled &+ change
        processes[process].task.pagefaultDisabled = min(max(depth, 0), 1 << 20)
    }

    /// Bytes from an address on that can be accessed; their pages are there afterwards.
    private mutating func reachableUserBytes(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        for access: UserAccess,
        in context: CallContext
    ) -> UInt64 {
        let count = min(count, Self.reachLimit)
        if reaches(process, address, count, for: access == .store ? .copyStore : .copyLoad) {
            return count
        }
        return walkUser(
            process,
            address,
            count,
            for: access,
            isCopy: true,
            mayFault: mayFault(process, in: context),
            cpu: context.cpu
        ) { _, _, _, _ in }.done
    }

    /// `fault_in_readable()` and `fault_in_writeable()`: touch the first byte of each page.
    ///
    /// - Returns: bytes that could not be brought in.
    mutating func faultIn(
        _ process: Int,
        _ start: UInt64,
        _ count: UInt64,
        for access: UserAccess,
        in context: CallContext
    ) -> UInt64 {
        guard count > 0 else { return 0 }
        guard isUserRange(start, count) else { return count }
        var place = start
        while place < start + min(count, Self.reachLimit) {
            let isThere =
                access == .load
                ? loadUser(process, place, bytes: 1, in: context) != nil
                : storeUser(process, place, [0], in: context)
            guard isThere else { return count - (place - start) }
            place = (place | (AddressSpace.pageBytes - 1)) + 1
        }
        return count - min(count, Self.reachLimit)
    }
}
