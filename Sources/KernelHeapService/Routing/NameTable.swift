/// Maps names, as bytes of a request, to their positions in a list.
///
/// An open hash table over the names' bytes: looking up costs one hash and one comparison, and no
/// `String` is made.
struct NameTable: Sendable {
    let names: [String]
    private let bytes: [[UInt8]]
    /// Position + 1 of the name in each slot; 0 is a free slot.
    private let slots: [UInt32]

    /// Later repetitions of a name are not found.
    init(_ names: [String]) {
        self.names = names
        bytes = names.map { Array($0.utf8) }
        var size = 4
        while size < names.count * 2 { size *= 2 }
        var slots = [UInt32](repeating: 0, count: size)
        for (position, name) in bytes.enumerated() {
            var slot = Int(truncatingIfNeeded: NameTable.hash(name)) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(position + 1)
        }
        self.slots = slots
    }

    /// The position of `name`, or nil.
    func position(of name: ByteSlice) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: NameTable.hash(name)) & mask
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if name == bytes[position] { return position }
            slot = (slot + 1) & mask
        }
        return nil
    }

    // FNV-1a. The names are ours, so a client can make no chain longer than they do.
    private static func hash(_ name: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    private static func hash(_ name: ByteSlice) -> UInt64 {
        unsafe name.withUnsafeBytes { bytes in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for index in 0..<bytes.count {
                hash = unsafe (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
            }
            return hash
        }
    }
}
