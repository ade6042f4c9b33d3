import Testing

@testable import KernelHeap

/// A machine that kernel calls are run on by name, with words and payloads in their order.
final class CallMachine {
    enum Argument: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
        case word(UInt64)
        case text(String)
        case bytes([UInt8])
        case words([UInt64])
        case absent

        init(integerLiteral value: UInt64) { self = .word(value) }
        init(stringLiteral value: String) { self = .text(value) }
    }

    private(set) var kernel: Kernel

    init(_ description: MachineDescription) throws { kernel = try Kernel(description) }

    convenience init(_ bootOptions: String = "", cpus: Int = 1) throws {
        var description = MachineDescription()
        description.bootOptions = bootOptions
        description.cpus = cpus
        try self.init(description)
    }

    convenience init(history: Int, _ bootOptions: String = "") throws {
        var description = MachineDescription()
        description.bootOptions = bootOptions
        description.objectHistory = history
        try self.init(description)
    }

    /// Runs a call of the registry; `GFP_KERNEL` is 0xcc0 in the engine's numbering too.
    @discardableResult
    func call(
        _ name: String,
        _ arguments: Argument...,
        cpu: Int = 0,
        in kind: CallContext.Kind = .process
    ) throws -> CallOutcome {
        try call(name, arguments, cpu: cpu, in: kind)
    }

    @discardableResult
    func call(
        _ name: String,
        _ arguments: [Argument],
        cpu: Int = 0,
        in kind: CallContext.Kind = .process,
        pid: Int? = nil
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name], "\(name)")
        var list = CallArguments()
        for (index, argument) in arguments.enumerated() {
            switch argument {
            case .word(let word): list.set(index, word: word)
            case .text(let text): list.set(index, payload: .text(text))
            case .bytes(let bytes): list.set(index, payload: .bytes(bytes))
            case .words(let words): list.set(index, payload: .words(words))
            case .absent: break
            }
        }
        return kernel.apply(descriptor, list, in: CallContext(cpu: cpu, kind: kind, pid: pid))
    }

    /// Loads bytes of kernel memory.
    func read(_ address: UInt64, _ count: UInt64) throws -> [UInt8] {
        let outcome = try call("kernel_read", .word(address), .word(count))
        guard case .bytes(let bytes)? = outcome.fact("data") else { return [] }
        return bytes
    }

    /// Starts with given areas in place of the boot's own.
    func setAreas(_ areas: [VmallocArea], lazy: [Range<UInt64>]) {
        let layout = VmallocLayout(kernel.layout, cpus: kernel.machine.cpus)
        kernel.vmalloc = VmallocArena(layout, areas: areas, lazy: lazy)
    }

    /// Changes the areas beside the machine's calls.
    func changeVmalloc<Result>(_ change: (inout VmallocArena) -> Result) -> Result {
        kernel.startVmalloc()
        return change(&kernel.vmalloc)
    }

    /// Another process, for calls in its context.
    func addProcess(_ pid: Int) {
        var process = Process(pid: pid, name: "other")
        process.space.end = kernel.layout.userEnd
        kernel.processes.append(process)
    }

    /// The vmalloc area that holds an address.
    func area(at address: UInt64) -> VmapNode {
        kernel.vmalloc.busy[kernel.vmalloc.busy.containing(address)]
    }

    /// A machine in the same state.
    func fork() -> CallMachine { CallMachine(kernel.fork()) }

    private init(_ kernel: consuming Kernel) { self.kernel = kernel }

    var violations: [String] { kernel.checkInvariants(misuse: false) }

    var isPanicked: Bool { kernel.isPanicked }
    var heldBytes: Int { kernel.heldBytes }
    var cacheNames: [String] { kernel.cacheNames }
    func hasCache(_ name: String) -> Bool { kernel.cache(named: name) != nil }

    /// Makes every mark of every checked slab stand in its bytes, as `slub_debug` itself has it.
    func spellOutMarks() { kernel.spellOutMarks() }

    /// Slabs of checked caches whose marks are made up.
    var intactSlabs: Int {
        (0..<kernel.slab.slabLimit).count { number in
            let owner = kernel.slab.slabs[number]
            return owner.isLive && kernel.slab.caches[Int(owner.cache)].isChecked
                && !owner.hasByteLists
        }
    }

    func biography(_ address: UInt64) -> ObjectBiography {
        kernel.biography(of: LinearAddress(rawValue: address))
    }

    func slabs(_ cache: String, from cursor: UInt64, limit: Int) throws -> CacheSlabsView {
        let place = kernel.cache(named: cache)
        return kernel.slabs(of: try #require(place), from: cursor, limit: limit)
    }

    func usage(_ cache: String) -> SlabUsage? { kernel.usage(ofCacheNamed: cache) }

    /// One cache as the API shows it.
    func cache(_ name: String) throws -> CacheStateView {
        let state = kernel.cacheState(named: name, partialLimit: .max)
        return try #require(state)
    }

    /// Pages that belong to slabs.
    var slabPages: UInt64 {
        kernel.nodeViews().reduce(0) {
            $0 + $1.stats[.slabReclaimable] + $1.stats[.slabUnreclaimable]
        }
    }
}

extension CallOutcome {
    /// The returned pointer or number; 0 for NULL and for nothing.
    var word: UInt64 {
        switch result.value {
        case .void: 0
        case .integer(let number): UInt64(bitPattern: number)
        case .unsigned(let number), .pointer(let number): number
        case .boolean(let truth): truth ? 1 : 0
        }
    }

    /// The fact of a name, where the detail has it.
    func fact(_ name: String) -> FactValue? {
        guard case .facts(let facts) = result.detail else { return nil }
        return facts.first { $0.name == name }?.value
    }
}

extension Kernel {
    fileprivate mutating func spellOutMarks() {
        for number in 0..<slab.slabLimit {
            let owner = slab.slabs[number]
            guard owner.isLive, slab.caches[Int(owner.cache)].isChecked else { continue }
            slab.spellOutMarks(of: UInt32(truncatingIfNeeded: number), pages: &pages)
        }
    }
}
