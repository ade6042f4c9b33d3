import CAllocatorPeer
import KernelHeap

/// What a call costs as the machine and the number of live allocations grow.
///
/// More live allocations also means more memory under way: malloc's own cost at the same number tells how much of the
/// growth is the processor's caches.
struct GrowthBenchmark {
    let scale: Scale

    func run() throws(MachineError) {
        for bytes in scale.machines { try runMachine(bytes) }
        for live in scale.growth {
            try runObjects(live)
            try runPages(live)
        }
    }

    /// Pairs of single pages and of order 4 on a machine of this size, where nothing else is live.
    private func runMachine(_ bytes: UInt64) throws(MachineError) {
        let name = "\(bytes >> 30) GiB"
        for order in [0, 4] {
            var kernel = try machine(bytes)
            let pairs = try timed { () throws(MachineError) in
                for _ in 0..<scale.growthPairs {
                    guard let block = kernel.allocPages(order: order, flags: .kernel) else { break }
                    kernel.freePages(block, order: order)
                }
            }
            tell("machine order \(order) \(name)", "kheapd", pairs.seconds)
        }
    }

    private func runObjects(_ live: UInt64) throws(MachineError) {
        let seed: UInt64 = 0x9e37_79b9_7f4a_7c15
        var kernel = try machine(1 << 32)
        var slots = ChurnSlots(count: live, seed: seed, size: CallBenchmark.objectSize)
        slots.fill(&kernel)
        let ours = try timed { () throws(MachineError) in
            slots.churn(&kernel, pairs: scale.growthPairs)
        }
        tell("live objects \(live)", "kheapd", ours.seconds)
        var seconds = 0.0
        _ = unsafe peer_churn(scale.growthPairs, live, CallBenchmark.objectSize, seed, &seconds)
        tell("live objects \(live)", "malloc", seconds)
    }

    /// Single pages, a random one of those that live freed and another taken.
    private func runPages(_ live: UInt64) throws(MachineError) {
        var kernel = try machine(1 << 34)
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        var pages: [PFN] = []
        for _ in 0..<live {
            guard let page = kernel.allocPages(order: 0, flags: .kernel) else { break }
            pages.append(page)
        }
        let count = UInt64(pages.count)
        let ours = try timed { () throws(MachineError) in
            for _ in 0..<scale.growthPairs {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                let slot = Int(((state >> 32) &* count) >> 32)
                kernel.freePages(pages[slot], order: 0)
                guard let page = kernel.allocPages(order: 0, flags: .kernel) else { break }
                pages[slot] = page
            }
        }
        tell("live pages \(live)", "kheapd", ours.seconds)
    }

    private func machine(_ bytes: UInt64) throws(MachineError) -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = bytes
        return try Kernel(description)
    }

    private func tell(_ subject: String, _ side: String, _ seconds: Double) {
        report(subject, side, seconds * 1e9 / Double(scale.growthPairs), checksum: 0)
    }
}
