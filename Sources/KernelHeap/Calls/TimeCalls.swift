/// Giving up the processor, and the machine's clock.
let timeCalls: [any KernelCall.Type] = [
    MightSleep.self, CondResched.self, Schedule.self, Msleep.self, Jiffies.self,
    KtimeGetNs.self, AdvanceTime.self,
]

extension Kernel {
    fileprivate var clockFacts: [Fact] {
        [
            Fact("nanoseconds", .number(Int64(clamping: clock.nanoseconds))),
            Fact("jiffies", .address(clock.jiffies(is32Bit: layout.is32Bit))),
        ]
    }
}

/// The macro `might_sleep()`.
struct MightSleep: KernelCall {
    static let signature = CallSignature(
        "might_sleep",
        returns: "void",
        [],
        "Says that the caller may sleep here: reported where it must not."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if !context.canSleep { kernel.reportSleep(at: kernel.callerPlace, in: context) }
        return .void
    }
}

/// The call `int cond_resched(void)`.
struct CondResched: KernelCall {
    static let signature = CallSignature(
        "cond_resched",
        returns: "int",
        [],
        "Lets others run if the caller may; reported where it must not sleep."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard context.canSleep else {
            kernel.reportSleep(at: kernel.callerPlace, in: context)
            return CallResult(.integer(0))
        }
        kernel.runBackgroundWork(in: context)
        return CallResult(.integer(0))
    }
}

/// The call `void schedule(void)`.
struct Schedule: KernelCall {
    static let signature = CallSignature(
        "schedule",
        returns: "void",
        [],
        "Gives up the CPU: what waits in the background runs. A BUG where the CPU must be kept."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.schedule(in: context)
        kernel.runBackgroundWork(in: context)
        return kernel.contextResult(.void, context)
    }
}

/// The call `void msleep(unsigned int msecs)`.
struct Msleep: KernelCall {
    static let signature = CallSignature(
        "msleep",
        returns: "void",
        [Parameter("msecs", .uint, "Milliseconds; the next tick after them wakes the caller.")],
        "Sleeps: the machine's clock goes on, and others run."
    )

    var milliseconds: UInt32

    init(_ arguments: borrowing CallArguments) { milliseconds = arguments.uint(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.schedule(in: context)
        let ticks = (UInt64(milliseconds) * MachineClock.ticksPerSecond + 999) / 1_000 + 1
        let passed = kernel.clock.nanoseconds % MachineClock.tick
        kernel.clock.advance(by: ticks * MachineClock.tick - passed)
        kernel.runBackgroundWork(in: context)
        return CallResult(.void, detail: .facts(kernel.clockFacts))
    }
}

/// The variable `jiffies`.
struct Jiffies: KernelCall {
    static let signature = CallSignature(
        "jiffies",
        returns: "unsigned long",
        [],
        "The kernel's count of ticks, 250 a second; it begins five minutes before 32 bits wrap."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(
            .unsigned(kernel.clock.jiffies(is32Bit: kernel.layout.is32Bit)),
            detail: .facts(kernel.clockFacts)
        )
    }
}

/// The call `u64 ktime_get_ns(void)`.
struct KtimeGetNs: KernelCall {
    static let signature = CallSignature(
        "ktime_get_ns",
        returns: "u64",
        [],
        "The machine's clock: nanoseconds since boot."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.unsigned(kernel.clock.nanoseconds))
    }
}

/// Lets time go by with nobody calling.
struct AdvanceTime: KernelCall {
    static let signature = CallSignature(
        "advance_time",
        returns: "u64",
        [Parameter("ns", .size, "Nanoseconds.", isFixedWidth: true)],
        "Moves the machine's clock on and lets the background work; the result is the clock."
    )

    var nanoseconds: UInt64

    init(_ arguments: borrowing CallArguments) { nanoseconds = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.clock.advance(by: nanoseconds)
        kernel.runBackgroundWork(in: context)
        return CallResult(
            .unsigned(kernel.clock.nanoseconds),
            detail: .facts(kernel.clockFacts)
        )
    }
}
