/// A search for bytes in a stream, whose cost is one or two steps a byte: Knuth, Morris and Pratt.
///
/// It asks for no byte that comparing at each place in turn would not ask for.
struct ByteSearch {
    private let sought: [UInt8]
    /// By bytes that fit: how many still do where the next one does not.
    private var shorter: [Int32]
    private var fitting = 0
    private var seen: UInt64 = 0
    /// Whether a NUL ends the search.
    var stopsAtNUL = true
    /// Offset of the place where all fit.
    private(set) var place: UInt64?

    /// - Parameter sought: at least one byte, and none of them a NUL.
    init(for sought: [UInt8]) {
        self.sought = sought
        shorter = [Int32](repeating: 0, count: sought.count + 1)
        var length = 0
        for index in sought.indices.dropFirst() {
            while length > 0, sought[index] != sought[length] { length = Int(shorter[length]) }
            if sought[index] == sought[length] { length += 1 }
            shorter[index + 1] = Int32(truncatingIfNeeded: length)
        }
    }

    /// Takes the next byte.
    ///
    /// - Returns: whether the search is over.
    mutating func ends(with byte: UInt8) -> Bool {
        seen += 1
        if byte == 0, stopsAtNUL { return true }
        while fitting > 0, fitting == sought.count || byte != sought[fitting] {
            fitting = Int(shorter[fitting])
        }
        if fitting < sought.count, byte == sought[fitting] { fitting += 1 }
        guard fitting == sought.count else { return false }
        place = seen - UInt64(sought.count)
        return true
    }

    /// The same where the bytes are so many: over, too, when no place is left for what is sought.
    mutating func ends(with byte: UInt8, before count: UInt64) -> Bool {
        if ends(with: byte) { return true }
        let start = seen - UInt64(fitting)
        return count - start < UInt64(sought.count)
    }
}
