/// Spinlocks: the holder keeps its CPU, and whoever comes second spins.
extension Kernel {
    /// What else a spinlock's function keeps off.
    enum LockVariant: Sendable {
        case plain, bottomHalves, interrupts

        /// What it adds to the preemption count.
        var amount: UInt32 {
            let softirqs = self == .bottomHalves ? PreemptCount.softirqDisabled : 0
            return PreemptCount.preemption + softirqs
        }
    }

    /// What became of a wish for a lock.
    enum LockOutcome: Sendable {
        case taken
        /// Somebody else has it: the CPU spins, or the task sleeps, until it is given back.
        case waits
        /// It will never be given back.
        case hung
        /// It was not tried for: `…_trylock()` found it taken.
        case refused
        /// Nothing is mapped where the lock should be.
        case faulted
        /// The machine has more locks than it keeps.
        case tooMany
    }

    /// `spin_lock()` and its like.
    ///
    /// - Parameters:
    ///   - name: the lock.
    ///   - variant: what is kept off with it.
    ///   - isTry: whether a taken lock is left alone.
    ///   - context: whose CPU takes it.
    /// - Returns: whether the CPU has it, or spins for it.
    mutating func spinLock(
        _ name: LockName,
        _ variant: LockVariant,
        isTry: Bool = false,
        in context: CallContext
    ) -> LockOutcome {
        guard !contexts.locks.isFull else { return .tooMany }
        let wish = wish(name, .spinlock, in: context)
        var isTaken = contexts.locks.holder(name, .spinlock) != nil
        // queued_spin_trylock() looks before it tries.
        checkLock(name, 4, isWrite: !isTry, prefix: "_raw_", in: context)
        if case .address(let address) = name {
            guard let word = lockWord(address, in: context) else { return .faulted }
            isTaken = word != 0
        }
        if isTaken && isTry { return .refused }
        if isTry { checkLock(name, 4, isWrite: true, prefix: "_raw_", in: context) }
        // A lock's word must be writable before its CPU is kept for it.
        if !isTaken, !setWord(of: name, isTaken: true, in: context) { return .faulted }
        changeCPU(context) { cpu in
            cpu.count.add(variant.amount)
            if variant == .interrupts { cpu.areInterruptsOff = true }
        }
        guard isTaken else {
            contexts.locks.held.append(wish)
            return .taken
        }
        return wait(for: wish)
    }

    /// Spins or sleeps for a lock that is taken.
    mutating func wait(for wish: HeldLock) -> LockOutcome {
        let holder = contexts.locks.holder(wish.name, wish.kind)
        let isDeadlock = contexts.locks.isDeadlock(wish)
        contexts.locks.waits.append(LockWait(lock: wish))
        settleContexts()
        let shown = holder.map { HangReason.Holder(cpu: $0.cpu, pid: $0.pid, call: $0.call) }
        switch wish.kind {
        case .spinlock:
            guard isDeadlock || holder == nil else { return .waits }
            hang(.spinlock(wish.name, cpu: wish.cpu, holder: shown))
        case .mutex:
            guard isDeadlock, let shown else { return .waits }
            hang(.mutex(wish.name, pid: wish.pid, holder: shown))
        }
        return .hung
    }

    /// `spin_unlock()` and its like.
    ///
    /// - Parameters:
    ///   - name: the lock.
    ///   - variant: what comes on again with it.
    ///   - flags: what `…_irqsave()` returned; nil switches interrupts on.
    ///   - context: whose CPU gives it back.
    /// - Returns: the CPU that spun for it, and has it now.
    mutating func spinUnlock(
        _ name: LockName,
        _ variant: LockVariant,
        restoring flags: UInt64? = nil,
        in context: CallContext
    ) -> HeldLock? {
        let function = runningFunction
        let held = contexts.locks.remove(
            name,
            .spinlock,
            cpu: context.cpu,
            pid: context.pid
        )
        if held?.cpu != context.cpu { noteWrongContext(.lockNotHeld, function, in: context) }
        checkLock(name, 1, isWrite: true, prefix: "_raw_", in: context)
        guard setWord(of: name, isTaken: false, in: context) else { return nil }
        if variant == .interrupts { restoreInterrupts(flags, in: context) }
        leavePreemption(variant.amount, function, in: context)
        guard let next = contexts.locks.handOver(name, .spinlock) else { return nil }
        _ = setWord(of: name, isTaken: true, in: context)
        settleContexts()
        return next
    }

    /// Takes from the CPU's count what a function ends.
    ///
    /// A kernel that looks (`CONFIG_DEBUG_PREEMPT`) refuses to go below zero; another one does not
    /// notice, and its CPU is atomic from then on.
    mutating func leavePreemption(
        _ amount: UInt32,
        _ function: String,
        in context: CallContext
    ) {
        if !contexts.cpus[context.cpu].count.holds(amount) {
            noteWrongContext(.unbalanced, function, in: context)
            if contexts.checksSleep {
                log.warnOnce(
                    "DEBUG_LOCKS_WARN_ON(val > preempt_count())",
                    at: "kernel/sched/core.c:5725",
                    in: "preempt_count_sub+0x57/0xa0",
                    context
                )
                return
            }
        }
        changeCPU(context) { $0.count.subtract(amount) }
    }

    /// Switches interrupts as `local_irq_restore()` does: on where the flags have them on.
    ///
    /// - Parameters:
    ///   - flags: nil switches them on.
    ///   - context: whose CPU it is.
    mutating func restoreInterrupts(_ flags: UInt64?, in context: CallContext) {
        let areOn = flags.map { $0 & Self.interruptFlag != 0 } ?? true
        // 6.1 leaves them alone where the flags have them off; a 2.6 kernel loads the flags.
        guard areOn || profile.platform == .classicI386 else {
            if !contexts.cpus[context.cpu].areInterruptsOff {
                noteWrongContext(.outOfOrder, runningFunction, in: context)
            }
            return
        }
        changeCPU(context) { $0.areInterruptsOff = !areOn }
    }

    /// `EFLAGS` with the interrupt flag as it is.
    func interruptFlags(in context: CallContext) -> UInt64 {
        context.areInterruptsOff ? 2 : 2 | Self.interruptFlag
    }

    /// `X86_EFLAGS_IF`.
    private static let interruptFlag: UInt64 = 0x200

    /// The function that runs now.
    var runningFunction: String { function(ofCall: sequence) ?? "a call" }

    func wish(_ name: LockName, _ kind: HeldLock.Kind, in context: CallContext) -> HeldLock {
        HeldLock(
            name: name,
            kind: kind,
            cpu: context.cpu,
            pid: context.pid,
            call: sequence,
            function: runningFunction
        )
    }

    /// The word of a lock in memory; nil after an oops.
    private mutating func lockWord(_ address: UInt64, in context: CallContext) -> UInt32? {
        let (bytes, fault) = loadKernel(address, 4, in: context)
        if let fault {
            logAccessFault(at: address &+ UInt64(bytes.count), code: fault.code)
            return nil
        }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Writes a lock's word: all of it to take it, the lowest byte to give it back.
    ///
    /// - Returns: false after an oops.
    private mutating func setWord(
        of name: LockName,
        isTaken: Bool,
        in context: CallContext
    ) -> Bool {
        guard case .address(let address) = name else { return true }
        let (done, fault) = storeKernel(address, isTaken ? [1, 0, 0, 0] : [0], in: context)
        guard let fault else { return true }
        logAccessFault(at: address &+ done, code: fault.code)
        return false
    }

    /// `spin_lock_init()`: nobody has the lock.
    ///
    /// - Returns: false after an oops.
    mutating func initialiseLock(_ name: LockName, in context: CallContext) -> Bool {
        contexts.locks.held.removeAll { $0.name == name && $0.kind == .spinlock }
        checkLock(name, 4, isWrite: true, in: context)
        guard case .address(let address) = name else { return true }
        let (done, fault) = storeKernel(address, [0, 0, 0, 0], in: context)
        guard let fault else { return true }
        logAccessFault(at: address &+ done, code: fault.code)
        return false
    }
}
