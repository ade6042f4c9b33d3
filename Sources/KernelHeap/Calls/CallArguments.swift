/// The arguments of one kernel call, decoded and in the order of its signature.
///
/// Everything that fits a register is a word; bytes, strings and lists are payloads. A call with
/// only words costs no allocation. The pair of call name and `CallArguments` is the serialisable
/// value that routes, batches and replay carry.
public struct CallArguments: Sendable {
    /// No call has more parameters.
    public static let capacity = 8

    @usableFromInline var words: InlineArray<8, UInt64>
    /// Bit i is set when parameter i was given.
    @usableFromInline var present: UInt8
    /// Bit i is set when word i is the place of a payload.
    private var hasPayload: UInt8
    /// Payload i belongs to the parameter whose word is i.
    public internal(set) var payloads: [ArgumentPayload]

    public init() {
        words = InlineArray(repeating: 0)
        present = 0
        hasPayload = 0
        payloads = []
    }

    /// Whether parameter `index` was given.
    @inlinable
    public func has(_ index: Int) -> Bool { present & (1 << UInt8(truncatingIfNeeded: index)) != 0 }

    /// The word of parameter `index`; 0 where it was left out.
    @inlinable
    public func word(_ index: Int) -> UInt64 { words[index] }

    @inlinable
    public mutating func set(_ index: Int, word: UInt64) {
        words[index] = word
        present |= 1 << UInt8(truncatingIfNeeded: index)
    }

    public mutating func set(_ index: Int, payload: ArgumentPayload) {
        set(index, word: UInt64(payloads.count))
        hasPayload |= 1 << UInt8(truncatingIfNeeded: index)
        payloads.append(payload)
    }

    public func address(_ index: Int) -> LinearAddress { LinearAddress(rawValue: words[index]) }
    public func gfp(_ index: Int) -> GFPFlags {
        GFPFlags(rawValue: UInt32(truncatingIfNeeded: words[index]))
    }
    public func uint(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: words[index]) }
    public func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: words[index]) }
    public func flag(_ index: Int) -> Bool { words[index] != 0 }

    public func bytes(_ index: Int) -> [UInt8] {
        if case .bytes(let bytes)? = payload(index) { return bytes }
        return []
    }
    public func text(_ index: Int) -> String {
        if case .text(let text)? = payload(index) { return text }
        return ""
    }
    /// A C string: itself, or where it lies; nil where it was left out or is NULL.
    public func string(_ index: Int) -> StringArgument? {
        if case .text(let text)? = payload(index) { return .text(text) }
        return words[index] == 0 ? nil : .address(words[index])
    }
    public func addresses(_ index: Int) -> [UInt64] {
        if case .words(let words)? = payload(index) { return words }
        return []
    }

    public func driver(_ index: Int) -> DriverScript {
        if case .driver(let script)? = payload(index) { return script }
        return DriverScript()
    }

    /// A cache: by name where one was given, else by the address of its `struct kmem_cache`.
    public func cache(_ index: Int) -> CacheArgument {
        if case .text(let name)? = payload(index) { return .name(name) }
        return .address(words[index])
    }

    /// A device: by name where one was given, else by the address of its `struct device`.
    public func device(_ index: Int) -> DeviceArgument {
        if case .text(let name)? = payload(index) { return .name(name) }
        return .address(words[index])
    }

    /// A lock: by name where one was given, else by its address.
    public func lock(_ index: Int) -> LockName {
        if case .text(let name)? = payload(index) {
            return .named(String(name.prefix(LockName.nameLimit)))
        }
        return .address(words[index])
    }

    private func payload(_ index: Int) -> ArgumentPayload? {
        guard hasPayload & (1 << UInt8(truncatingIfNeeded: index)) != 0,
            words[index] < UInt64(payloads.count)
        else { return nil }
        return payloads[Int(words[index])]
    }
}

/// How a call names a cache.
public enum CacheArgument: Hashable, Sendable {
    case name(String)
    case address(UInt64)
}

/// A C string that a call is given.
public enum StringArgument: Hashable, Sendable {
    case text(String)
    /// Of its first byte, in kernel memory.
    case address(UInt64)

    var text: String? { if case .text(let text) = self { text } else { nil } }
}

/// How a call names a device.
public enum DeviceArgument: Hashable, Sendable {
    case name(String)
    case address(UInt64)
}

/// An argument that does not fit a register.
public enum ArgumentPayload: Hashable, Sendable {
    case bytes([UInt8])
    case text(String)
    case words([UInt64])
    case driver(DriverScript)
}
