internal import Synchronization

/// Bytes that many holders share up to a limit.
final class ByteBudget: Sendable {
    private let used = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes bytes; false where they would exceed the limit.
    func take(_ bytes: Int) -> Bool {
        let before = used.add(bytes, ordering: .relaxed).oldValue
        guard before + bytes <= limit else {
            used.subtract(bytes, ordering: .relaxed)
            return false
        }
        return true
    }

    func give(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}
