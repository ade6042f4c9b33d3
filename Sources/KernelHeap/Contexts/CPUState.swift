/// What a CPU keeps between the calls of a sequence.
struct CPUState: Hashable, Sendable {
    /// Why a handler was entered, and what its end brings back.
    struct Frame: Hashable, Sendable {
        var amount: UInt32
        /// The interrupt flag of what was interrupted.
        var wereInterruptsOff: Bool
    }

    /// Handlers inside handlers that are kept: as many as the count's fields have room for.
    static let frameLimit = 32

    var count = PreemptCount()
    var areInterruptsOff = false
    /// The task that runs, where it cannot be taken off; 0 is the idle task.
    var pid = 0
    private(set) var frames: [Frame] = []
    /// The call that found the CPU idle, and left something behind.
    var call: UInt64 = 0

    /// Nothing keeps the CPU: between calls it is idle.
    var isQuiet: Bool { !count.isAtomic && !areInterruptsOff && frames.isEmpty }

    /// The innermost handler that runs; nil where a task does.
    var handler: CallContext.Kind? { count.kind == .process ? nil : count.kind }

    /// A handler begins: interrupts are off in all but soft ones.
    mutating func enter(_ amount: UInt32) {
        if frames.count < Self.frameLimit {
            frames.append(Frame(amount: amount, wereInterruptsOff: areInterruptsOff))
        }
        count.add(amount)
        if amount != PreemptCount.softirq { areInterruptsOff = true }
    }

    /// The innermost handler ends, if it is of this kind.
    ///
    /// - Returns: false where another one is the innermost, or none; then nothing changed.
    mutating func leave(_ amount: UInt32) -> Bool {
        guard let frame = frames.last, frame.amount == amount, count.holds(amount) else {
            return false
        }
        frames.removeLast()
        count.subtract(amount)
        areInterruptsOff = frame.wereInterruptsOff
        return true
    }

    /// The scheduler has put another task on the CPU: the count begins anew, with interrupts on.
    mutating func reschedule() { self = CPUState() }
}
