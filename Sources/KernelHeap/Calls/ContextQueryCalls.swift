/// Questions about where a call runs.
let contextQueryCalls: [any KernelCall.Type] = [
    InAtomic.self, InInterrupt.self, InTask.self, InSoftirq.self, InHardirq.self, InNMI.self,
    IRQsDisabled.self, PreemptCountCall.self, Preemptible.self,
]

/// A call without arguments that asks about its context.
protocol ContextQuery: KernelCall {
    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64
    init()
}

extension ContextQuery {
    init(_ arguments: borrowing CallArguments) { self.init() }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.unsigned(Self.answer(kernel, in: context)))
    }
}

extension Kernel {
    fileprivate func count(_ context: CallContext) -> PreemptCount {
        var count = PreemptCount()
        count.add(preemptCount(context))
        return count
    }
}

/// The call `in_atomic()`.
struct InAtomic: ContextQuery {
    static let signature = CallSignature(
        "in_atomic",
        returns: "bool",
        [],
        "Whether the preemption count is not 0; interrupts that are off do not show in it."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.count(context).isAtomic ? 1 : 0
    }
}

/// The call `in_interrupt()`.
struct InInterrupt: ContextQuery {
    static let signature = CallSignature(
        "in_interrupt",
        returns: "bool",
        [],
        "Whether a handler runs, or soft interrupts are kept off."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.count(context).isInterrupt ? 1 : 0
    }
}

/// The call `in_task()`.
struct InTask: ContextQuery {
    static let signature = CallSignature(
        "in_task",
        returns: "bool",
        [],
        "Whether a task runs, and no handler."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.count(context).kind == .process ? 1 : 0
    }
}

/// The call `in_softirq()`.
struct InSoftirq: ContextQuery {
    static let signature = CallSignature(
        "in_softirq",
        returns: "bool",
        [],
        "Whether a soft interrupt is handled or kept off."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.count(context).isSoftirq ? 1 : 0
    }
}

/// The call `in_hardirq()`.
struct InHardirq: ContextQuery {
    static let signature = CallSignature(
        "in_hardirq",
        returns: "bool",
        [],
        "Whether a hard interrupt is handled."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.count(context).rawValue & 0xf_0000 != 0 ? 1 : 0
    }
}

/// The call `in_nmi()`.
struct InNMI: ContextQuery {
    static let signature = CallSignature(
        "in_nmi",
        returns: "bool",
        [],
        "Whether a non-maskable interrupt is handled."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.count(context).kind == .nmi ? 1 : 0
    }
}

/// The call `irqs_disabled()`.
struct IRQsDisabled: ContextQuery {
    static let signature = CallSignature(
        "irqs_disabled",
        returns: "bool",
        [],
        "Whether the CPU's interrupts are off."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        context.areInterruptsOff ? 1 : 0
    }
}

/// The call `int preempt_count(void)`.
struct PreemptCountCall: ContextQuery {
    static let signature = CallSignature(
        "preempt_count",
        returns: "int",
        [],
        "Why the CPU cannot be given up: bits 0 to 7 preemption, 8 soft and 16 hard interrupts, 20 NMI."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        UInt64(kernel.preemptCount(context))
    }
}

/// The call `preemptible()`.
struct Preemptible: ContextQuery {
    static let signature = CallSignature(
        "preemptible",
        returns: "bool",
        [],
        "Whether another task may take the CPU: the preemption count is 0 and interrupts are on."
    )

    static func answer(_ kernel: borrowing Kernel, in context: CallContext) -> UInt64 {
        kernel.preemptCount(context) == 0 && !context.areInterruptsOff ? 1 : 0
    }
}
