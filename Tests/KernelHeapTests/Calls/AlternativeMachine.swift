import KernelHeap
import Testing

/// A machine that is brought to the end of its memory and asked what would have helped.
struct AlternativeMachine: ~Copyable {
    var kernel: Kernel

    init(_ configure: (inout MachineDescription) -> Void = { _ in }) throws {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        configure(&description)
        kernel = try Kernel(description)
    }

    init(forkOf other: inout AlternativeMachine) { kernel = other.kernel.fork() }

    /// Runs a call of the registry.
    @discardableResult
    mutating func call(
        _ name: String,
        _ words: UInt64...,
        texts: [String] = [],
        cpu: Int = 0,
        explaining: Bool = false
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        for (index, text) in texts.enumerated() {
            arguments.set(words.count + index, payload: .text(text))
        }
        let context = CallContext(cpu: cpu)
        return kernel.apply(descriptor, arguments, in: context, explaining: explaining)
    }

    /// Runs a call whose first argument is a name.
    @discardableResult
    mutating func call(
        _ name: String,
        on text: String,
        _ words: UInt64...,
        explaining: Bool = false
    ) throws -> CallOutcome {
        try call(name, text, words, explaining: explaining)
    }

    private mutating func call(
        _ name: String,
        _ text: String,
        _ words: [UInt64],
        explaining: Bool = false
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        arguments.set(0, payload: .text(text))
        for (index, word) in words.enumerated() { arguments.set(index + 1, word: word) }
        return kernel.apply(descriptor, arguments, in: .standard, explaining: explaining)
    }

    /// Repeats a call whose first argument is a name until it gives nothing.
    mutating func exhaust(_ name: String, on text: String, _ words: UInt64...) throws -> [UInt64] {
        var taken: [UInt64] = []
        while let address = try call(name, text, words).pointer { taken.append(address) }
        return taken
    }

    /// Takes blocks until there are no more, and gives their addresses.
    mutating func exhaust(
        order: Int = 0,
        _ flags: GFPFlags = .kernel,
        cpu: Int = 0
    ) throws -> [UInt64] {
        var taken: [UInt64] = []
        let quiet = UInt64(flags.union(.noWarn).rawValue)
        while case .pointer(let address) = try call(
            "__get_free_pages",
            quiet,
            UInt64(order),
            cpu: cpu
        ).result.value, address != 0 {
            taken.append(address)
        }
        return taken
    }

    /// Whether a client sees the same of both machines.
    func looksLike(_ other: borrowing AlternativeMachine) -> Bool {
        let allocations = kernel.allocations(from: 0, limit: 100_000).found
        return kernel.sequence == other.kernel.sequence
            && kernel.log.lines == other.kernel.log.lines
            && kernel.nodeViews() == other.kernel.nodeViews()
            && kernel.cacheViews() == other.kernel.cacheViews()
            && allocations == other.kernel.allocations(from: 0, limit: 100_000).found
            && kernel.heldBytes == other.kernel.heldBytes
    }

    /// Makes the change that an alternative names, with kernel calls alone.
    mutating func apply(_ alternative: Alternative, cpu: Int = 0) throws {
        switch alternative {
        case .flags, .order: break
        case .sysctl(let name, let value):
            let written = try call("sysctl", texts: [name, value], cpu: cpu)
            #expect(written.result.errno == nil)
        case .free(let freed):
            for allocation in freed.allocations {
                if let order = allocation.order {
                    try call(
                        "free_pages",
                        allocation.address.rawValue,
                        UInt64(order),
                        cpu: cpu
                    )
                } else {
                    try call("kfree", allocation.address.rawValue, cpu: cpu)
                }
            }
        }
    }
}

extension CallOutcome {
    /// What the explanation says would have let the call succeed.
    var alternatives: [Alternative] {
        explanation.compactMap { step in
            if case .wouldSucceedIf(let alternative) = step { alternative } else { nil }
        }
    }

    /// The address that the call gave; nil for NULL.
    var pointer: UInt64? {
        guard case .pointer(let address) = result.value, address != 0 else { return nil }
        return address
    }

    var isNull: Bool { result.value == .pointer(0) || result.value == .unsigned(0) }

    func variation(_ wanted: FlagVariation) -> GFPFlags? {
        for case .flags(wanted, let flags) in alternatives { return flags }
        return nil
    }

    var order: Int? {
        for case .order(let order, _) in alternatives { return order }
        return nil
    }

    var freed: FreedMemory? {
        for case .free(let freed) in alternatives { return freed }
        return nil
    }

    func sysctl(_ wanted: String) -> String? {
        for case .sysctl(wanted, let value) in alternatives { return value }
        return nil
    }
}
