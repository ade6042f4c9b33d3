/// What the machine does beside its callers: when the CPU is given up, in a fixed order.
///
///     1  RCU       slabs whose readers are done go back, when their grace period is over
///     2  vmalloc   areas that interrupts left, then the purge of addresses
///     3  reclaim   kswapd and writeback
///
/// A call that may sleep gives others the CPU before it begins; `schedule()`, `cond_resched()` and
/// the calls that let time go by do so in between. A CPU that is kept gives nobody anything.
extension Kernel {
    /// Whether something waits: one test in front of every call.
    @inline(__always)
    var hasBackgroundWork: Bool { vmalloc.hasWork || slab.hasWaitingSlabs || hasReclaimWork }

    /// Runs what waits, if the caller may give up the CPU.
    @inline(never)
    mutating func runBackgroundWork(in context: CallContext) {
        guard context.canSleep else { return }
        if slab.hasWaitingSlabs { endDueGracePeriod(in: context) }
        if vmalloc.hasWork { runVmallocWork(in: context) }
        if hasReclaimWork { runReclaimWork() }
    }

    /// A grace period ends by itself, unless a reader is still inside it.
    private mutating func endDueGracePeriod(in context: CallContext) {
        guard let begin = slab.gracePeriodStart else {
            slab.gracePeriodStart = clock.nanoseconds
            return
        }
        let isOver = clock.nanoseconds >= begin &+ MachineClock.gracePeriod
        guard isOver, !hasReaders else { return }
        _ = endGracePeriod(in: context)
    }

    /// A task is inside `rcu_read_lock()`.
    var hasReaders: Bool { contexts.isHeld && processes.contains { $0.task.readDepth > 0 } }
}
