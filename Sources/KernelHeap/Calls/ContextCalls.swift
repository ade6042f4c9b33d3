/// What a CPU keeps off, handlers that begin and end, and questions about both.
let contextCalls: [any KernelCall.Type] =
    [
        PreemptDisable.self, PreemptEnable.self, LocalIRQDisable.self, LocalIRQEnable.self,
        LocalIRQSave.self, LocalIRQRestore.self, LocalBHDisable.self, LocalBHEnable.self,
        IRQEnter.self, IRQExit.self, NMIEnter.self, NMIExit.self, SoftirqHandleBegin.self,
        SoftirqHandleEnd.self,
    ] + contextQueryCalls

extension Kernel {
    /// Where the CPU stands after a call.
    func contextFacts(_ context: CallContext) -> [Fact] {
        let cpu = contexts.cpus[context.cpu]
        return [
            Fact("cpu", .number(Int64(context.cpu))),
            Fact("preempt_count", .address(UInt64(cpu.count.rawValue))),
            Fact("irqs_disabled", .boolean(cpu.areInterruptsOff)),
            Fact("rcu_nest_depth", .number(Int64(readDepth(context)))),
        ]
    }

    /// The result of a call that changed it.
    func contextResult(_ value: ReturnValue = .void, _ context: CallContext) -> CallResult {
        CallResult(value, detail: .facts(contextFacts(context)))
    }
}

/// A call without arguments that changes what its CPU keeps.
protocol CPUStateCall: KernelCall {
    static func change(_ kernel: inout Kernel, in context: CallContext)
    init()
}

extension CPUStateCall {
    init(_ arguments: borrowing CallArguments) { self.init() }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        Self.change(&kernel, in: context)
        return kernel.contextResult(.void, context)
    }
}

/// The call `void preempt_disable(void)`.
struct PreemptDisable: CPUStateCall {
    static let signature = CallSignature(
        "preempt_disable",
        returns: "void",
        [],
        "Keeps the CPU for its task: nothing may sleep until preempt_enable()."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.changeCPU(context) { $0.count.add(PreemptCount.preemption) }
    }
}

/// The call `void preempt_enable(void)`.
struct PreemptEnable: CPUStateCall {
    static let signature = CallSignature(
        "preempt_enable",
        returns: "void",
        [],
        "Ends one preempt_disable()."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.leavePreemption(PreemptCount.preemption, signature.name, in: context)
    }
}

/// The call `void local_irq_disable(void)`.
struct LocalIRQDisable: CPUStateCall {
    static let signature = CallSignature(
        "local_irq_disable",
        returns: "void",
        [],
        "Switches the CPU's interrupts off."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.changeCPU(context) { $0.areInterruptsOff = true }
    }
}

/// The call `void local_irq_enable(void)`.
struct LocalIRQEnable: CPUStateCall {
    static let signature = CallSignature(
        "local_irq_enable",
        returns: "void",
        [],
        "Switches the CPU's interrupts on, however often they were switched off."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.restoreInterrupts(nil, in: context)
    }
}

/// The call `local_irq_save(flags)`.
struct LocalIRQSave: KernelCall {
    static let signature = CallSignature(
        "local_irq_save",
        returns: "unsigned long",
        [],
        "Switches interrupts off; the result is the processor's flags before, for the restore."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let flags = kernel.interruptFlags(in: context)
        kernel.changeCPU(context) { $0.areInterruptsOff = true }
        return kernel.contextResult(.unsigned(flags), context)
    }
}

/// The call `local_irq_restore(flags)`.
struct LocalIRQRestore: KernelCall {
    static let signature = CallSignature(
        "local_irq_restore",
        returns: "void",
        [savedFlagsParameter],
        "Switches interrupts on where the flags had them on; 2.6 also off where they were off."
    )

    var flags: UInt64

    init(_ arguments: borrowing CallArguments) { flags = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.restoreInterrupts(flags, in: context)
        return kernel.contextResult(.void, context)
    }
}

/// What a `…_save` function returned.
let savedFlagsParameter = Parameter("flags", .size, "What the function that saved them returned.")

/// The call `void local_bh_disable(void)`.
struct LocalBHDisable: CPUStateCall {
    static let signature = CallSignature(
        "local_bh_disable",
        returns: "void",
        [],
        "Keeps soft interrupts off the CPU: in_interrupt() becomes true, and nothing may sleep."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.changeCPU(context) { $0.count.add(PreemptCount.softirqDisabled) }
    }
}

/// The call `void local_bh_enable(void)`.
struct LocalBHEnable: CPUStateCall {
    static let signature = CallSignature(
        "local_bh_enable",
        returns: "void",
        [],
        "Ends one local_bh_disable()."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.leavePreemption(PreemptCount.softirqDisabled, signature.name, in: context)
    }
}

/// The call `void irq_enter(void)`.
struct IRQEnter: CPUStateCall {
    static let signature = CallSignature(
        "irq_enter",
        returns: "void",
        [],
        "A hard interrupt comes in: the calls that follow on this CPU are its handler's."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.changeCPU(context) { $0.enter(PreemptCount.hardirq) }
    }
}

/// The call `void irq_exit(void)`.
struct IRQExit: CPUStateCall {
    static let signature = CallSignature(
        "irq_exit",
        returns: "void",
        [],
        "The handler of a hard interrupt returns; the task that it interrupted goes on."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.leaveHandler(PreemptCount.hardirq, signature.name, in: context)
    }
}

/// The call `void nmi_enter(void)`.
struct NMIEnter: CPUStateCall {
    static let signature = CallSignature(
        "nmi_enter",
        returns: "void",
        [],
        "A non-maskable interrupt comes in."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.changeCPU(context) { $0.enter(PreemptCount.nmi) }
    }
}

/// The call `void nmi_exit(void)`.
struct NMIExit: CPUStateCall {
    static let signature = CallSignature(
        "nmi_exit",
        returns: "void",
        [],
        "Its handler returns; outside of one it is a BUG."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        guard kernel.contexts.cpus[context.cpu].count.kind == .nmi else {
            kernel.noteWrongContext(.unbalanced, signature.name, in: context)
            return kernel.log.bug(
                at: "arch/x86/kernel/nmi.c:549",
                in: "exc_nmi+0x13c/0x150",
                context
            )
        }
        kernel.leaveHandler(PreemptCount.nmi, signature.name, in: context)
    }
}

/// The function `softirq_handle_begin()` of `kernel/softirq.c`.
struct SoftirqHandleBegin: CPUStateCall {
    static let signature = CallSignature(
        "softirq_handle_begin",
        returns: "void",
        [],
        "Handlers of soft interrupts, tasklets among them, begin to run on the CPU."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.changeCPU(context) { $0.enter(PreemptCount.softirq) }
    }
}

/// The function `softirq_handle_end()` of `kernel/softirq.c`.
struct SoftirqHandleEnd: CPUStateCall {
    static let signature = CallSignature(
        "softirq_handle_end",
        returns: "void",
        [],
        "They are done."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.leaveHandler(PreemptCount.softirq, signature.name, in: context)
    }
}

extension Kernel {
    /// The innermost handler returns, if it is of the kind that ends; else the count goes down as it
    /// does after a handler that nobody entered.
    fileprivate mutating func leaveHandler(
        _ amount: UInt32,
        _ function: String,
        in context: CallContext
    ) {
        var isSound = false
        changeCPU(context) { isSound = $0.leave(amount) }
        if !isSound { leavePreemption(amount, function, in: context) }
    }
}
