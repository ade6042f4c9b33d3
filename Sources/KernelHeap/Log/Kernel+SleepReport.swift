/// Reports of callers that sleep where they must not.
///
/// A kernel prints them where it was built to look (`CONFIG_DEBUG_ATOMIC_SLEEP`).
extension Kernel {
    /// `preempt_count()` as far as a context says it: preemption, softirq, hardirq and NMI bits.
    func preemptCount(_ context: CallContext) -> UInt32 {
        let count: UInt32 =
            switch context.kind {
            case .process: 0
            case .softirq, .tasklet: 0x100
            case .hardirq: 0x1_0000
            case .nmi: 0x11_0000
            }
        let depth = highMemory.thread(context.cpu, context.pid)?.atomicDepth ?? 0
        // A context that is atomic for no map's sake holds one lock.
        return count + UInt32(clamping: max(depth, context.isAtomic ? 1 : 0))
    }

    /// `might_sleep()`: nothing where the caller may; at most one report in 100 calls, which stand for
    /// the kernel's second.
    mutating func mightSleep(at place: String, in context: CallContext) {
        guard !context.canSleep, log.startsSleepReport(at: sequence) else { return }
        let isOff = context.kind == .hardirq || context.kind == .nmi ? 1 : 0
        log.append("BUG: sleeping function called from invalid context at \(place)")
        if highMemory.isClassic {
            log.append("in_atomic():1, irqs_disabled():\(isOff)")
            return
        }
        let name = process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
        let count = String(preemptCount(context), radix: 16)
        log.append(
            "in_atomic(): 1, irqs_disabled(): \(isOff), non_block: 0, pid: \(context.pid), "
                + "name: \(name)"
        )
        log.append("preempt_count: \(count), expected: 0")
        log.append("RCU nest depth: 0, expected: 0")
    }

    /// `__schedule_bug()`: the caller gives up the processor all the same.
    mutating func logSchedulingWhileAtomic(_ context: CallContext) {
        let name = process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
        let digits = String(preemptCount(context), radix: 16)
        let count = String(repeating: "0", count: 8 - digits.count) + digits
        log.append("BUG: scheduling while atomic: \(name)/\(context.pid)/0x\(count)")
        log.taint.insert(.warned)
    }
}
