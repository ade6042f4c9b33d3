/// The order of the objects in a new slab's freelist: `CONFIG_SLAB_FREELIST_RANDOM`, 6.1.
///
/// Each cache has one permutation of its slots, drawn once; each slab begins at another place of it.
struct FreelistShuffle: Sendable {
    private let seed: UInt64
    private var permutations: [Int: [UInt16]] = [:]
    private var slabsMade: UInt64 = 0

    init(seed: UInt64) { self.seed = mixed(seed ^ 0x736c_6162) }

    /// The slots of a new slab in the order in which they will be handed out: `shuffle_freelist()`.
    ///
    /// - Parameters:
    ///   - count: the slab's objects.
    ///   - cache: the cache's number.
    ///   - full: objects of the cache's usual slab; a smaller one leaves out what it has not.
    /// - Returns: the order; nil for a single object.
    mutating func order(of count: UInt16, cache: Int, full: UInt16) -> [UInt16]? {
        guard count > 1 else { return nil }
        slabsMade &+= 1
        let permutation = permutation(ofCache: cache, count: Int(full))
        let start = Int(mixed(seed &+ slabsMade) % UInt64(permutation.count))
        let turned = permutation[start...] + permutation[..<start]
        return turned.filter { $0 < count }
    }

    /// Another cache takes the number: its permutation is drawn anew.
    mutating func forget(_ cache: Int) { permutations[cache] = nil }

    private mutating func permutation(ofCache cache: Int, count: Int) -> [UInt16] {
        if let known = permutations[cache] { return known }
        var order = (0..<UInt16(truncatingIfNeeded: count)).map(\.self)
        for place in stride(from: count - 1, to: 0, by: -1) {
            let salt = UInt64(truncatingIfNeeded: cache << 16 | place)
            order.swapAt(place, Int(mixed(seed &+ mixed(salt)) % UInt64(place + 1)))
        }
        permutations[cache] = order
        return order
    }
}
