/// Which function each of the newest calls ran: two bytes a call, in a ring.
///
/// Objects and warnings note call numbers; this gives them their names.
struct RecentCalls: ~Copyable, Sendable {
    /// Most calls that a machine remembers.
    static let limit = 1 << 18
    /// Stands for a place of the registry that two bytes do not hold; there are fewer calls.
    private static let unnamed = UInt16.max

    private var functions = ChunkedColumn<UInt16>(count: RecentCalls.limit)

    init() {}

    private init(forkOf other: inout RecentCalls) { functions = other.functions.fork() }

    mutating func fork() -> RecentCalls { RecentCalls(forkOf: &self) }

    var heldBytes: Int { functions.heldBytes }

    /// Notes the newest call; call numbers come one after the other, from 1.
    mutating func note(_ function: Int, call: UInt64) {
        let place = Int((call &- 1) % UInt64(Self.limit))
        functions[place] = UInt16(exactly: function) ?? Self.unnamed
    }

    /// The function that a call ran.
    ///
    /// - Parameters:
    ///   - call: the call's number.
    ///   - newest: the number of the newest call.
    /// - Returns: the name; nil for a call that is too old, or that there was not.
    func function(of call: UInt64, newest: UInt64) -> String? {
        guard call > 0, call <= newest, newest - call < UInt64(Self.limit) else { return nil }
        let place = Int((call - 1) % UInt64(Self.limit))
        let index = Int(functions[place])
        return index < CallRegistry.all.count ? CallRegistry.all[index].signature.name : nil
    }
}

extension Kernel {
    /// The C name of the function that a call ran; nil for calls too old to be remembered.
    public func function(ofCall call: UInt64) -> String? {
        recentCalls.function(of: call, newest: sequence)
    }
}
