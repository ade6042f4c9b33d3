/// A stack that is being pushed to or popped from: segment and pointer, not yet the processor's.
struct StackFrame {
    var segment: LoadedSegment
    var pointer: UInt32
    /// At CPL 3, where page tables distinguish.
    var isUser: Bool
    /// What a full stack's #SS carries: 0, or the selector of a stack that is being switched to.
    var errorCode: UInt32?

    /// B: all 32 bits of the pointer count, or 16.
    private var isBig: Bool { segment.descriptor.isBig }

    /// The pointer moved by a number of bytes; without B its upper half stays.
    private func moved(by distance: UInt32) -> UInt32 {
        let moved = pointer &+ distance
        return isBig ? moved : pointer & 0xffff_0000 | moved & 0xffff
    }

    private func offset(_ pointer: UInt32) -> UInt32 { isBig ? pointer : pointer & 0xffff }

    /// Moves up, as a return with an operand does.
    mutating func release(_ bytes: UInt32) { pointer = moved(by: bytes) }

    /// Makes sure that there is room for a number of pushes before any is done.
    func needRoom(_ count: Int, _ bytes: UInt32) throws(SegmentFault) {
        for place in 1...max(count, 1) {
            let distance = 0 &- UInt32(truncatingIfNeeded: place) &* bytes
            try need(offset(moved(by: distance)), bytes)
        }
    }

    /// Makes sure that there is something to pop.
    func needBytes(_ count: Int, _ bytes: UInt32) throws(SegmentFault) {
        for place in 0..<count {
            let distance = UInt32(truncatingIfNeeded: place) &* bytes
            try need(offset(moved(by: distance)), bytes)
        }
    }

    private func need(_ offset: UInt32, _ bytes: UInt32) throws(SegmentFault) {
        guard segment.isUsable, segment.contains(offset, count: bytes) else {
            throw SegmentFault(.stack, errorCode, .stackFull)
        }
    }

    mutating func push<Memory: SegmentMemory & ~Copyable>(
        _ value: UInt32,
        _ bytes: UInt32,
        to memory: inout Memory,
        in unit: borrowing SegmentationUnit
    ) throws(SegmentFault) {
        let below = moved(by: 0 &- bytes)
        let address = try unit.linear(
            in: segment,
            offset(below),
            count: bytes,
            .write,
            else: .stack
        )
        try memory.store(address, Int(bytes), UInt64(value), isUser: isUser)
        pointer = below
    }

    /// A word above the pointer, which stays.
    func peek<Memory: SegmentMemory & ~Copyable>(
        _ index: Int,
        _ bytes: UInt32,
        from memory: borrowing Memory,
        in unit: borrowing SegmentationUnit
    ) throws(SegmentFault) -> UInt32 {
        let distance = UInt32(truncatingIfNeeded: index) &* bytes
        let place = offset(moved(by: distance))
        let address = try unit.linear(in: segment, place, count: bytes, .read, else: .stack)
        let word = try memory.load(address, Int(bytes), isUser: isUser)
        return UInt32(truncatingIfNeeded: word)
    }
}
