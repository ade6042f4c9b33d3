import CAllocatorPeer
import KernelHeap

/// Copies across the border beside memcpy, page faults, and a fork of a process with 100,000 pages.
struct UserBenchmark {
    private static let start: UInt64 = 0x1000_0000
    private static let copySizes: [UInt64] = [64, 4_096, 1 << 20]

    let scale: Scale

    func run() throws(MachineError) {
        for size in Self.copySizes { try runCopies(size) }
        try runFaults()
    }

    /// One call by name, with words as arguments.
    private func call(_ kernel: inout Kernel, _ name: String, _ words: [UInt64]) -> UInt64 {
        guard let descriptor = CallRegistry.all.first(where: { $0.signature.name == name }) else {
            return 0
        }
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        return switch kernel.apply(descriptor, arguments, in: .standard).result.value {
        case .pointer(let word), .unsigned(let word): word
        case .integer(let number): UInt64(bitPattern: number)
        case .boolean(let truth): truth ? 1 : 0
        case .void: 0
        }
    }

    private func map(_ kernel: inout Kernel, _ length: UInt64) -> UInt64 {
        call(&kernel, "mmap", [Self.start, length, 3, 0x32])
    }

    private func machine() throws(MachineError) -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = 2 << 30
        return try Kernel(description)
    }

    /// `copy_to_user` of one size, again and again, beside memcpy.
    private func runCopies(_ size: UInt64) throws(MachineError) {
        let count = max(scale.pairs * 64 / max(size, 256), 16)
        let name = "copy_to_user \(size)"
        let start = peer_seconds()
        let copied = peer_copies(count, size)
        report(name, "memcpy", (peer_seconds() - start) * 1e9 / Double(count), checksum: copied)

        var kernel = try machine()
        let pages = size > 4_096 ? 8 : UInt64(0)
        let buffer = call(&kernel, "__get_free_pages", [0xcc0, pages])
        _ = call(&kernel, "memset", [buffer, 0x5a, size])
        _ = map(&kernel, size)
        var arguments = CallArguments()
        arguments.set(0, word: Self.start)
        arguments.set(1, word: buffer)
        arguments.set(2, word: size)
        let copy = CopyToUser(arguments)
        _ = copy.run(on: &kernel, in: .standard)
        let copies = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for _ in 0..<count {
                guard case .unsigned(let left) = copy.run(on: &kernel, in: .standard).value else {
                    continue
                }
                checksum &+= size - left
            }
            return checksum
        }
        report(name, "kheapd", copies.seconds * 1e9 / Double(count), checksum: copies.1)

        guard let descriptor = CallRegistry.byName["copy_to_user"] else { return }
        let applied = try timed { () throws(MachineError) in
            var checksum: UInt64 = 0
            for _ in 0..<count {
                let outcome = kernel.apply(descriptor, arguments, in: .standard)
                guard case .unsigned(let left) = outcome.result.value else { continue }
                checksum &+= size - left
            }
            return checksum
        }
        report(name, "apply", applied.seconds * 1e9 / Double(count), checksum: applied.1)
    }

    /// A first store to each of many pages, a fork, a store that copies, and the end.
    private func runFaults() throws(MachineError) {
        let pages = scale.liveObjects
        var kernel = try machine()
        _ = map(&kernel, pages << 12)
        let faults = try timed { () throws(MachineError) in
            call(&kernel, "madvise", [Self.start, pages << 12, 23])
        }
        report("page fault", "kheapd", faults.seconds * 1e9 / Double(pages), checksum: faults.1)
        let fork = try timed { () throws(MachineError) in call(&kernel, "fork", []) }
        report("fork, µs", "kheapd", fork.seconds * 1e6, checksum: fork.1)
        let copies = try timed { () throws(MachineError) in
            call(&kernel, "madvise", [Self.start, pages << 12, 23])
        }
        report("copy on write", "kheapd", copies.seconds * 1e9 / Double(pages), checksum: copies.1)
        let end = try timed { () throws(MachineError) in
            call(&kernel, "munmap", [Self.start, pages << 12])
        }
        report("munmap", "kheapd", end.seconds * 1e9 / Double(pages), checksum: end.1)
    }
}
