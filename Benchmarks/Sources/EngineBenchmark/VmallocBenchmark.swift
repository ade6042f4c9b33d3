import CAllocatorPeer
import KernelHeap

/// A vmalloc of four pages and its vfree, while more and more areas are live.
///
/// The areas that stay are taken apart every second one, so that the tree of gaps is as large as that of the areas;
/// what is freed in the loop waits for the purge, as it does in the kernel.
struct VmallocBenchmark {
    static let memoryBytes: UInt64 = 2 << 30

    let scale: Scale

    func run() throws(MachineError) {
        let live: [UInt64] = scale.growth.count > 1 ? [10, 1_000, 100_000] : [10, 1_000]
        for count in live { try run(live: count) }
    }

    private func run(live count: UInt64) throws(MachineError) {
        var description = MachineDescription()
        description.memoryBytes = Self.memoryBytes
        var kernel = try Kernel(description)
        var areas: [LinearAddress] = []
        for _ in 0..<count * 2 { areas.append(kernel.vmalloc(size: 4096)) }
        for place in stride(from: 0, to: areas.count, by: 2) { kernel.vfree(areas[place]) }
        let pairs = scale.growthPairs / 4
        let work = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for _ in 0..<pairs {
                // Four pages fit into none of the gaps.
                let address = kernel.vmalloc(size: 16_384)
                checksum &+= address.rawValue
                kernel.vfree(address)
            }
            return checksum
        }
        let value = work.seconds * 1e9 / Double(pairs)
        report("vmalloc and vfree, \(count) live", "kheapd", value, checksum: work.1)
    }
}
