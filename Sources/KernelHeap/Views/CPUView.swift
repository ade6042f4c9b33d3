/// A CPU between two calls: what keeps it, and what it waits for.
public struct CPUView: Hashable, Sendable {
    /// A lock that is held.
    public struct Lock: Hashable, Sendable {
        public var name: String
        /// `spinlock` or `mutex`.
        public var kind: String
        /// The call that took it, and its function.
        public var call: UInt64
        public var function: String
    }

    public var cpu: Int
    /// The task that cannot be taken off; nil where the CPU is idle between calls.
    public var pid: Int?
    /// `comm` of the task, or of the idle task.
    public var task: String
    public var preemptCount: UInt32
    /// The handler that runs, or `process`.
    public var kind: CallContext.Kind
    public var areInterruptsOff: Bool
    /// In the order in which they were taken.
    public var locks: [Lock]
    /// The spinlock that it spins for.
    public var spinsFor: String?
}

/// A task that differs from others: what it takes along from CPU to CPU.
public struct TaskView: Hashable, Sendable {
    public var pid: Int
    public var name: String
    /// `rcu_read_lock()` without an end yet.
    public var readDepth: Int
    public var pagefaultDisabled: Int
    /// `PF_MEMALLOC` and its like.
    public var flags: [String]
    /// Mutexes.
    public var locks: [CPUView.Lock]
    /// The mutex that it sleeps for.
    public var sleepsFor: String?
}

extension Kernel {
    /// Every CPU, in order.
    public var cpuViews: [CPUView] {
        contexts.cpus.indices.map { cpu in
            let state = contexts.cpus[cpu]
            let task = state.isQuiet ? nil : process(state.pid)
            return CPUView(
                cpu: cpu,
                pid: state.isQuiet ? nil : state.pid,
                task: task.map { processes[$0].name } ?? "swapper/\(cpu)",
                preemptCount: preemptCount(
                    CallContext(cpu: cpu, pid: state.isQuiet ? highMemory.running[cpu] : state.pid)
                ),
                kind: state.count.kind,
                areInterruptsOff: state.areInterruptsOff,
                locks: lockViews { $0.kind == .spinlock && $0.cpu == cpu },
                spinsFor: contexts.locks.spin(ofCPU: cpu)?.lock.name.text
            )
        }
    }

    /// Tasks that hold a mutex, wait for one, read, or have a scope of their own; by number.
    public var taskViews: [TaskView] {
        processes.filter(\.isAlive).sorted { $0.pid < $1.pid }.compactMap { process in
            let task = process.task
            let view = TaskView(
                pid: process.pid,
                name: process.name,
                readDepth: task.readDepth,
                pagefaultDisabled: task.pagefaultDisabled,
                flags: task.flags.names,
                locks: lockViews { $0.kind == .mutex && $0.pid == process.pid },
                sleepsFor: contexts.locks.sleep(ofTask: process.pid)?.lock.name.text
            )
            let isPlain =
                view.readDepth == 0 && view.pagefaultDisabled == 0 && view.flags.isEmpty
                && view.locks.isEmpty && view.sleepsFor == nil
            return isPlain ? nil : view
        }
    }

    /// `jiffies` now.
    public var jiffies: UInt64 { clock.jiffies(is32Bit: layout.is32Bit) }

    private func lockViews(_ isWanted: (HeldLock) -> Bool) -> [CPUView.Lock] {
        contexts.locks.held.filter(isWanted).map { lock in
            CPUView.Lock(
                name: lock.name.text,
                kind: lock.kind.rawValue,
                call: lock.call,
                function: lock.function
            )
        }
    }
}

extension TaskState.Flags {
    /// As the kernel's sources call them.
    var names: [String] {
        let all: [(TaskState.Flags, String)] = [
            (.memAlloc, "PF_MEMALLOC"), (.noFS, "PF_MEMALLOC_NOFS"), (.noIO, "PF_MEMALLOC_NOIO"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}
