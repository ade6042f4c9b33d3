import CAllocatorPeer
import KernelHeap

/// What a session costs: the time to boot one, and its resident memory after 100 calls.
struct SessionBenchmark {
    let scale: Scale
    let memoryBytes: UInt64

    func run() throws(MachineError) {
        var machine = MachineDescription()
        machine.memoryBytes = memoryBytes
        // One session first, so that tables made at first use are not another session's bill.
        let first = try HeldKernel(machine)
        var checksum = first.runHundredCalls()

        var sessions: [HeldKernel] = []
        sessions.reserveCapacity(scale.sessions)
        let before = peer_resident_bytes()
        let start = peer_seconds()
        for _ in 0..<scale.sessions { sessions.append(try HeldKernel(machine)) }
        let seconds = peer_seconds() - start
        let booted = peer_resident_bytes()
        for session in sessions { checksum &+= session.runHundredCalls() }
        let used = peer_resident_bytes()

        let count = Double(scale.sessions)
        func bytes(_ now: UInt64) -> Double { Double(now) / count - Double(before) / count }
        report("boot, µs", "kheapd", seconds * 1e6 / count, checksum: checksum)
        report("bytes after boot", "kheapd", bytes(booted), checksum: checksum)
        report("bytes after 100 calls", "kheapd", bytes(used), checksum: checksum)
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
