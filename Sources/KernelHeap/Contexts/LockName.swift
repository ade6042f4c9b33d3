/// What a client calls a lock: a name of its own, or the address of its `spinlock_t`.
public enum LockName: Hashable, Sendable {
    case named(String)
    /// In the machine's memory, where the lock's word says whether somebody has it.
    case address(UInt64)

    /// Longer names are cut.
    static let nameLimit = 64

    /// As reports show it; what would break a line of text is escaped.
    public var text: String {
        switch self {
        case .named(let name): CacheName.escaped(name)
        case .address(let address): "0x" + String(address, radix: 16)
        }
    }
}
