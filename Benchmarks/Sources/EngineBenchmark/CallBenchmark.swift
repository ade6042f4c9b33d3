import CAllocatorPeer
import KernelHeap

/// Pairs of allocation and free: the hot object, 100,000 live objects, single pages.
struct CallBenchmark {
    static let objectSize: UInt64 = 64

    let scale: Scale
    let round: Int

    func run() throws(MachineError) {
        let seed = 0x9e37_79b9_7f4a_7c15 &+ UInt64(round)
        // The side that goes first changes, so that neither always finds the caches warm.
        if round.isMultiple(of: 2) {
            runMalloc(seed: seed)
            try runKernel(seed: seed)
        } else {
            try runKernel(seed: seed)
            runMalloc(seed: seed)
        }
    }

    private func runMalloc(seed: UInt64) {
        let start = peer_seconds()
        let checksum = peer_hot_pairs(scale.pairs, Self.objectSize)
        let hot = peer_seconds() - start
        reportPairs("kmalloc hot", "malloc", hot, checksum)
        reportPairs("page", "malloc", hot, checksum)

        var seconds = 0.0
        let churned = unsafe peer_churn(
            scale.pairs,
            scale.liveObjects,
            Self.objectSize,
            seed,
            &seconds
        )
        reportPairs("kmalloc churn", "malloc", seconds, churned)
    }

    private func runKernel(seed: UInt64) throws(MachineError) {
        var kernel = try Kernel(MachineDescription())
        let hot = try timed { () throws(MachineError) in hotPairs(&kernel) }
        reportPairs("kmalloc hot", "kheapd", hot.seconds, hot.1)

        var slots = ChurnSlots(count: scale.liveObjects, seed: seed, size: Self.objectSize)
        slots.fill(&kernel)
        let churn = try timed { () throws(MachineError) in slots.churn(&kernel, pairs: scale.pairs)
        }
        reportPairs("kmalloc churn", "kheapd", churn.seconds, churn.1)
        slots.empty(&kernel)

        let pages = try timed { () throws(MachineError) in pagePairs(&kernel) }
        reportPairs("page", "kheapd", pages.seconds, pages.1)

        var description = MachineDescription()
        description.bootOptions = "slub_debug=FZPU"
        var checked = try Kernel(description)
        let debug = try timed { () throws(MachineError) in hotPairs(&checked) }
        reportPairs("kmalloc slub_debug", "kheapd", debug.seconds, debug.1)

        description.bootOptions = ""
        description.objectHistory = 65_536
        var recording = try Kernel(description)
        let recorded = try timed { () throws(MachineError) in hotPairs(&recording) }
        reportPairs("kmalloc object_history", "kheapd", recorded.seconds, recorded.1)
    }

    private func hotPairs(_ kernel: inout Kernel) -> UInt64 {
        var checksum: UInt64 = 0
        for _ in 0..<scale.pairs {
            let object = kernel.kmalloc(size: Self.objectSize, flags: .kernel, in: .standard)
            checksum &+= object.rawValue == 0 ? 0 : 1
            kernel.kfree(object, in: .standard)
        }
        return checksum
    }

    private func pagePairs(_ kernel: inout Kernel) -> UInt64 {
        var checksum: UInt64 = 0
        for _ in 0..<scale.pairs {
            let page = kernel.allocPages(order: 0, flags: .kernel, in: .standard)
            guard let page else { break }
            checksum &+= 1
            kernel.freePages(page, order: 0, in: .standard)
        }
        return checksum
    }

    private func reportPairs(
        _ subject: String,
        _ side: String,
        _ seconds: Double,
        _ checksum: UInt64
    ) {
        report(subject, side, seconds * 1e9 / Double(scale.pairs), checksum: checksum)
    }
}
