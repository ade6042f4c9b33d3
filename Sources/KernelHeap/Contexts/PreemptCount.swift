/// `preempt_count()`: why a CPU cannot be given up, as fields of one word.
///
///     bit   20…23   16…19     8…15      0…7
///           NMI     hardirq   softirq   preemption
///
/// A handler of soft interrupts counts one in its field, whoever keeps them off counts two. The
/// highest bit says something else on x86, so that a count which falls below zero is 0x7fffffff.
/// Follows `include/linux/preempt.h`, 6.1; the classic kernel's fields are shown the same way.
struct PreemptCount: Hashable, Sendable {
    /// `PREEMPT_OFFSET`.
    static let preemption: UInt32 = 1
    /// `SOFTIRQ_OFFSET`: a handler runs.
    static let softirq: UInt32 = 0x100
    /// `SOFTIRQ_DISABLE_OFFSET`: handlers are kept off.
    static let softirqDisabled: UInt32 = 0x200
    /// `HARDIRQ_OFFSET`.
    static let hardirq: UInt32 = 0x1_0000
    /// `NMI_OFFSET` and the hard interrupt that it counts as.
    static let nmi: UInt32 = 0x11_0000

    private static let fields: [UInt32] = [0xff, 0xff00, 0xf_0000, 0xf0_0000]
    private static let mask: UInt32 = 0x7fff_ffff

    private(set) var rawValue: UInt32 = 0

    mutating func add(_ amount: UInt32) { rawValue = (rawValue &+ amount) & Self.mask }

    /// Takes an amount away, below zero if need be.
    mutating func subtract(_ amount: UInt32) { rawValue = (rawValue &- amount) & Self.mask }

    /// Whether each field has what an amount takes from it.
    func holds(_ amount: UInt32) -> Bool {
        Self.fields.allSatisfy { rawValue & $0 >= amount & $0 }
    }

    /// `in_atomic()`.
    var isAtomic: Bool { rawValue != 0 }
    /// `in_interrupt()`: in a handler, or soft interrupts are kept off.
    var isInterrupt: Bool { rawValue & 0xff_ff00 != 0 }
    /// `in_softirq()`.
    var isSoftirq: Bool { rawValue & 0xff00 != 0 }
    /// Soft interrupts are kept off, by one who is no handler of theirs.
    var areSoftirqsOff: Bool { rawValue & 0xfe00 != 0 }

    /// How often preemption is off.
    var preemptionDepth: Int { Int(rawValue & 0xff) }

    /// What the CPU runs: the innermost handler.
    var kind: CallContext.Kind {
        if rawValue & 0xf0_0000 != 0 { return .nmi }
        if rawValue & 0xf_0000 != 0 { return .hardirq }
        return rawValue & Self.softirq != 0 ? .softirq : .process
    }
}

extension CallContext.Kind {
    /// What entering such a context adds.
    var preemptCount: UInt32 {
        switch self {
        case .process: 0
        case .softirq, .tasklet: PreemptCount.softirq
        case .hardirq: PreemptCount.hardirq
        case .nmi: PreemptCount.nmi
        }
    }

    /// The higher interrupts the lower.
    var depth: Int {
        switch self {
        case .process: 0
        case .softirq, .tasklet: 1
        case .hardirq: 2
        case .nmi: 3
        }
    }
}
