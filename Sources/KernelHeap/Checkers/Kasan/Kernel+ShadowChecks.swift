/// What compiled code asks the sanitizer before it touches memory: `mm/kasan/generic.c`, 6.1.
extension Kernel {
    /// Reports a load or store that touches what it may not: `kasan_check_range()`.
    ///
    /// Plain loads and stores are made all the same.
    ///
    /// - Parameters:
    ///   - address: the first byte.
    ///   - length: all bytes that are meant, mapped or not.
    ///   - isWrite: a store.
    ///   - function: which function's code it is.
    ///   - context: of the caller.
    /// - Returns: whether there is nothing to report.
    @inline(__always)
    @discardableResult
    mutating func checkShadow(
        _ address: UInt64,
        _ length: UInt64,
        isWrite: Bool,
        _ function: StaticString,
        in context: CallContext
    ) -> Bool {
        !isSanitized
            || checkRange(address, length, isWrite: isWrite, "\(function)", in: context)
    }

    /// Has the checkers look at what a lock's function does with the lock's own word.
    ///
    /// Compare and exchange counts as a store, whether it stores or not:
    /// `instrument_atomic_read_write()`. What they find stops nobody.
    ///
    /// - Parameters:
    ///   - name: the lock; one that is no more than a name has no word.
    ///   - length: of the word.
    ///   - isWrite: a store, or compare and exchange.
    ///   - prefix: of the function whose code it is, before the name of the call that runs.
    ///   - context: of the caller.
    mutating func checkLock(
        _ name: LockName,
        _ length: UInt64,
        isWrite: Bool,
        prefix: StaticString = "",
        in context: CallContext
    ) {
        guard isSanitized, case .address(let address) = name else { return }
        let function = "\(prefix)\(runningFunction)"
        _ = checkRange(address, length, isWrite: isWrite, function, in: context)
    }

    @inline(never)
    private mutating func checkRange(
        _ address: UInt64,
        _ length: UInt64,
        isWrite: Bool,
        _ function: String,
        in context: CallContext
    ) -> Bool {
        guard length > 0 else { return true }
        var access = SanitizedAccess(
            address: address,
            length: length,
            kind: isWrite ? .write : .read,
            function: function
        )
        if layout.isVmalloc(address) { startVmalloc() }
        if address.addingReportingOverflow(length).overflow {
            access.firstBad = address
            access.bug = .outOfBounds
        } else if address < ShadowByte.firstAddress {
            access.firstBad = address
            access.bug =
                address < 4096
                ? .nullDereference : address < layout.userEnd ? .userAccess : .wildAccess
        } else if let bad = firstPoisoned(address, length) {
            access.firstBad = bad
            access.bug = bug(at: bad)
        } else {
            return true
        }
        report(access, in: context)
        return false
    }

    /// What the shadow says of a byte that may not be touched: `get_bug_type()`.
    private func bug(at bad: UInt64) -> KasanReport.Kind {
        var shadow = shadowByte(of: bad & ~7)
        // Behind a part of a granule stands the reason.
        if shadow < 8 { shadow = shadowByte(of: (bad & ~7) &+ 8) }
        return switch shadow {
        case ShadowByte.freedPage, ShadowByte.freedObject, ShadowByte.freedWithTrack: .useAfterFree
        case ShadowByte.vmallocInvalid: .vmallocOutOfBounds
        case ShadowByte.objectRedzone, ShadowByte.pageRedzone: .slabOutOfBounds
        default: .outOfBounds
        }
    }

    /// Whether the first byte at an address may be touched: `kasan_byte_accessible()`.
    func isByteAccessible(_ address: UInt64) -> Bool { shadowByte(of: address & ~7) < 8 }

    /// Reports an address that is freed wrongly: `kasan_report_invalid_free()`.
    mutating func reportFree(
        _ address: UInt64,
        _ bug: KasanReport.Kind,
        _ function: StaticString,
        in context: CallContext
    ) {
        var access = SanitizedAccess(
            address: address,
            length: 0,
            kind: .free,
            function: "\(function)"
        )
        access.firstBad = address
        access.bug = bug
        report(access, in: context)
    }
}

/// A load, store or free under suspicion.
struct SanitizedAccess {
    var address: UInt64
    var length: UInt64
    var kind: KasanReport.Access
    var function: String
    /// The first byte that may not be touched.
    var firstBad: UInt64 = 0
    var bug = KasanReport.Kind.outOfBounds
}
