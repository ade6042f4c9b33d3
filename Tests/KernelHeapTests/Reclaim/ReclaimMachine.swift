import Testing

@testable import KernelHeap

/// A small machine with files, processes and swap, and calls that a test makes of it.
struct ReclaimMachine: ~Copyable {
    var kernel: Kernel

    init(megabytes: UInt64 = 96, swap: UInt64 = 0, profile: String? = nil) throws {
        var description = MachineDescription()
        description.memoryBytes = megabytes << 20
        description.swapBytes = swap << 20
        if let profile { description.profile = profile }
        kernel = try Kernel(description)
    }

    @discardableResult
    mutating func call(
        _ name: String,
        _ words: UInt64?...,
        text: String? = nil,
        bytes: [UInt8]? = nil,
        in context: CallContext = .standard
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        var place = 0
        if let text {
            arguments.set(place, payload: .text(text))
            place += 1
        }
        if let bytes {
            arguments.set(place, payload: .bytes(bytes))
            place += 1
        }
        for word in words {
            if let word { arguments.set(place, word: word) }
            place += 1
        }
        return kernel.apply(descriptor, arguments, in: context)
    }

    /// Private memory of a process at an address.
    mutating func map(_ process: Int, _ address: UInt64, pages: UInt64) {
        let flags = MapFlags.private | MapFlags.anonymous | MapFlags.fixed
        let result = kernel.mmap(
            process,
            hint: address,
            length: pages * 4096,
            rights: [.read, .write],
            flags: flags
        )
        #expect(result == .success(address))
    }

    struct Missing: Error { let pid: Int }

    /// The place of a process.
    func place(_ pid: Int) throws -> Int {
        guard let place = kernel.process(pid) else { throw Missing(pid: pid) }
        return place
    }

    /// What does not hold of the machine.
    var violations: [String] { kernel.checkInvariants(misuse: false) }

    /// Free pages of all zones, those of the CPUs' lists among them.
    var freePages: Int { Int(kernel.pages.ownPages()) }

    func count(_ list: LRUList) -> Int { kernel.lruSize(node: 0, list) }

    func event(_ counter: VMEventCounter) -> UInt64 { kernel.vmStatView().events[counter] }

    /// Bytes that tell which page they were written to.
    static func pattern(_ number: Int) -> [UInt8] {
        (0..<64).map { UInt8(truncatingIfNeeded: ($0 &+ number) &* 31 &+ number >> 3 | 1) }
    }
}
