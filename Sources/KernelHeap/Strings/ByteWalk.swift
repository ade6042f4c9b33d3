/// How far a loop over bytes of kernel memory came, and what ended it.
struct ByteWalk {
    enum End {
        /// A byte that it looks for.
        case found
        /// There were no more bytes to look at.
        case exhausted
        /// The next byte cannot be loaded.
        case fault(PageFault)
        /// One call looks at no more bytes.
        case unfinished
    }

    /// Bytes before the one that ended it.
    var length: UInt64
    var end: End

    var isFound: Bool { if case .found = end { true } else { false } }

    /// Bytes that were loaded.
    var loaded: UInt64 { isFound ? length + 1 : length }

    /// The same with the one whose load faulted.
    var touched: UInt64 { if case .fault = end { length + 1 } else { loaded } }
}

/// Loops over bytes, as the functions of `lib/string.c` make them.
///
/// They know no end but the byte that they look for: a string that nobody terminated is read until
/// a NUL behind it, or a fault. Here a call looks at `stringLimit` bytes at most; longer runs of
/// memory without a NUL come of pages that are mapped many times, or of devices.
extension Kernel {
    /// Most bytes that one loop looks at, or stores.
    static let stringLimit: UInt64 = 16 << 20
    /// Bytes of the first piece that a loop loads; each further one may be as long as all before it.
    static let firstPiece: UInt64 = 64

    /// Loads bytes one after the other until one ends the loop, and has the checkers look on.
    ///
    /// - Parameters:
    ///   - address: of the first byte.
    ///   - count: bytes at most.
    ///   - function: whose loop it is.
    ///   - context: of the caller.
    ///   - isEnd: whether a byte ends it; asked in the order of addresses.
    /// - Returns: how far it came.
    mutating func walkBytes(
        _ address: UInt64,
        count: UInt64 = .max,
        _ function: StaticString,
        in context: CallContext,
        until isEnd: (UInt8) -> Bool
    ) -> ByteWalk {
        let walk = scanBytes(address, count: count, in: context, until: isEnd)
        noteWalk(walk, [AccessRun(address: address, length: walk.touched)], function, in: context)
        return walk
    }

    /// The length of a string: `strlen()`.
    mutating func walkString(_ address: UInt64, in context: CallContext) -> ByteWalk {
        walkBytes(address, "strlen", in: context) { $0 == 0 }
    }

    /// The loop alone; nobody looks on.
    mutating func scanBytes(
        _ address: UInt64,
        count: UInt64,
        in context: CallContext,
        until isEnd: (UInt8) -> Bool
    ) -> ByteWalk {
        var done: UInt64 = 0
        while done < count {
            guard done < Self.stringLimit else { return ByteWalk(length: done, end: .unfinished) }
            let place = (address &+ done) & layout.addressMask
            let most = min(count - done, Self.stringLimit - done, max(Self.firstPiece, done))
            let (bytes, fault) = loadKernel(place, min(most, 4096 - place % 4096), in: context)
            if let fault { return ByteWalk(length: done, end: .fault(fault)) }
            if let index = bytes.firstIndex(where: isEnd) {
                return ByteWalk(length: done + UInt64(index), end: .found)
            }
            done += UInt64(bytes.count)
        }
        return ByteWalk(length: done, end: .exhausted)
    }

    /// Tells the checkers of a loop, whose accesses may be wider than its bytes.
    ///
    /// - Parameters:
    ///   - walk: how far it came; something was decided by each of its bytes.
    ///   - runs: its loads in their order, the first of them at its first byte.
    ///   - function: whose loop it is.
    ///   - context: of the caller.
    mutating func noteWalk(
        _ walk: ByteWalk,
        _ runs: [AccessRun],
        _ function: StaticString,
        in context: CallContext
    ) {
        for run in runs {
            if !checkRun(run, isWrite: false, function, in: context) { break }
        }
        guard let address = runs.first?.address else { return }
        checkUse(address, walk.loaded, .decided(by: function), in: context)
        checkAccess(address, walk.loaded, isWrite: false)
    }

    /// The result of a function whose loop did not come to its end.
    ///
    /// - Parameters:
    ///   - walk: the loop.
    ///   - address: of its first byte.
    /// - Returns: nil where it did, and the function goes on.
    mutating func unreturned(_ walk: ByteWalk, from address: UInt64) -> CallResult? {
        switch walk.end {
        case .found, .exhausted: nil
        case .fault(let fault): faultResult(fault, at: address &+ walk.length)
        case .unfinished: .unfinished
        }
    }

    /// The result of a function that an oops ends.
    mutating func faultResult(
        _ fault: PageFault,
        at address: UInt64,
        _ facts: [Fact] = []
    ) -> CallResult {
        let place = address & layout.addressMask
        logAccessFault(at: place, code: fault.code)
        return CallResult(
            .void,
            detail: .facts(
                facts + [
                    Fact("fault", .address(place)),
                    Fact("error_code", .number(Int64(fault.code))),
                ]
            )
        )
    }
}

extension CallResult {
    /// That of a function which has more to do than one call does.
    static let unfinished = CallResult(
        .void,
        detail: .facts([Fact("unfinished", .boolean(true))])
    )
}
