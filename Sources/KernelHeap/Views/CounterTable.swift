/// A counter that the kernel prints by name.
///
/// The order of the cases is the order in the kernel's text.
public protocol NamedCounter: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

/// Counters of one place, each present one printed even when it is 0.
public struct CounterTable<Counter: NamedCounter>: Hashable, Sendable {
    /// The counters that this machine has, in the kernel's order.
    public let counters: [Counter]
    private var values: [Counter: UInt64] = [:]

    /// A table of zeros.
    ///
    /// - Parameter isPresent: which counters this machine has.
    public init(where isPresent: (Counter) -> Bool = { _ in true }) {
        counters = Counter.allCases.filter(isPresent)
    }

    /// A counter's value; 0 where it was never set.
    public subscript(counter: Counter) -> UInt64 {
        get { values[counter] ?? 0 }
        set { values[counter] = newValue }
    }
}
