import CAllocatorPeer
import KernelHeap

/// The same calls on an empty machine and on one whose memory is full of what reclaim can take.
///
/// Half of the pages are a file's, half a process's with swap behind it. Reclaim frees many pages at
/// once, so that most calls do not meet it: the median tells what a caller sees, the mean what all cost.
struct PressureBenchmark {
    private static let memoryBytes: UInt64 = 1 << 30
    private static let base: UInt64 = 0x1_0000_0000

    let scale: Scale

    func run() throws(MachineError) {
        for isFull in [false, true] {
            var kernel = try machine()
            if isFull { fill(&kernel) }
            let times = measure(&kernel)
            let state = isFull ? "99 % full" : "empty"
            report("call at the median, \(state)", "kheapd", times.median, checksum: times.checksum)
            report("call on average, \(state)", "kheapd", times.mean, checksum: times.checksum)
        }
    }

    private func machine() throws(MachineError) -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = Self.memoryBytes
        description.swapBytes = 4 << 30
        return try Kernel(description)
    }

    private func fill(_ kernel: inout Kernel) {
        _ = call(&kernel, "mmap", [Self.base, 1 << 29, 3, 0x32])
        // MADV_POPULATE_WRITE
        _ = call(&kernel, "madvise", [Self.base, 1 << 29, 23])
        read(&kernel, "/fill", offset: 0, bytes: 1 << 30)
    }

    private func measure(_ kernel: inout Kernel) -> (median: Double, mean: Double, checksum: UInt64)
    {
        let rounds = max(scale.growthPairs / 20, 200)
        var nanoseconds: [Double] = []
        var checksum: UInt64 = 0
        var kept: [UInt64] = []
        for round in 0..<rounds {
            let start = peer_seconds()
            let object = call(&kernel, "kmalloc", [192, 0xcc0])
            let page = call(&kernel, "alloc_pages", [0xcc0, 0])
            read(&kernel, "/data", offset: round * 4096 % (1 << 28), bytes: 4_096)
            _ = call(&kernel, "__free_pages", [page, 0])
            kept.append(object)
            if kept.count > 512 { _ = call(&kernel, "kfree", [kept.removeFirst()]) }
            nanoseconds.append((peer_seconds() - start) * 1e9 / 5)
            checksum &+= object ^ page
        }
        nanoseconds.sort()
        let mean = nanoseconds.reduce(0, +) / Double(nanoseconds.count)
        return (nanoseconds[nanoseconds.count / 2], mean, checksum)
    }

    private func read(_ kernel: inout Kernel, _ path: String, offset: UInt64, bytes: UInt64) {
        guard let descriptor = CallRegistry.byName["page_cache_read"] else { return }
        var arguments = CallArguments()
        arguments.set(0, payload: .text(path))
        arguments.set(1, word: bytes)
        arguments.set(2, word: offset)
        _ = kernel.apply(descriptor, arguments, in: .standard)
    }

    private func call(_ kernel: inout Kernel, _ name: String, _ words: [UInt64]) -> UInt64 {
        guard let descriptor = CallRegistry.byName[name] else { return 0 }
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        switch kernel.apply(descriptor, arguments, in: .standard).result.value {
        case .pointer(let word), .unsigned(let word): return word
        default: return 0
        }
    }
}
