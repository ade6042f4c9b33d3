/// Scopes that a task takes along: readers, and what its requests for memory may do.
extension Kernel {
    /// `rcu_read_lock()`; the classic kernel's keeps the CPU.
    mutating func beginReading(in context: CallContext) {
        if highMemory.isClassic {
            return changeCPU(context) { $0.count.add(PreemptCount.preemption) }
        }
        changeTask(context) { $0.readDepth = min($0.readDepth + 1, TaskState.depthLimit) }
    }

    /// `rcu_read_unlock()`.
    mutating func endReading(in context: CallContext) {
        if highMemory.isClassic {
            return leavePreemption(PreemptCount.preemption, runningFunction, in: context)
        }
        guard readDepth(context) > 0 else {
            return noteWrongContext(.unbalanced, runningFunction, in: context)
        }
        changeTask(context) { $0.readDepth -= 1 }
    }

    /// `synchronize_rcu()`: sleeps until every reader of now is done.
    ///
    /// A reader of another task goes on as long as its client lets it; the grace period ends then,
    /// and nobody waits for it here. A reader that waits for itself does so for ever.
    ///
    /// - Returns: the slabs whose pages went back.
    mutating func synchroniseReaders(in context: CallContext) -> Int {
        mightSleep(at: "kernel/sched/completion.c:101", in: context)
        guard readDepth(context) == 0 else {
            schedule(in: context)
            hang(.gracePeriod(pid: context.pid))
            return 0
        }
        guard schedule(in: context) else { return 0 }
        clock.advance(by: MachineClock.gracePeriod)
        return hasReaders ? 0 : endGracePeriod(in: context)
    }

    /// `memalloc_…_save()`.
    ///
    /// - Returns: the flag as it was, for `restoreScope`.
    mutating func saveScope(_ flag: TaskState.Flags, in context: CallContext) -> UInt32 {
        guard let place = process(context.pid) else { return 0 }
        let saved = processes[place].task.flags.intersection(flag)
        changeTask(context) { task in
            task.flags.formUnion(flag)
            if task.scopes.count < TaskState.scopeLimit {
                task.scopes.append(TaskState.Scope(flag: flag, saved: saved))
            }
        }
        return saved.rawValue
    }

    /// `memalloc_…_restore()`: the flag becomes what it was.
    ///
    /// - Parameters:
    ///   - flag: of the scope.
    ///   - flags: what the call that entered it returned; bits that no scope has are ignored.
    ///   - context: of the task.
    mutating func restoreScope(
        _ flag: TaskState.Flags,
        _ flags: UInt32,
        in context: CallContext
    ) {
        guard let place = process(context.pid) else { return }
        let restored = TaskState.Flags(rawValue: flags).intersection(.known)
        if let inner = processes[place].task.scopes.last {
            if inner.flag != flag || inner.saved != restored.intersection(flag) {
                noteWrongContext(.outOfOrder, runningFunction, in: context)
            }
        } else {
            noteWrongContext(.unbalanced, runningFunction, in: context)
        }
        changeTask(context) { task in
            task.flags = task.flags.subtracting(flag).union(restored)
            if let own = task.scopes.lastIndex(where: { $0.flag == flag }) {
                task.scopes.remove(at: own)
            }
        }
    }

    private mutating func changeTask(
        _ context: CallContext,
        _ change: (inout TaskState) -> Void
    ) {
        guard let place = process(context.pid) else { return }
        if processes[place].task.isPlain { processes[place].task.call = sequence }
        change(&processes[place].task)
        settleContexts()
    }
}
