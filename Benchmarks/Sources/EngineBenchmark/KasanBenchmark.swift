import CAllocatorPeer
import KernelHeap

/// Calls on a machine with the address sanitizer beside the same calls on one without, through
/// `apply`, as sessions make them.
struct KasanBenchmark {
    typealias Words = (UInt64, UInt64, UInt64)

    let scale: Scale

    func run() throws(MachineError) {
        for (side, isOn) in [("plain", false), ("kasan", true)] {
            var description = MachineDescription()
            description.kasan = isOn
            var kernel = try Kernel(description)
            try runPairs(&kernel, side, "kmalloc", (64, 0xcc0, 0), "kfree")
            try runPairs(&kernel, side, "kmalloc", (1_024, 0xcc0, 0), "kfree")
            try runPairs(&kernel, side, "__get_free_pages", (0xcc0, 0, 0), "free_pages")
            try runMemory(&kernel, side)
        }
    }

    private var count: UInt64 { max(scale.pairs / 5, 1_000) }

    /// An allocation and its free, again and again.
    private func runPairs(
        _ kernel: inout Kernel,
        _ side: String,
        _ allocation: String,
        _ words: Words,
        _ free: String
    ) throws(MachineError) {
        guard let allocate = CallRegistry.byName[allocation],
            let release = CallRegistry.byName[free]
        else { return }
        let pairs = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for _ in 0..<count {
                let address = call(&kernel, allocate, words)
                checksum &+= address == 0 ? 0 : 1
                _ = call(&kernel, release, (address, 0, 0))
            }
            return checksum
        }
        let size = allocation == "kmalloc" ? "(\(words.0))" : ""
        let nanoseconds = pairs.seconds * 1e9 / Double(count)
        report("kasan: \(allocation)\(size) + \(free)", side, nanoseconds, checksum: pairs.1)
    }

    /// Calls that move bytes.
    private func runMemory(_ kernel: inout Kernel, _ side: String) throws(MachineError) {
        guard let kzalloc = CallRegistry.byName["kzalloc"], let mmap = CallRegistry.byName["mmap"]
        else { return }
        let object = call(&kernel, kzalloc, (1_024, 0xcc0, 0))
        let other = call(&kernel, kzalloc, (1_024, 0xcc0, 0))
        var arguments = CallArguments()
        for (index, word) in [0x1000_0000, 4_096, 3, 0x32].enumerated() {
            arguments.set(index, word: UInt64(word))
        }
        _ = kernel.apply(mmap, arguments, in: .standard)
        let user: UInt64 = 0x1000_0000
        for (name, words) in [
            ("kernel_read", (object, 64, 0)), ("memset", (object, 0x5a, 1_024)),
            ("memcpy", (other, object, 1_024)), ("copy_to_user", (user, object, 64)),
            ("copy_from_user", (object, user, 64)),
        ] as [(String, Words)] {
            guard let descriptor = CallRegistry.byName[name] else { continue }
            let calls = try timed { () throws(MachineError) in
                var checksum: UInt64 = 0
                for _ in 0..<count {
                    checksum &+= call(&kernel, descriptor, words) == 0 ? 0 : 1
                }
                return checksum
            }
            let nanoseconds = calls.seconds * 1e9 / Double(count)
            report("kasan: \(name)", side, nanoseconds, checksum: calls.1)
        }
    }

    private func call(
        _ kernel: inout Kernel,
        _ descriptor: borrowing CallDescriptor,
        _ words: Words
    ) -> UInt64 {
        var arguments = CallArguments()
        arguments.set(0, word: words.0)
        arguments.set(1, word: words.1)
        if words.2 != 0 { arguments.set(2, word: words.2) }
        return switch kernel.apply(descriptor, arguments, in: .standard).result.value {
        case .pointer(let word), .unsigned(let word): word
        default: 0
        }
    }
}
