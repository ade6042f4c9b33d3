/// Spinlocks and mutexes.
let lockCalls: [any KernelCall.Type] = [
    SpinLockInit.self, SpinLock.self, SpinUnlock.self, SpinTrylock.self, SpinLockIRQ.self,
    SpinUnlockIRQ.self, SpinLockIRQSave.self, SpinUnlockIRQRestore.self, SpinLockBH.self,
    SpinUnlockBH.self, MutexLock.self, MutexUnlock.self, MutexTrylock.self,
]

private let lockParameter = Parameter(
    "lock",
    .lock,
    "A name, or the address of a spinlock_t of 4 bytes in the machine's memory."
)
private let mutexParameter = Parameter("lock", .lock, "A name or an address, which only names it.")

extension Kernel {
    /// What became of a wish for a lock, as a result.
    fileprivate func lockResult(
        _ outcome: LockOutcome,
        _ value: ReturnValue = .void,
        _ context: CallContext
    ) -> CallResult {
        var facts = contextFacts(context)
        switch outcome {
        case .taken: facts.append(Fact("taken", .boolean(true)))
        case .refused, .faulted: facts.append(Fact("taken", .boolean(false)))
        case .waits, .hung:
            facts += [
                Fact("taken", .boolean(false)), Fact("blocked", .boolean(true)),
                Fact("hung", .boolean(contexts.hang != nil)),
                Fact("waits_for", .text(waitText(context))),
            ]
        case .tooMany:
            return CallResult(value, errno: .ENOMEM, detail: .facts(facts))
        }
        return CallResult(value, detail: .facts(facts))
    }

    /// The result of a try: 1 with the lock, 0 without.
    fileprivate func trylockResult(_ outcome: LockOutcome, _ context: CallContext) -> CallResult {
        lockResult(outcome, .integer(outcome == .taken ? 1 : 0), context)
    }

    /// The result of giving a lock back: who waited for it, and has it now.
    fileprivate func unlockResult(_ next: HeldLock?, _ context: CallContext) -> CallResult {
        let woken = next.map { lock in
            FactValue.facts([
                Fact("cpu", .number(Int64(lock.cpu))), Fact("pid", .number(Int64(lock.pid))),
                Fact("call", .number(Int64(clamping: lock.call))),
            ])
        }
        return CallResult(
            .void,
            detail: .facts(contextFacts(context) + [Fact("taken_by", woken ?? .null)])
        )
    }
}

/// A call whose one argument is a lock.
private protocol LockCall: KernelCall {
    var lock: LockName { get }
    init(lock: LockName)
}

extension LockCall {
    init(_ arguments: borrowing CallArguments) { self.init(lock: arguments.lock(0)) }
}

/// The call `void spin_lock_init(spinlock_t *lock)`.
struct SpinLockInit: LockCall {
    static let signature = CallSignature(
        "spin_lock_init",
        returns: "void",
        [lockParameter],
        "Makes a lock that nobody has: its word in memory becomes 0."
    )

    var lock: LockName

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        _ = kernel.initialiseLock(lock, in: context)
        return .void
    }
}

/// A call that takes a spinlock.
private protocol SpinLockCall: LockCall {
    static var variant: Kernel.LockVariant { get }
}

extension SpinLockCall {
    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let outcome = kernel.spinLock(lock, Self.variant, in: context)
        return kernel.lockResult(outcome, .void, context)
    }
}

/// The call `void spin_lock(spinlock_t *lock)`.
struct SpinLock: SpinLockCall {
    static let signature = CallSignature(
        "spin_lock",
        returns: "void",
        [lockParameter],
        "Takes a lock and keeps the CPU; spins while another has it, for ever where it is this CPU."
    )
    fileprivate static let variant = Kernel.LockVariant.plain

    var lock: LockName
}

/// The call `void spin_lock_irq(spinlock_t *lock)`.
struct SpinLockIRQ: SpinLockCall {
    static let signature = CallSignature(
        "spin_lock_irq",
        returns: "void",
        [lockParameter],
        "Takes a lock with interrupts off."
    )
    fileprivate static let variant = Kernel.LockVariant.interrupts

    var lock: LockName
}

/// The call `void spin_lock_bh(spinlock_t *lock)`.
struct SpinLockBH: SpinLockCall {
    static let signature = CallSignature(
        "spin_lock_bh",
        returns: "void",
        [lockParameter],
        "Takes a lock with soft interrupts kept off."
    )
    fileprivate static let variant = Kernel.LockVariant.bottomHalves

    var lock: LockName
}

/// The call `spin_lock_irqsave(lock, flags)`.
struct SpinLockIRQSave: LockCall {
    static let signature = CallSignature(
        "spin_lock_irqsave",
        returns: "unsigned long",
        [lockParameter],
        "Takes a lock with interrupts off; the result is the processor's flags before."
    )

    var lock: LockName

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let flags = kernel.interruptFlags(in: context)
        let outcome = kernel.spinLock(lock, .interrupts, in: context)
        return kernel.lockResult(outcome, .unsigned(flags), context)
    }
}

/// The call `int spin_trylock(spinlock_t *lock)`.
struct SpinTrylock: LockCall {
    static let signature = CallSignature(
        "spin_trylock",
        returns: "int",
        [lockParameter],
        "Takes a lock if nobody has it: 1, else 0."
    )

    var lock: LockName

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let outcome = kernel.spinLock(lock, .plain, isTry: true, in: context)
        return kernel.trylockResult(outcome, context)
    }
}

/// A call that gives a spinlock back.
private protocol SpinUnlockCall: LockCall {
    static var variant: Kernel.LockVariant { get }
}

extension SpinUnlockCall {
    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let next = kernel.spinUnlock(lock, Self.variant, in: context)
        return kernel.unlockResult(next, context)
    }
}

/// The call `void spin_unlock(spinlock_t *lock)`.
struct SpinUnlock: SpinUnlockCall {
    static let signature = CallSignature(
        "spin_unlock",
        returns: "void",
        [lockParameter],
        "Gives a lock back; the first CPU that spins for it has it then."
    )
    fileprivate static let variant = Kernel.LockVariant.plain

    var lock: LockName
}

/// The call `void spin_unlock_irq(spinlock_t *lock)`.
struct SpinUnlockIRQ: SpinUnlockCall {
    static let signature = CallSignature(
        "spin_unlock_irq",
        returns: "void",
        [lockParameter],
        "Gives a lock back and switches interrupts on, however they were before."
    )
    fileprivate static let variant = Kernel.LockVariant.interrupts

    var lock: LockName
}

/// The call `void spin_unlock_bh(spinlock_t *lock)`.
struct SpinUnlockBH: SpinUnlockCall {
    static let signature = CallSignature(
        "spin_unlock_bh",
        returns: "void",
        [lockParameter],
        "Gives a lock back and lets soft interrupts in again."
    )
    fileprivate static let variant = Kernel.LockVariant.bottomHalves

    var lock: LockName
}

/// The call `void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)`.
struct SpinUnlockIRQRestore: KernelCall {
    static let signature = CallSignature(
        "spin_unlock_irqrestore",
        returns: "void",
        [lockParameter, savedFlagsParameter],
        "Gives a lock back and makes interrupts what they were."
    )

    var lock: LockName
    var flags: UInt64

    init(_ arguments: borrowing CallArguments) {
        lock = arguments.lock(0)
        flags = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let next = kernel.spinUnlock(lock, .interrupts, restoring: flags, in: context)
        return kernel.unlockResult(next, context)
    }
}

/// The call `void mutex_lock(struct mutex *lock)`.
struct MutexLock: LockCall {
    static let signature = CallSignature(
        "mutex_lock",
        returns: "void",
        [mutexParameter],
        "Takes a mutex; the task sleeps while another has it, for ever where it is the task itself."
    )

    var lock: LockName

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.lockResult(kernel.lockMutex(lock, in: context), .void, context)
    }
}

/// The call `int mutex_trylock(struct mutex *lock)`.
struct MutexTrylock: LockCall {
    static let signature = CallSignature(
        "mutex_trylock",
        returns: "int",
        [mutexParameter],
        "Takes a mutex if nobody has it: 1, else 0."
    )

    var lock: LockName

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let outcome = kernel.lockMutex(lock, isTry: true, in: context)
        return kernel.trylockResult(outcome, context)
    }
}

/// The call `void mutex_unlock(struct mutex *lock)`.
struct MutexUnlock: LockCall {
    static let signature = CallSignature(
        "mutex_unlock",
        returns: "void",
        [mutexParameter],
        "Gives a mutex back; the first task that sleeps for it has it then."
    )

    var lock: LockName

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.unlockResult(kernel.unlockMutex(lock, in: context), context)
    }
}
