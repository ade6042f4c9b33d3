/// A function that was used where it must not be, or an end without its beginning.
public struct WrongContext: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        /// It may give up the processor, which its caller must keep.
        case sleeps
        /// A lock was given back that its holder is another, or nobody.
        case lockNotHeld = "lock_not_held"
        /// The preemption count, a handler or a reader ended more often than it began.
        case unbalanced
        /// What was saved first was restored before what was saved later.
        case outOfOrder = "out_of_order"
    }

    /// A lock of the CPU or the task.
    public struct Lock: Hashable, Sendable {
        public var name: String
        /// The call that took it.
        public var call: UInt64
    }

    public var reason: Reason
    /// File and line, or the function.
    public var place: String
    public var preemptCount: UInt32
    public var areInterruptsOff: Bool
    /// `rcu_read_lock()` without an end yet.
    public var readDepth: Int
    /// In the order in which they were taken.
    public var locks: [Lock]

    var facts: [Fact] {
        [
            Fact("address", .null), Fact("reason", .text(reason.rawValue)),
            Fact("at", .text(place)),
            Fact("preempt_count", .address(UInt64(preemptCount))),
            Fact("irqs_disabled", .boolean(areInterruptsOff)),
            Fact("rcu_nest_depth", .number(Int64(readDepth))),
            Fact(
                "locks",
                .list(
                    locks.map {
                        .facts([Fact("lock", .text($0.name)), Fact("call", .count($0.call))])
                    }
                )
            ), Fact("place", .null),
        ]
    }

    var sentence: String {
        switch reason {
        case .sleeps:
            "\(place) may sleep, and the caller must not: \(causes.joined(separator: ", "))."
        case .lockNotHeld: "\(place) gives back a lock that its caller does not hold."
        case .unbalanced: "\(place) ends what was not begun."
        case .outOfOrder: "\(place) restores what was saved before something that still is."
        }
    }

    private var causes: [String] {
        var causes: [String] = []
        if preemptCount & 0xf0_0000 != 0 {
            causes.append("it runs in an NMI")
        } else if preemptCount & 0xf_0000 != 0 {
            causes.append("it runs in a hard interrupt")
        } else if preemptCount & 0x100 != 0 {
            causes.append("it runs in a soft interrupt")
        }
        if preemptCount & 0xfe00 != 0 { causes.append("soft interrupts are off") }
        if !locks.isEmpty {
            causes.append("it holds \(locks.map(\.name).joined(separator: ", "))")
        } else if preemptCount & 0xff != 0 {
            causes.append("preemption is off")
        }
        if areInterruptsOff, preemptCount & 0xff_0000 == 0 { causes.append("interrupts are off") }
        if readDepth > 0 { causes.append("it is inside rcu_read_lock()") }
        return causes.isEmpty ? ["preemption is off"] : causes
    }
}
