extension FixedWidthInteger {
    /// The value's bytes as the machine stores them.
    var littleEndianBytes: [UInt8] { littleEndianBytes(count: Self.bitWidth / 8) }

    /// The lowest bytes of the value as the machine stores them.
    func littleEndianBytes(count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}
