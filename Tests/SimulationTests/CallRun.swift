import KernelHeap
import Testing

/// A kernel call as a value that can be run again.
struct RecordedCall {
    let descriptor: CallDescriptor
    let arguments: CallArguments
    let context: CallContext
}

/// A machine, the calls that it ran, and what it answered.
final class CallRun {
    private(set) var kernel: Kernel
    private(set) var calls: [RecordedCall] = []

    init(_ description: MachineDescription) throws { kernel = try Kernel(description) }

    init(forking other: CallRun) {
        kernel = other.kernel.fork()
        calls = other.calls
    }

    /// Runs a call of the registry on words alone.
    @discardableResult
    func call(
        _ name: String,
        _ words: UInt64...,
        bytes: [UInt8]? = nil,
        cpu: Int = 0
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        if let bytes { arguments.set(words.count, payload: .bytes(bytes)) }
        return run(
            RecordedCall(
                descriptor: descriptor,
                arguments: arguments,
                context: CallContext(cpu: cpu)
            )
        )
    }

    func run(_ call: RecordedCall, explaining: Bool = false) -> CallOutcome {
        if Simulation.isTraced {
            print(call.descriptor.signature.name, call.arguments.text, call.context)
        }
        calls.append(call)
        return kernel.apply(
            call.descriptor,
            call.arguments,
            in: call.context,
            explaining: explaining
        )
    }

    func violations(misuse: Bool) -> [String] { kernel.checkInvariants(misuse: misuse) }
}

extension CallArguments {
    /// The words in hexadecimal and the lengths of the payloads.
    var text: String {
        let words = (0..<Self.capacity).filter { has($0) }.map { String(word($0), radix: 16) }
        return words.joined(separator: " ") + (payloads.isEmpty ? "" : " + \(payloads.count)")
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

    /// Every field, for comparing two outcomes.
    var everything: String {
        "\(sequence) \(result.value) \(result.errno as Any) \(result.detail) \(Array(log)) "
            + "\(explanation)"
    }
}
