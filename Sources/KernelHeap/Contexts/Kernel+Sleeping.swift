/// Reports of callers that sleep where they must not.
///
/// A kernel prints them where it was built to look (`CONFIG_DEBUG_ATOMIC_SLEEP`). One that was not
/// notices only when the caller really gives up the processor.
extension Kernel {
    /// `might_sleep()`: nothing where the caller may; at most one report in a second.
    ///
    /// - Parameters:
    ///   - place: file and line, as the report names them.
    ///   - context: of the caller.
    @inline(__always)
    mutating func mightSleep(at place: StaticString, in context: CallContext) {
        if !context.canSleep { reportSleep(at: place.description, in: context) }
    }

    /// `might_alloc()`: a request that may reclaim memory may sleep.
    @inline(__always)
    mutating func mightAllocate(
        _ flags: GFPFlags,
        isObject: Bool = false,
        in context: CallContext
    ) {
        if flags.contains(.directReclaim), !context.canSleep {
            reportSleep(at: allocationPlace(isObject: isObject), in: context)
        }
    }

    /// `might_fault()`: a copy to or from user space may bring pages in, unless faults are off.
    ///
    /// - Parameters:
    ///   - place: file and line; nil for macros, which name their caller's.
    ///   - context: of the caller.
    @inline(__always)
    mutating func mightFault(at place: StaticString?, in context: CallContext) {
        if !context.canSleep { reportFault(at: place, in: context) }
    }

    @inline(never)
    private mutating func reportFault(at place: StaticString?, in context: CallContext) {
        if let task = process(context.pid), processes[task].task.pagefaultDisabled > 0 { return }
        // kmap_atomic() switches page faults off, too.
        let maps = highMemory.isHeld ? highMemory.thread(context.cpu, context.pid) : nil
        if let maps, maps.atomicDepth > 0 { return }
        reportSleep(at: place?.description ?? callerPlace, in: context)
    }

    /// The place of a macro that the running call stands for.
    var callerPlace: String { "call_\(sequence).c:1" }

    /// Where a kernel asks whether a request may sleep.
    private func allocationPlace(isObject: Bool) -> String {
        guard profile.platform == .classicI386 else { return "include/linux/sched/mm.h:274" }
        return isObject ? "mm/slab.c:3052" : "mm/page_alloc.c:1451"
    }

    @inline(never)
    func isSleepReportDue() -> Bool {
        guard let last = contexts.lastSleepReport else { return true }
        return clock.ticks >= last &+ MachineClock.ticksPerSecond
    }

    /// `__might_resched()`.
    @inline(never)
    mutating func reportSleep(at place: String, in context: CallContext) {
        noteWrongContext(.sleeps, place, in: context)
        guard contexts.checksSleep, isSleepReportDue() else { return }
        contexts.lastSleepReport = clock.ticks
        let isAtomic = context.isInAtomic ? 1 : 0
        let isOff = context.areInterruptsOff ? 1 : 0
        log.append("BUG: sleeping function called from invalid context at \(place)")
        if highMemory.isClassic {
            log.append("in_atomic():\(isAtomic), irqs_disabled():\(isOff)")
            return
        }
        let count = String(preemptCount(context), radix: 16)
        log.append(
            "in_atomic(): \(isAtomic), irqs_disabled(): \(isOff), non_block: 0, "
                + "pid: \(context.pid), name: \(taskName(context))"
        )
        log.append("preempt_count: \(count), expected: 0")
        log.append("RCU nest depth: \(readDepth(context)), expected: 0")
        logStackOwner(context)
        log.taint.insert(.warned)
    }

    /// The head of `dump_stack()`: who ran, and on what; the trace itself is left out.
    private mutating func logStackOwner(_ context: CallContext) {
        logProcess(context)
        log.append(
            "Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), "
                + "BIOS 1.16.2-debian-1.16.2-1 04/01/2014"
        )
    }

    /// `current->comm`.
    func taskName(_ context: CallContext) -> String {
        process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
    }

    /// `rcu_preempt_depth()`.
    func readDepth(_ context: CallContext) -> Int {
        process(context.pid).map { processes[$0].task.readDepth } ?? 0
    }

    /// `schedule()`: the caller gives up the processor, wherever it is.
    ///
    /// Where it must not, the kernel says so and does it all the same: the count begins anew, so
    /// that the caller's own end of what it began takes it below zero.
    ///
    /// - Returns: whether the caller was allowed to.
    @discardableResult
    mutating func schedule(in context: CallContext) -> Bool {
        var isAllowed = true
        if context.isInAtomic {
            logSchedulingWhileAtomic(context)
            isAllowed = false
        } else if context.state.contains(.reader), !highMemory.isClassic {
            noteWrongContext(.sleeps, "schedule", in: context)
            log.warnOnce(
                "Voluntary context switch within RCU read-side critical section!",
                at: "kernel/rcu/tree_plugin.h:318",
                in: "rcu_note_context_switch+0x4c6/0x510",
                context
            )
            isAllowed = false
        }
        contexts.cpus[context.cpu].reschedule()
        settleContexts()
        return isAllowed
    }

    /// `__schedule_bug()`; `schedule()` itself counts one.
    mutating func logSchedulingWhileAtomic(_ context: CallContext) {
        noteWrongContext(.sleeps, "schedule", in: context)
        var count = PreemptCount()
        count.add(preemptCount(context))
        count.add(PreemptCount.preemption)
        let digits = String(count.rawValue, radix: 16)
        let padded = String(repeating: "0", count: 8 - digits.count) + digits
        log.append(
            "BUG: scheduling while atomic: \(taskName(context))/\(context.pid)/0x\(padded)"
        )
        log.checkPanicOnWarn("scheduling while atomic")
        if !highMemory.isClassic { logStackOwner(context) }
        log.taint.insert(.warned)
    }

    /// Notes that a function was used where it must not be; once in a call for each reason.
    mutating func noteWrongContext(
        _ reason: WrongContext.Reason,
        _ place: String,
        in context: CallContext
    ) {
        let isNoted = misuse.warnings.contains {
            if case .wrongContext(let known) = $0 { known.reason == reason } else { false }
        }
        guard !isNoted else { return }
        let locks = contexts.locks.held.filter {
            $0.kind == .mutex ? $0.pid == context.pid : $0.cpu == context.cpu
        }
        misuse.add(
            .wrongContext(
                WrongContext(
                    reason: reason,
                    place: place,
                    preemptCount: preemptCount(context),
                    areInterruptsOff: context.areInterruptsOff,
                    readDepth: readDepth(context),
                    locks: locks.map { WrongContext.Lock(name: $0.name.text, call: $0.call) }
                )
            )
        )
    }
}
