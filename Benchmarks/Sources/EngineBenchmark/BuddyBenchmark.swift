import CAllocatorPeer
import KernelHeap

/// Blocks of order 4 out of memory that is all free: each is split from the largest order and merged again, here and
/// in a buddy allocator in C.
struct BuddyBenchmark {
    static let order = 4
    static let memoryBytes: UInt64 = 1 << 30

    let scale: Scale
    let round: Int

    func run() throws(MachineError) {
        if round.isMultiple(of: 2) {
            runPeer()
            try runKernel()
        } else {
            try runKernel()
            runPeer()
        }
    }

    private func runPeer() {
        var seconds = 0.0
        let blocks = Self.memoryBytes >> 22
        let checksum = unsafe peer_buddy_pairs(scale.pairs, blocks, Int32(Self.order), &seconds)
        report("order 4", "C", seconds * 1e9 / Double(scale.pairs), checksum: checksum)
    }

    private func runKernel() throws(MachineError) {
        var description = MachineDescription()
        description.memoryBytes = Self.memoryBytes
        var kernel = try Kernel(description)
        let pairs = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for _ in 0..<scale.pairs {
                let block = kernel.allocPages(order: Self.order, flags: .kernel, in: .standard)
                guard let block else { break }
                checksum &+= 1
                kernel.freePages(block, order: Self.order, in: .standard)
            }
            return checksum
        }
        report("order 4", "kheapd", pairs.seconds * 1e9 / Double(scale.pairs), checksum: pairs.1)
    }
}
