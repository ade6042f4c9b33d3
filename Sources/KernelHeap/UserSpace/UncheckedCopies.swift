/// Copies that stopped short, and whose result nobody has looked at.
///
/// A driver that ignores what `copy_from_user()` returns goes on to use the bytes that did not come.
/// So a use of those bytes is what is reported, unless `check_result` named the call before.
struct UncheckedCopies: Sendable {
    /// Calls remembered; older ones are forgotten.
    static let limit = 64

    struct Copy: Sendable {
        var call: UInt64
        /// The process whose memory lacks the bytes; nil where the kernel's does.
        var process: Int?
        /// The bytes that were not copied; none where a register lacks them.
        var range: Range<UInt64>
        /// The variable that a driver's method keeps the result in.
        var variable: Int?
    }

    private var copies: [Copy] = []
    /// Copies that were ever remembered.
    private(set) var total: UInt64 = 0

    var isEmpty: Bool { copies.isEmpty }
    /// Copies whose result nobody has looked at, oldest first.
    var waiting: [Copy] { copies }

    mutating func add(_ copy: Copy) {
        if copies.count == Self.limit { copies.removeFirst() }
        copies.append(copy)
        total &+= 1
    }

    /// Somebody has looked at a call's result.
    ///
    /// - Returns: bytes that it did not copy, or nil where nothing is known of it.
    mutating func check(_ call: UInt64) -> UInt64? {
        guard let index = copies.firstIndex(where: { $0.call == call }) else { return nil }
        let range = copies.remove(at: index).range
        return range.upperBound - range.lowerBound
    }

    /// A method keeps the result of the newest copy in a variable.
    mutating func keep(in variable: Int) {
        if let index = copies.indices.last { copies[index].variable = variable }
    }

    /// A method looks at a variable, or passes it on.
    mutating func look(at variable: Int, in call: UInt64) {
        copies.removeAll { $0.call == call && $0.variable == variable }
    }

    /// Takes the copies whose missing bytes are touched now.
    mutating func take(_ process: Int?, _ address: UInt64, _ count: UInt64) -> [Copy] {
        func isTouched(_ copy: Copy) -> Bool {
            copy.process == process && copy.range.lowerBound < address &+ count
                && address < copy.range.upperBound
        }
        let touched = copies.filter(isTouched)
        copies.removeAll(where: isTouched)
        return touched
    }

    mutating func forget(_ process: Int) { copies.removeAll { $0.process == process } }
}

extension Kernel {
    /// Remembers a copy that stopped short.
    ///
    /// - Parameters:
    ///   - copy: its result.
    ///   - target: where it stored.
    ///   - process: whose memory that is; nil for the kernel's.
    @inline(__always)
    mutating func noteResult(_ copy: UserCopyDetail, at target: UInt64, process: Int?) {
        if copy.notCopied > 0 { noteMissing(copy, at: target, process: process) }
    }

    private mutating func noteMissing(
        _ copy: UserCopyDetail,
        at target: UInt64,
        process: Int?
    ) {
        guard copy.fault?.reason != .usercopyAbort else { return }
        let (start, wraps) = target.addingReportingOverflow(copy.copied)
        if !wraps { noteMissing(at: start, copy.notCopied, process: process) }
    }

    /// Remembers that the running call left bytes out.
    ///
    /// - Parameters:
    ///   - start: the first of them.
    ///   - count: how many; 0 where a register lacks them.
    ///   - process: whose memory that is; nil for the kernel's.
    mutating func noteMissing(at start: UInt64, _ count: UInt64, process: Int?) {
        let (end, overflows) = start.addingReportingOverflow(count)
        guard !overflows else { return }
        let range = count == 0 ? 0..<0 : start..<end
        unchecked.add(UncheckedCopies.Copy(call: sequence, process: process, range: range))
    }

    /// Warns where bytes are loaded that a copy did not bring, and forgets those that are stored now.
    mutating func checkResults(
        _ address: UInt64,
        _ count: UInt64,
        process: Int?,
        isWrite: Bool
    ) {
        guard !unchecked.isEmpty, count > 0 else { return }
        for copy in unchecked.take(process, address, count) where !isWrite {
            // Memory that was allocated since is somebody else's.
            if process == nil, let owner = slabPlace(at: copy.range.lowerBound),
                !owner.isAllocated || (owner.call ?? 0) > copy.call
            {
                continue
            }
            misuse.add(
                .uncheckedCopy(
                    address: LinearAddress(rawValue: copy.range.lowerBound),
                    length: copy.range.upperBound - copy.range.lowerBound,
                    call: copy.call
                )
            )
        }
    }
}
