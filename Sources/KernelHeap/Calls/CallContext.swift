/// Where a kernel call runs: on which CPU, in which kind of context, for which process.
public struct CallContext: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case process, softirq, tasklet, hardirq, nmi
    }

    public var cpu: Int
    public var kind: Kind
    /// A spinlock is held or preemption is off.
    public var isAtomic: Bool
    /// The process whose user space the call sees.
    public var pid: Int

    public init(cpu: Int = 0, kind: Kind = .process, isAtomic: Bool = false, pid: Int = 1) {
        self.cpu = cpu
        self.kind = kind
        self.isAtomic = isAtomic
        self.pid = pid
    }

    /// Whether the caller may give up the processor.
    public var canSleep: Bool { kind == .process && !isAtomic }

    /// Process context on CPU 0 as the first process.
    public static let standard = CallContext()
}
