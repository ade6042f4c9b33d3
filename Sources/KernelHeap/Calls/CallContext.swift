/// Where a kernel call runs: on which CPU, in which kind of context, for which process.
public struct CallContext: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case process, softirq, tasklet, hardirq, nmi
    }

    /// What keeps the caller from giving up the processor, beside the kind of context.
    struct State: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        /// A spinlock is held or preemption is off.
        static let atomic = State(rawValue: 1)
        /// Soft interrupts are kept off: `in_interrupt()` is true.
        static let softirqsOff = State(rawValue: 2)
        static let interruptsOff = State(rawValue: 4)
        /// Inside `rcu_read_lock()`, which may be preempted and must not sleep.
        static let reader = State(rawValue: 8)
    }

    public var cpu: Int
    public var kind: Kind
    /// What the call's own context says, and what the calls before it left.
    var state: State
    /// The caller said which process it is; otherwise it is the one that its CPU keeps.
    public var isTaskNamed: Bool
    /// The process whose user space the call sees.
    public var pid: Int

    public init(cpu: Int = 0, kind: Kind = .process, isAtomic: Bool = false, pid: Int? = nil) {
        self.cpu = cpu
        self.kind = kind
        state = isAtomic ? .atomic : []
        isTaskNamed = pid != nil
        self.pid = pid ?? 1
    }

    /// A spinlock is held or preemption is off.
    public var isAtomic: Bool {
        get { state.contains(.atomic) }
        set { if newValue { state.insert(.atomic) } else { state.remove(.atomic) } }
    }

    /// Whether the caller may give up the processor.
    public var canSleep: Bool { kind == .process && state.isEmpty }

    /// `in_atomic()`: the preemption count is not 0.
    var isInAtomic: Bool { kind != .process || !state.isDisjoint(with: [.atomic, .softirqsOff]) }
    /// `in_interrupt()`.
    var isInInterrupt: Bool { kind != .process || state.contains(.softirqsOff) }
    /// `irqs_disabled()`.
    var areInterruptsOff: Bool {
        kind == .hardirq || kind == .nmi || state.contains(.interruptsOff)
    }

    /// Process context on CPU 0 as the first process.
    public static let standard = CallContext()
}
