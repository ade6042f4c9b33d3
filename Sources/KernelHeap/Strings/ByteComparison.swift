/// Where two stretches of memory part.
struct ByteComparison {
    enum End {
        /// Two bytes that are not the same.
        case difference(left: UInt8, right: UInt8)
        /// A NUL on both sides.
        case terminator
        /// There were no more bytes to compare.
        case exhausted
        case fault(PageFault, at: UInt64)
        case unfinished
    }

    /// Bytes that are the same on both sides, a NUL at the end left out.
    var length: UInt64
    var end: End
    /// Offset of the first byte behind those that were loaded, or meant to be.
    var touched: UInt64

    /// -1, 0 or 1, as the string functions return.
    var order: Int64 {
        if case .difference(let left, let right) = end { return left < right ? -1 : 1 }
        return 0
    }

    /// The difference of the bytes, as `memcmp()` returns.
    var difference: Int64 {
        if case .difference(let left, let right) = end { return Int64(left) - Int64(right) }
        return 0
    }
}

/// Comparing bytes: `memcmp()`, `strcmp()`, `strncmp()`.
extension Kernel {
    /// Compares bytes until two are not the same.
    ///
    /// - Parameters:
    ///   - left: the one address, loaded from first.
    ///   - right: the other.
    ///   - count: bytes at most.
    ///   - unit: bytes that are loaded at a time, while there are so many.
    ///   - stopsAtNUL: whether a NUL on both sides ends it.
    ///   - function: whose loop it is.
    ///   - context: of the caller.
    /// - Returns: how far it came.
    mutating func compareBytes(
        _ left: UInt64,
        _ right: UInt64,
        count: UInt64 = .max,
        unit: UInt64 = 1,
        stopsAtNUL: Bool = false,
        _ function: StaticString,
        in context: CallContext
    ) -> ByteComparison {
        var result = compareEach(left, right, count: count, stopsAtNUL: stopsAtNUL, in: context)
        let inUnits = unit > 1 ? count - count % unit : 0
        if unit > 1, result.length < inUnits { widen(&result, left, right, unit, in: context) }
        for address in [left, right] {
            noteComparison(result, at: address, unit: unit, inUnits, function, in: context)
        }
        return result
    }

    /// Compares byte by byte; nobody looks on.
    private mutating func compareEach(
        _ left: UInt64,
        _ right: UInt64,
        count: UInt64,
        stopsAtNUL: Bool,
        in context: CallContext
    ) -> ByteComparison {
        var done: UInt64 = 0
        while done < count {
            guard done < Self.stringLimit else {
                return ByteComparison(length: done, end: .unfinished, touched: done)
            }
            let (one, other) = (
                (left &+ done) & layout.addressMask, (right &+ done) & layout.addressMask
            )
            let most = min(count - done, Self.stringLimit - done, max(Self.firstPiece, done))
            let length = min(most, 4096 - max(one % 4096, other % 4096))
            let (these, fault) = loadKernel(one, length, in: context)
            if let fault {
                return ByteComparison(
                    length: done,
                    end: .fault(fault, at: one),
                    touched: done + 1
                )
            }
            let (those, stop) = loadKernel(other, length, in: context)
            if let stop {
                return ByteComparison(
                    length: done,
                    end: .fault(stop, at: other),
                    touched: done + 1
                )
            }
            for (offset, (this, that)) in zip(these, those).enumerated()
            where this != that || stopsAtNUL && this == 0 {
                let place = done + UInt64(offset)
                return ByteComparison(
                    length: place,
                    end: this == that ? .terminator : .difference(left: this, right: that),
                    touched: place + 1
                )
            }
            done += length
        }
        return ByteComparison(length: done, end: .exhausted, touched: done)
    }

    /// Makes the last loads as wide as the loop has them: the whole of both, left before right.
    ///
    /// A wide load faults where its last byte does, though a byte before would have decided.
    private mutating func widen(
        _ result: inout ByteComparison,
        _ left: UInt64,
        _ right: UInt64,
        _ unit: UInt64,
        in context: CallContext
    ) {
        if case .unfinished = result.end { return }
        let start = result.length - result.length % unit
        result.touched = start + unit
        for address in [left, right] {
            let place = (address &+ start) & layout.addressMask
            let (bytes, fault) = loadKernel(place, unit, in: context)
            guard let fault else { continue }
            let stop = (place &+ UInt64(bytes.count)) & layout.addressMask
            result.end = .fault(fault, at: stop)
            return
        }
    }

    private mutating func noteComparison(
        _ result: ByteComparison,
        at address: UInt64,
        unit: UInt64,
        _ inUnits: UInt64,
        _ function: StaticString,
        in context: CallContext
    ) {
        let wide = min(result.touched, inUnits)
        let first = AccessRun(address: address, length: wide, unit: unit)
        let last = AccessRun(address: address &+ wide, length: result.touched - wide)
        if checkRun(first, isWrite: false, function, in: context) {
            checkRun(last, isWrite: false, function, in: context)
        }
        let loaded =
            switch result.end {
            case .difference, .terminator: result.length + 1
            case .exhausted, .fault, .unfinished: result.length
            }
        checkUse(address, loaded, .decided(by: function), in: context)
        checkAccess(address, loaded, isWrite: false)
    }

    /// The result of a comparison that did not come to its end; nil where it did.
    mutating func unreturned(_ comparison: ByteComparison) -> CallResult? {
        switch comparison.end {
        case .difference, .terminator, .exhausted: nil
        case .fault(let fault, let place): faultResult(fault, at: place)
        case .unfinished: .unfinished
        }
    }
}
