/// How a free object's pointer to the next one is stored in its bytes.
///
/// Hardened kernels store it mixed with a secret of the cache and with the place where it is stored,
/// so that a pointer written over leads nowhere (`CONFIG_SLAB_FREELIST_HARDENED`, 6.1).
struct FreePointerCoding: Sendable {
    let isHardened: Bool
    /// Bytes of a pointer.
    let wordBytes: Int
    private let seed: UInt64

    init(isHardened: Bool, seed: UInt64, wordBytes: Int) {
        self.wordBytes = wordBytes
        self.isHardened = isHardened
        self.seed = seed
    }

    /// What is stored for a pointer, and the pointer for what is stored: `freelist_ptr()`.
    ///
    /// - Parameters:
    ///   - value: a pointer, or what stands in its place.
    ///   - address: where it is stored.
    ///   - cache: the cache's number.
    /// - Returns: the other of the two.
    func code(_ value: UInt64, at address: UInt64, cache: Int) -> UInt64 {
        guard isHardened else { return value }
        // The top bytes of a shorter word are no part of it.
        let unused = UInt64(8 &* (8 &- wordBytes))
        let swapped = (address &<< unused).byteSwapped
        return ((value ^ secret(ofCache: cache) ^ swapped) &<< unused) &>> unused
    }

    /// The cache's random number: `s->random`, from the machine's seed.
    private func secret(ofCache cache: Int) -> UInt64 {
        mixed(seed &+ UInt64(truncatingIfNeeded: cache &+ 1) &* 0x9e37_79b9_7f4a_7c15)
    }
}

/// Spreads a number's bits over a whole word: the finaliser of SplitMix64.
func mixed(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
}

/// A free pointer led to an address where no memory is: the kernel's next access faults.
struct FreePointerFault: Error {
    /// What the kernel tried to read.
    let address: UInt64
}

/// What a slab whose objects are linked in their own bytes knows beyond `Slab.freelist`.
struct ByteLists {
    /// First free object of the part that only a CPU sees, as an address; 0 where there is none.
    var cpu: UInt64 = 0
    /// The address that `Slab.stray` stands for.
    var slab: UInt64 = 0
}
