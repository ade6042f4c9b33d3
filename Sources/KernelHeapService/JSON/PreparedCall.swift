internal import KernelHeap

/// A kernel call of the registry with what reading and writing it needs, worked out once.
final class PreparedCall: Sendable {
    let descriptor: CallDescriptor
    let parameters: [PreparedParameter]
    /// Bit i is set when parameter i may not be left out.
    let requiredMask: UInt8
    /// Bit i is set when the call's time grows with parameter i.
    let workMask: UInt8
    /// What stands before the return value: `,"call":"kmalloc","return":`.
    let fragment: [UInt8]

    var name: String { descriptor.signature.name }
    var parameterNames: [String] { parameters.map(\.name) }

    init(_ descriptor: CallDescriptor) {
        self.descriptor = descriptor
        let known = descriptor.signature.parameters.prefix(CallArguments.capacity)
        parameters = known.map { PreparedParameter($0) }
        var mask: UInt8 = 0
        for (index, parameter) in known.enumerated() where !parameter.isOptional {
            mask |= 1 << UInt8(truncatingIfNeeded: index)
        }
        requiredMask = mask
        var work: UInt8 = 0
        for (index, parameter) in known.enumerated() where parameter.isWork {
            work |= 1 << UInt8(truncatingIfNeeded: index)
        }
        workMask = work
        fragment = Array(",\"call\":\"\(descriptor.signature.name)\",\"return\":".utf8)
    }

    /// The position of the parameter called `name`.
    func position(of name: ByteSlice) -> Int? {
        for index in parameters.indices where name == parameters[index].nameBytes { return index }
        return nil
    }
}

/// A parameter with its name as bytes and, for sets of named bits, the table of names.
///
/// A class, as every argument that is read hands it on: copies would count each of its fields.
final class PreparedParameter: Sendable {
    let name: String
    let nameBytes: [UInt8]
    let type: ParameterType
    let flagNames: NameTable?
    /// The largest number, list or byte count that the service runs.
    let maximum: UInt64?
    /// Has its bits on every machine.
    let isFixedWidth: Bool

    init(_ parameter: Parameter) {
        name = parameter.name
        nameBytes = Array(parameter.name.utf8)
        type = parameter.type
        maximum = parameter.maximum
        isFixedWidth = parameter.isFixedWidth
        if case .names(let set) = parameter.type {
            flagNames = NameTable(set.names.map(\.name))
        } else {
            flagNames = nil
        }
    }
}

/// Every kernel call of the registry, found by the bytes of its name.
struct CallTable: Sendable {
    let calls: [PreparedCall]
    let names: NameTable

    /// That of the registry, for who has no other at hand.
    static let shared = CallTable()

    init(_ descriptors: [CallDescriptor] = CallRegistry.all) {
        calls = descriptors.map(PreparedCall.init)
        names = NameTable(descriptors.map(\.signature.name))
    }

    /// The call of that name.
    ///
    /// - Throws: `unknown-function`, naming the nearest functions.
    func find(_ name: ByteSlice, at pointer: String? = nil) throws(Problem) -> PreparedCall {
        if let position = names.position(of: name) { return calls[position] }
        throw Problem(.unknownFunction, "no function \"\(shortened(name))\"", at: pointer)
            .suggesting(name, from: names.names)
    }
}
