import KernelHeap

/// Scans for leaks over a million objects: that nobody points to, in one long chain, and full of
/// pointers.
struct LeakBenchmark {
    private static let size: UInt64 = 64

    let scale: Scale

    func run() throws(MachineError) {
        for (name, pointers) in [
            ("nobody points to", 0), ("in a chain", 1), ("full of pointers", 8),
        ] {
            try runScan(name, pointers: pointers)
        }
    }

    private func runScan(_ name: String, pointers: Int) throws(MachineError) {
        guard let kmalloc = CallRegistry.byName["kmalloc"],
            let store = CallRegistry.byName["kernel_write"],
            let keep = CallRegistry.byName["kmemleak_not_leak"],
            let scan = CallRegistry.byName["kmemleak_scan"]
        else { return }
        var description = MachineDescription()
        description.memoryBytes = 2 << 30
        var kernel = try Kernel(description)
        let count = Int(scale.liveObjects) * 10
        var objects: [UInt64] = []
        objects.reserveCapacity(count)
        for _ in 0..<count { objects.append(word(&kernel, kmalloc, [Self.size, 0xcc0])) }
        if pointers > 0 {
            for place in objects.indices {
                var bytes: [UInt8] = []
                for number in 0..<pointers {
                    // The next one, and others that lie far apart.
                    let other = objects[(place + 1 + number * 7_919) % count]
                    for shift in 0..<8 {
                        bytes.append(UInt8(truncatingIfNeeded: other >> UInt64(shift * 8)))
                    }
                }
                var arguments = CallArguments()
                arguments.set(0, word: objects[place])
                arguments.set(1, payload: .bytes(bytes))
                _ = kernel.apply(store, arguments, in: .standard)
            }
            _ = word(&kernel, keep, [objects[0]])
        }
        let result = try timed { () throws(MachineError) in word(&kernel, scan, [0]) }
        report("leak scan, \(name), ms", "kheapd", result.seconds * 1e3, checksum: result.1)
    }

    private func word(
        _ kernel: inout Kernel,
        _ call: CallDescriptor,
        _ words: [UInt64]
    ) -> UInt64 {
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        return switch kernel.apply(call, arguments, in: .standard).result.value {
        case .pointer(let word), .unsigned(let word): word
        case .integer(let number): UInt64(bitPattern: number)
        case .boolean, .void: 0
        }
    }
}
