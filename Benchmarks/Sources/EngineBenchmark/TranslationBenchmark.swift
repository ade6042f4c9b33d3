import CAllocatorPeer
import KernelHeap

/// Translations of kernel addresses: those that the software TLB has, beside a lookup in a bare array of its size, and
/// those that each need a walk.
struct TranslationBenchmark {
    static let memoryBytes: UInt64 = 1 << 30
    /// Where the direct map's frames begin that are translated.
    static let start: UInt64 = 0xffff_8880_0800_0000
    static let pages: UInt64 = 256

    let scale: Scale

    func run() throws(MachineError) {
        try runArray()
        try runKernel("translate, hit", pages: Self.pages, count: scale.pairs)
        // Twice as many pages as entries, in turn: each finds another one's entry.
        try runKernel("translate, walk", pages: Self.pages * 2, count: scale.pairs / 20)
    }

    private func runArray() throws(MachineError) {
        let table = (0..<Self.pages).map { (tag: Self.start >> 12 + $0, frame: 0x8000 + $0) }
        let lookups = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for count in 0..<scale.pairs {
                let page = (Self.start >> 12) &+ count & (Self.pages - 1)
                let entry = table[Int(truncatingIfNeeded: page & (Self.pages - 1))]
                if entry.tag == page { checksum &+= entry.frame }
            }
            return checksum
        }
        let value = lookups.seconds * 1e9 / Double(scale.pairs)
        report("translate, hit", "array", value, checksum: lookups.1)
    }

    private func runKernel(_ subject: String, pages: UInt64, count: UInt64) throws(MachineError) {
        var description = MachineDescription()
        description.memoryBytes = Self.memoryBytes
        var kernel = try Kernel(description)
        let lookups = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for place in 0..<count {
                let address = Self.start &+ (place & (pages - 1)) << 12
                let frame = kernel.frameOfLoad(from: LinearAddress(rawValue: address))
                checksum &+= frame?.rawValue ?? 0
            }
            return checksum
        }
        report(subject, "kheapd", lookups.seconds * 1e9 / Double(count), checksum: lookups.1)
    }
}
