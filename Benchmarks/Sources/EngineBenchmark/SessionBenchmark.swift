import CAllocatorPeer
import KernelHeap

/// What a session costs: the time to boot one, and its resident memory after 100 calls.
struct SessionBenchmark {
    let scale: Scale

    func run() throws(MachineError) {
        var small = MachineDescription()
        small.memoryBytes = 512 << 20
        var large = MachineDescription()
        large.memoryBytes = 64 << 30
        // Once each, so that tables made at first use are not one session's bill.
        try measure("warm-up", small)
        try measure("512 MiB", small)
        try measure("64 GiB", large)
    }

    private func measure(_ name: String, _ machine: MachineDescription) throws(MachineError) {
        var sessions: [HeldKernel] = []
        sessions.reserveCapacity(scale.sessions)
        let before = peer_resident_bytes()

        let start = peer_seconds()
        for _ in 0..<scale.sessions { sessions.append(try HeldKernel(machine)) }
        let seconds = peer_seconds() - start
        let booted = peer_resident_bytes()

        var checksum: UInt64 = 0
        for session in sessions { checksum &+= session.runHundredCalls() }
        let used = peer_resident_bytes()

        guard name != "warm-up" else { return }
        let count = Double(scale.sessions)
        func bytes(_ now: UInt64) -> Double { Double(now) / count - Double(before) / count }
        report("\(name): boot, µs", "kheapd", seconds * 1e6 / count, checksum: checksum)
        report("\(name): bytes after boot", "kheapd", bytes(booted), checksum: checksum)
        report("\(name): bytes after 100 calls", "kheapd", bytes(used), checksum: checksum)
    }
}

/// A kernel in an array.
private final class HeldKernel {
    private var kernel: Kernel

    init(_ machine: MachineDescription) throws(MachineError) { kernel = try Kernel(machine) }

    /// 60 objects of ten sizes, 10 blocks of pages, 30 frees.
    ///
    /// - Returns: the number of calls that succeeded.
    func runHundredCalls() -> UInt64 {
        var objects: [LinearAddress] = []
        var succeeded: UInt64 = 0
        for call in 0..<60 {
            let size = UInt64(8) << UInt64(call % 10)
            let object = kernel.kmalloc(size: size, flags: .kernel, in: .standard)
            objects.append(object)
            succeeded += object.rawValue == 0 ? 0 : 1
        }
        for call in 0..<10 {
            let block = kernel.allocPages(order: call % 4, flags: .kernel, in: .standard)
            succeeded += block == nil ? 0 : 1
        }
        for object in objects.prefix(30) {
            kernel.kfree(object, in: .standard)
            succeeded += 1
        }
        return succeeded
    }
}
