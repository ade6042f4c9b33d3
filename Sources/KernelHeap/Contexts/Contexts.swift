/// Where the machine's CPUs and tasks stand between the calls of a sequence.
///
/// A call runs in what the calls before it left, and its own `context` is laid over that:
///
///     spin_lock("a")            CPU 0: preempt_count 1, init runs and cannot be taken off
///     kmalloc(64, GFP_KERNEL)   atomic: the report of a sleeping function
///     spin_unlock("a")          CPU 0: idle between calls, as before
///
/// A CPU that keeps nothing is idle between calls, and whoever calls next runs on it. While it keeps
/// something, calls that name no process are those of its task; a call of another process there is a
/// context switch, which a kernel that cannot be preempted reports.
struct Contexts: Hashable, Sendable {
    var cpus: [CPUState]
    var locks = LockTable()
    /// The machine answers no further calls: they would never return.
    var hang: HangReason?
    /// Something here differs from an idle machine's, so that calls must look.
    var isHeld = false
    /// `jiffies` of the last report of a sleeping function.
    var lastSleepReport: UInt64?
    /// Whether the kernel was built to look for callers that sleep where they must not.
    let checksSleep: Bool

    init(cpus: Int, checksSleep: Bool) {
        self.cpus = Array(repeating: CPUState(), count: cpus)
        self.checksSleep = checksSleep
    }

    var heldBytes: Int { cpus.count * MemoryLayout<CPUState>.stride + locks.heldBytes }
}
