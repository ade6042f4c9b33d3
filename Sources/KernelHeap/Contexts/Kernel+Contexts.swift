/// Laying a call's own context over what the calls before it left.
extension Kernel {
    /// Why the machine answers no further calls; nil where it does.
    public var hangReason: HangReason? { contexts.hang }

    /// Where a call really runs.
    ///
    /// - Parameter context: as the client gave it, on a CPU that there is.
    /// - Returns: nil where the call cannot run: the machine is hung, its CPU spins or its task
    ///   sleeps.
    @inline(never)
    mutating func enter(_ context: CallContext) -> CallContext? {
        guard contexts.hang == nil else { return nil }
        var now = context
        let isKept = !contexts.cpus[context.cpu].isQuiet
        if isKept {
            let count = contexts.cpus[context.cpu].count
            if count.kind.depth > now.kind.depth { now.kind = count.kind }
            if isSpinning(now) { return nil }
            chooseTask(&now)
            addState(of: contexts.cpus[context.cpu], to: &now)
        }
        let task = process(now.pid)
        if now.kind == .process {
            if !contexts.locks.waits.isEmpty, contexts.locks.sleep(ofTask: now.pid) != nil {
                return nil
            }
            if let task, processes[task].task.readDepth > 0 { now.state.insert(.reader) }
        }
        return highMemory.isHeld ? switchThread(to: now) : now
    }

    /// What the CPU or the task of a refused call waits for.
    func waitText(_ context: CallContext) -> String {
        if let hang = contexts.hang { return hang.text }
        if let spin = contexts.locks.spin(ofCPU: context.cpu) {
            return "CPU \(context.cpu) spins for the lock \(spin.lock.name.text)"
        }
        if let sleep = contexts.locks.sleep(ofTask: context.pid) {
            return "process \(context.pid) sleeps for the mutex \(sleep.lock.name.text)"
        }
        return "the machine waits"
    }

    /// The result of a call that cannot run.
    func blockedResult(_ context: CallContext) -> CallResult {
        CallResult(
            .void,
            detail: .facts([
                Fact("blocked", .boolean(true)), Fact("hung", .boolean(contexts.hang != nil)),
                Fact("waits_for", .text(waitText(context))),
            ])
        )
    }

    /// A CPU that spins runs handlers of interrupts that it lets in, and nothing else.
    private func isSpinning(_ context: CallContext) -> Bool {
        guard !contexts.locks.waits.isEmpty, contexts.locks.spin(ofCPU: context.cpu) != nil else {
            return false
        }
        switch context.kind {
        case .process: return true
        case .softirq, .tasklet, .hardirq: return contexts.cpus[context.cpu].areInterruptsOff
        case .nmi: return false
        }
    }

    /// Handlers interrupt the task that the CPU keeps; another process has to be switched to.
    private mutating func chooseTask(_ context: inout CallContext) {
        let pid = contexts.cpus[context.cpu].pid
        guard context.pid != pid else { return }
        guard context.kind == .process, context.isTaskNamed, hasProcess(context.pid) else {
            context.pid = pid
            return
        }
        var leaving = context
        leaving.pid = pid
        addState(of: contexts.cpus[context.cpu], to: &leaving)
        schedule(in: leaving)
    }

    private func addState(of cpu: CPUState, to context: inout CallContext) {
        if cpu.count.rawValue & 0xff != 0 { context.state.insert(.atomic) }
        if cpu.count.areSoftirqsOff { context.state.insert(.softirqsOff) }
        if cpu.areInterruptsOff { context.state.insert(.interruptsOff) }
    }

    /// Changes what a CPU keeps; its task is the one that calls.
    mutating func changeCPU(_ context: CallContext, _ change: (inout CPUState) -> Void) {
        if contexts.cpus[context.cpu].isQuiet {
            contexts.cpus[context.cpu].pid = context.pid
            contexts.cpus[context.cpu].call = sequence
        }
        change(&contexts.cpus[context.cpu])
        settleContexts()
    }

    /// Notes whether calls have something to look at.
    mutating func settleContexts() {
        contexts.isHeld =
            contexts.hang != nil || contexts.cpus.contains { !$0.isQuiet }
            || !contexts.locks.waits.isEmpty || processes.contains { $0.task.isSpecial }
    }

    /// `preempt_count()` where a call runs: what the CPU keeps, and what the call's own context adds.
    func preemptCount(_ context: CallContext) -> UInt32 {
        var count = contexts.cpus[context.cpu].count
        let depth = highMemory.thread(context.cpu, context.pid)?.atomicDepth ?? 0
        count.add(UInt32(clamping: depth))
        if count.kind.depth < context.kind.depth { count.add(context.kind.preemptCount) }
        // A context that is atomic for no other sake holds one lock.
        if context.isAtomic, count.rawValue & 0xff == 0 { count.add(PreemptCount.preemption) }
        return count.rawValue
    }

    /// How a request for memory is understood where it is made: `current_gfp_context()`.
    ///
    /// - Parameters:
    ///   - flags: as the caller gave them.
    ///   - context: of the caller.
    /// - Returns: without `__GFP_FS` and `__GFP_IO` where a scope of the task forbids them.
    @inline(__always)
    func gfpContext(_ flags: GFPFlags, in context: CallContext) -> GFPFlags {
        contexts.isHeld ? scopedFlags(flags, in: context) : flags
    }

    @inline(never)
    private func scopedFlags(_ flags: GFPFlags, in context: CallContext) -> GFPFlags {
        guard let place = process(context.pid) else { return flags }
        let scopes = processes[place].task.flags
        var flags = flags
        if scopes.contains(.noIO) {
            flags.subtract([.io, .fs])
        } else if scopes.contains(.noFS) {
            flags.remove(.fs)
        }
        return flags
    }

    /// Whether the caller frees memory itself, and is let at the last of it: `PF_MEMALLOC`, which
    /// interrupts do not borrow from the task they interrupt.
    func isMemAlloc(in context: CallContext) -> Bool {
        guard contexts.isHeld, !context.isInInterrupt, let place = process(context.pid) else {
            return false
        }
        return processes[place].task.flags.contains(.memAlloc)
    }

    /// A request as the page allocator takes it: of a task that frees memory, with the last reserves.
    @inline(__always)
    func withReserves(_ flags: GFPFlags, in context: CallContext) -> GFPFlags {
        contexts.isHeld && isMemAlloc(in: context) ? flags.union(.memAlloc) : flags
    }

    /// Whether a request may reclaim memory itself before it gives up: its flags let it, and it is
    /// not reclaiming already.
    func mayReclaim(_ flags: GFPFlags, in context: CallContext) -> Bool {
        flags.contains(.directReclaim) && !isMemAlloc(in: context)
    }
}
