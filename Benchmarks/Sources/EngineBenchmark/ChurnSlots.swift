import KernelHeap

/// A fixed number of live objects; each step frees a random one and allocates another in its place.
struct ChurnSlots {
    private var slots: [LinearAddress]
    private var state: UInt64
    private let size: UInt64

    /// - Parameters:
    ///   - count: objects alive at any time; below 2^32.
    ///   - seed: of the order in which objects die; not 0.
    ///   - size: of each object, in bytes.
    init(count: UInt64, seed: UInt64, size: UInt64) {
        slots = Array(repeating: LinearAddress(rawValue: 0), count: Int(count))
        state = seed
        self.size = size
    }

    mutating func fill(_ kernel: inout Kernel) {
        for slot in slots.indices {
            slots[slot] = kernel.kmalloc(size: size, flags: .kernel, in: .standard)
        }
    }

    /// Runs `pairs` steps.
    ///
    /// - Returns: the sum of the slots chosen, which the C peer must reach too; 0 when an allocation failed.
    mutating func churn(_ kernel: inout Kernel, pairs: UInt64) -> UInt64 {
        var checksum: UInt64 = 0
        let count = UInt64(slots.count)
        for _ in 0..<pairs {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let slot = ((state >> 32) &* count) >> 32
            kernel.kfree(slots[Int(slot)], in: .standard)
            let object = kernel.kmalloc(size: size, flags: .kernel, in: .standard)
            guard object.rawValue != 0 else { return 0 }
            slots[Int(slot)] = object
            checksum &+= slot
        }
        return checksum
    }

    mutating func empty(_ kernel: inout Kernel) {
        for slot in slots { kernel.kfree(slot, in: .standard) }
    }
}
