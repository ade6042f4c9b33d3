/// Mutexes: whoever comes second sleeps until the first is done.
extension Kernel {
    /// `mutex_lock()`, and `mutex_trylock()`.
    mutating func lockMutex(
        _ name: LockName,
        isTry: Bool = false,
        in context: CallContext
    ) -> LockOutcome {
        guard !contexts.locks.isFull else { return .tooMany }
        if !isTry { mightSleep(at: "kernel/locking/mutex.c:282", in: context) }
        let wish = wish(name, .mutex, in: context)
        // Its owner is what all look at first: the slow path of a try reads it before it tries.
        checkLock(name, 8, isWrite: !isTry, in: context)
        guard contexts.locks.holder(name, .mutex) != nil else {
            if isTry { checkLock(name, 8, isWrite: true, in: context) }
            contexts.locks.held.append(wish)
            return .taken
        }
        if isTry { return .refused }
        guard schedule(in: context) else { return .refused }
        return wait(for: wish)
    }

    /// `mutex_unlock()`.
    ///
    /// - Returns: the task that slept for it, and has it now.
    mutating func unlockMutex(_ name: LockName, in context: CallContext) -> HeldLock? {
        checkLock(name, 8, isWrite: true, in: context)
        let held = contexts.locks.remove(name, .mutex, cpu: context.cpu, pid: context.pid)
        if held?.pid != context.pid {
            noteWrongContext(.lockNotHeld, runningFunction, in: context)
        }
        guard held != nil else { return nil }
        let next = contexts.locks.handOver(name, .mutex)
        settleContexts()
        return next
    }
}
