/// What a machine waits for that will never happen.
public enum HangReason: Hashable, Sendable {
    /// A CPU spins for a lock that nobody will give up; the holder is nil where the lock's word was
    /// never initialised.
    case spinlock(LockName, cpu: Int, holder: Holder?)
    /// A task sleeps for a mutex that nobody will give up.
    case mutex(LockName, pid: Int, holder: Holder)
    /// A grace period waits for a reader that waits for it.
    case gracePeriod(pid: Int)
    /// A request that must not fail finds nothing that could be freed.
    case allocation(order: Int, flags: String)

    /// Who has what is waited for, and since which call.
    public struct Holder: Hashable, Sendable {
        public var cpu: Int
        public var pid: Int
        public var call: UInt64
    }

    /// The stable name of the reason.
    public var name: String {
        switch self {
        case .spinlock: "spinlock"
        case .mutex: "mutex"
        case .gracePeriod: "grace_period"
        case .allocation: "allocation"
        }
    }

    /// What is waited for, as the end of a sentence that begins with the machine.
    public var text: String {
        switch self {
        case .spinlock(let lock, let cpu, let holder?):
            "CPU \(cpu) spins for the lock \(lock.text), which CPU \(holder.cpu) took in call "
                + "\(holder.call) and cannot give back"
        case .spinlock(let lock, let cpu, nil):
            "CPU \(cpu) spins for the lock \(lock.text), whose word says that it is taken, and "
                + "nobody took it: was it initialised?"
        case .mutex(let lock, let pid, let holder):
            "process \(pid) sleeps for the mutex \(lock.text), which process \(holder.pid) took in "
                + "call \(holder.call) and cannot give back"
        case .gracePeriod(let pid):
            "process \(pid) waits for the end of a grace period inside rcu_read_lock(), which keeps "
                + "it from ending"
        case .allocation(let order, let flags):
            "a request of order \(order) with \(flags) must not fail, and nothing is left to free"
        }
    }
}
