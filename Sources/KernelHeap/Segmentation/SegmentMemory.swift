/// The linear memory that descriptor tables, task states and stacks are in.
protocol SegmentMemory: ~Copyable {
    /// Loads up to eight bytes, lowest first; nothing is changed.
    ///
    /// - Parameters:
    ///   - address: linear.
    ///   - count: 1 to 8.
    ///   - isUser: at CPL 3; tables and task states are always read as the supervisor.
    /// - Returns: the bytes as a number.
    /// - Throws: #PF.
    func load(_ address: UInt32, _ count: Int, isUser: Bool) throws(SegmentFault) -> UInt64

    /// Stores up to eight bytes.
    mutating func store(
        _ address: UInt32,
        _ count: Int,
        _ value: UInt64,
        isUser: Bool
    ) throws(SegmentFault)
}
