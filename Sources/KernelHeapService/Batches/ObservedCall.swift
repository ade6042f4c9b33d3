internal import KernelHeap

/// What a call of a list did, for comparing one run of the list with another.
struct ObservedCall {
    /// The place in the list, from 0.
    let item: Int
    let function: String
    let sequence: UInt64
    let value: ReturnValue
    let errno: Errno?
    let injected: [InjectedFault]
    /// Names of forced failures that the call used as if they had succeeded.
    private(set) var unlooked: [String] = []

    init(_ outcome: borrowing CallOutcome, of call: PreparedCall, item: Int) {
        self.item = item
        function = call.name
        sequence = outcome.sequence
        value = outcome.result.value
        errno = outcome.result.errno
        injected = outcome.injected
    }

    func using(_ names: [String]) -> ObservedCall {
        var call = self
        call.unlooked = names
        return call
    }

    /// Whether the call failed because it was made to: it returned NULL or an error.
    var isForcedFailure: Bool { !injected.isEmpty && isFailure }

    private var isFailure: Bool {
        switch value {
        case .pointer(let word): word == 0 || word > UInt64.max - 4_095
        case .integer(let number): number < 0
        case .boolean(let truth): !truth
        case .void, .unsigned: false
        }
    }

    /// Whether the result is another one than in the other run.
    ///
    /// Addresses shift where an allocation is missing: two that are no failures are alike.
    func differs(from other: ObservedCall) -> Bool {
        guard errno == other.errno else { return true }
        if case .pointer = value, case .pointer = other.value {
            return isFailure != other.isFailure
        }
        return value != other.value
    }

    /// The names that an item refers to: `"$name"`, `"$name+8"`.
    static func references(in value: JSONValue, depth: Int = 0) -> [String] {
        switch value.kind {
        case .string:
            guard value.text.first == UInt8(ascii: "$") else { return [] }
            let body = value.text.dropFirst(1)
            let end =
                body.firstIndex(of: UInt8(ascii: "+")) ?? body.firstIndex(of: UInt8(ascii: "-"))
                ?? body.count
            return [String(body[0..<end])]
        case .array, .object:
            guard depth < 4 else { return [] }
            return value.children.flatMap { references(in: $0, depth: depth + 1) }
        default: return []
        }
    }
}
