internal import KernelHeap

extension StateView {
    /// `GET …/cpus`: what keeps each CPU between calls, tasks in scopes of their own, and the clock.
    static let cpus = StateView("cpus", parameters: []) { (kernel, _) throws(Problem) in
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("nanoseconds", kernel.clock.nanoseconds)
            json.member("jiffies", address: kernel.jiffies)
            json.member("hung", orNull: kernel.hangReason?.text)
            json.member("cpus", objects: kernel.cpuViews) { $0.cpu($1) }
            json.member("tasks", objects: kernel.taskViews) { $0.task($1) }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func cpu(_ cpu: CPUView) {
        member("cpu", cpu.cpu)
        member("pid", orNull: cpu.pid.map { UInt64(clamping: $0) })
        member("task", cpu.task)
        member("preempt_count", address: UInt64(cpu.preemptCount))
        member("in", cpu.kind.rawValue)
        member("irqs_disabled", cpu.areInterruptsOff)
        member("locks", objects: cpu.locks) { $0.lock($1) }
        member("spins_for", orNull: cpu.spinsFor)
    }

    fileprivate mutating func task(_ task: TaskView) {
        member("pid", task.pid)
        member("name", task.name)
        member("rcu_nest_depth", task.readDepth)
        member("pagefault_disabled", task.pagefaultDisabled)
        name("flags")
        strings(task.flags)
        member("locks", objects: task.locks) { $0.lock($1) }
        member("sleeps_for", orNull: task.sleepsFor)
    }

    private mutating func lock(_ lock: CPUView.Lock) {
        member("lock", lock.name)
        member("kind", lock.kind)
        member("call", lock.call)
        member("function", lock.function)
    }
}
