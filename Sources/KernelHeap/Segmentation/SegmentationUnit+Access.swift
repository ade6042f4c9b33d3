/// From a logical to a linear address: what every load, store and fetch goes through.
extension SegmentationUnit {
    public enum Access: UInt64, CaseIterable, Hashable, Sendable {
        case read, write, execute
    }

    /// Checks an access against a register's hidden part; the tables are not looked at.
    ///
    /// - Parameters:
    ///   - register: the segment.
    ///   - offset: of the first byte.
    ///   - count: bytes, at least 1.
    ///   - access: what is done.
    /// - Returns: the linear address of the first byte.
    /// - Throws: #SS(0) through SS, else #GP(0); without error code in real mode.
    func linear(
        _ register: SegmentRegister,
        _ offset: UInt32,
        count: UInt32,
        _ access: Access
    ) throws(SegmentFault) -> UInt32 {
        let vector: SegmentFault.Vector = register == .ss ? .stack : .generalProtection
        if access == .execute && register != .cs {
            throw SegmentFault(vector, errorCodeZero, .notExecutable)
        }
        return try linear(in: self[register], offset, count: count, access, else: vector)
    }

    /// The same for a segment that no register holds yet.
    func linear(
        in segment: LoadedSegment,
        _ offset: UInt32,
        count: UInt32,
        _ access: Access,
        else vector: SegmentFault.Vector
    ) throws(SegmentFault) -> UInt32 {
        guard segment.isUsable else { throw SegmentFault(vector, errorCodeZero, .nullSegment) }
        if mode == .protected, let reason = refusal(of: access, by: segment.descriptor) {
            throw SegmentFault(vector, errorCodeZero, reason)
        }
        guard segment.contains(offset, count: count) else {
            throw SegmentFault(vector, errorCodeZero, .beyondLimit)
        }
        return wrapped(segment.base &+ offset)
    }

    private func refusal(
        of access: Access,
        by descriptor: SegmentDescriptor
    ) -> SegmentFault.Reason? {
        switch access {
        case .read: descriptor.isReadable ? nil : .notReadable
        case .write: descriptor.isWritable ? nil : .notWritable
        case .execute: descriptor.isCode ? nil : .notExecutable
        }
    }

    /// In real mode 20 bits, or 21 where A20 is open.
    private func wrapped(_ address: UInt32) -> UInt32 {
        mode == .real && !isA20Open ? address & ~(1 << 20) : address
    }

    /// Real mode pushes no error codes.
    var errorCodeZero: UInt32? { mode == .real ? nil : 0 }

    /// Refuses an offset that the code segment does not have: #GP(0).
    func checkTarget(_ offset: UInt32, in code: LoadedSegment) throws(SegmentFault) {
        guard code.contains(offset, count: 1) else {
            throw SegmentFault(.generalProtection, errorCodeZero, .beyondLimit)
        }
    }
}
