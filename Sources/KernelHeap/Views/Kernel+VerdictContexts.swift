/// The part of a verdict that tells of contexts: what was used where it must not be, and what calls
/// left behind on CPUs and tasks.
extension Kernel {
    /// Functions that were used where they must not be, and locks that are still held.
    func collectContexts(since: UInt64, into part: inout VerdictPart) {
        collectMisuse(.contexts, since, &part)
        for lock in contexts.locks.held where lock.call > since {
            part.add(
                VerdictItem(
                    kind: "lock_held",
                    call: lock.call,
                    text: "\(lock.function) took the \(lock.kind.rawValue) \(lock.name.text), and "
                        + "nobody gave it back.",
                    facts: [
                        Fact("lock", .text(lock.name.text)), Fact("cpu", .count(UInt64(lock.cpu))),
                    ]
                )
            )
        }
        collectCPUs(since: since, into: &part)
        collectTasks(since: since, into: &part)
    }

    /// What keeps CPUs, beside the locks that are told by themselves.
    private func collectCPUs(since: UInt64, into part: inout VerdictPart) {
        for (cpu, state) in contexts.cpus.enumerated() where !state.isQuiet && state.call > since {
            let locks = contexts.locks.held.filter { $0.kind == .spinlock && $0.cpu == cpu }
            func add(_ kind: String, _ what: String) {
                let text = "CPU \(cpu) is left \(what), since call \(state.call)."
                let facts = [Fact("cpu", .count(UInt64(cpu)))]
                part.add(VerdictItem(kind: kind, call: state.call, text: text, facts: facts))
            }
            if let handler = state.handler { add("in_handler", "in a handler: \(handler)") }
            if state.areInterruptsOff, state.handler == nil || state.handler == .softirq,
                !locks.contains(where: { $0.function.contains("irq") })
            {
                add("interrupts_off", "with interrupts off")
            }
            if state.count.areSoftirqsOff, !locks.contains(where: { $0.function.contains("_bh") }) {
                add("softirqs_off", "with soft interrupts off")
            }
            if state.count.preemptionDepth > locks.count {
                add("preemption_off", "with preemption off")
            }
        }
    }

    /// What tasks took along: readers, page faults that are off, scopes, short maps.
    private func collectTasks(since: UInt64, into part: inout VerdictPart) {
        for process in processes where process.isAlive {
            let task = process.task
            guard !task.isPlain, task.call > since else { continue }
            func add(_ kind: String, _ what: String) {
                let text = "Process \(process.pid) is left \(what), since call \(task.call)."
                let facts = [Fact("pid", .count(UInt64(clamping: process.pid)))]
                part.add(VerdictItem(kind: kind, call: task.call, text: text, facts: facts))
            }
            if task.readDepth > 0 { add("rcu_reader", "inside rcu_read_lock()") }
            if task.pagefaultDisabled > 0 { add("pagefaults_off", "with page faults off") }
            if !task.flags.isEmpty {
                add("memalloc_scope", "in a scope of \(task.flags.names.joined(separator: ", "))")
            }
        }
        for thread in highMemory.threads where !thread.isEmpty && thread.call > since {
            let count = max(thread.frames.count, thread.atomicDepth)
            part.add(
                VerdictItem(
                    kind: "short_map",
                    call: thread.call,
                    text: "Process \(thread.pid) still has \(count) short maps on CPU "
                        + "\(thread.cpu), since call \(thread.call).",
                    facts: [
                        Fact("pid", .count(UInt64(clamping: thread.pid))),
                        Fact("cpu", .count(UInt64(thread.cpu))),
                    ]
                )
            )
        }
    }
}
