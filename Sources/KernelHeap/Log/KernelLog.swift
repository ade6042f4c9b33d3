/// The kernel's ring buffer: what `dmesg` shows.
public struct KernelLog: Sendable {
    /// Lines kept; older ones fall out, as in the kernel's buffer.
    public static let capacity = 4_096

    /// Lines without time stamps, oldest first.
    public private(set) var lines: [String] = []
    /// When each line was logged: microseconds since boot.
    public private(set) var times: [UInt64] = []
    /// What happened to the kernel that its reports tell.
    var taint: Taint = []
    /// What reports of BUGs and oopses say of the processor.
    var oopsStyle = OopsStyle.x8664
    /// The machine's time, for the lines' stamps.
    var clock = MachineClock()
    /// Lines that fell out.
    public private(set) var dropped = 0
    /// Warnings that the kernel prints once per boot, and has printed.
    private var printedOnce: Set<String> = []
    /// The first call that may print a memory report again.
    private var nextMemoryReport: UInt64 = 0
    /// Where the next run of slab reports begins, and how many this one has had.
    private var nextSlabReports: UInt64 = 0
    private var slabReports = 0
    /// When more than a burst of bad pages may be reported, how many were, and how many were not.
    private var nextBadPages: UInt64 = 0
    private var badPages = 0
    private var silentBadPages: UInt64 = 0
    /// What else than its own failures stops the kernel.
    var panicPolicy = PanicPolicy()
    /// Nothing runs any more.
    private(set) var isPanicked = false
    /// The running call has panicked: what is left of it prints nothing.
    private var isSilent = false
    /// Whether the running call came in an interrupt: `in_interrupt()`.
    private var isInInterrupt = false
    /// BUGs and oopses since boot.
    private(set) var deaths = 0

    /// The number of the next line, counted from boot.
    var nextNumber: Int { dropped + lines.count }

    /// The lines from a number on that are still there.
    func lines(since number: Int) -> ArraySlice<String> {
        lines[min(max(number - dropped, 0), lines.count)...]
    }

    mutating func append(_ line: String) {
        guard !isSilent else { return }
        if lines.count == Self.capacity {
            lines.removeFirst(Self.capacity / 4)
            times.removeFirst(Self.capacity / 4)
            dropped += Self.capacity / 4
        }
        lines.append(line)
        times.append(clock.microseconds)
    }

    /// Prints a line that the kernel prints once per boot.
    mutating func appendOnce(_ line: String) {
        if printedOnce.insert(line).inserted { append(line) }
    }

    /// Whether a memory report may be printed: of a burst of failures, the first one's alone.
    ///
    /// The kernel waits ten seconds; here 1,000 calls stand for them, for a machine's calls follow
    /// each other within microseconds.
    mutating func startsMemoryReport(at call: UInt64) -> Bool {
        guard call >= nextMemoryReport else { return false }
        nextMemoryReport = call &+ 1_000
        return true
    }

    /// Whether the report of a failed slab may be printed: ten in 500 calls, which stand for the
    /// kernel's five seconds.
    mutating func startsSlabReport(at call: UInt64) -> Bool {
        if call >= nextSlabReports {
            nextSlabReports = call &+ 500
            slabReports = 0
        }
        slabReports += 1
        return slabReports <= 10
    }

    /// Whether a bad page may be reported: 60 in 6,000 calls, which stand for the kernel's minute.
    ///
    /// The first report after that tells how many there were between.
    mutating func startsBadPageReport(at call: UInt64) -> Bool {
        if badPages == 60 {
            guard call >= nextBadPages else {
                omitBadPages(1)
                return false
            }
            if silentBadPages > 0 {
                append("BUG: Bad page state: \(silentBadPages) messages suppressed")
                silentBadPages = 0
            }
            badPages = 0
        }
        if badPages == 0 { nextBadPages = call &+ 6_000 }
        badPages += 1
        return true
    }

    /// Counts bad pages that are not reported.
    mutating func omitBadPages(_ count: UInt64) { silentBadPages &+= count }

    /// Prints a `WARN_ON_ONCE` block; nothing when it was printed before.
    ///
    /// The registers and the call trace of a real block are left out: see `docs/fidelity.md`.
    ///
    /// A `site` tells warnings of one place apart.
    mutating func warnOnce(
        _ message: String? = nil,
        at place: String,
        in function: String,
        site: String? = nil,
        _ context: CallContext
    ) {
        guard printedOnce.insert(site ?? place).inserted else { return }
        warn(message, at: place, in: function, context)
    }

    /// Prints a `WARN()` block, with its message where it has one.
    mutating func warn(
        _ message: String?,
        at place: String,
        in function: String,
        _ context: CallContext
    ) {
        append("------------[ cut here ]------------")
        if let message { append(message) }
        append("WARNING: CPU: \(context.cpu) PID: \(context.pid) at \(place) \(function)")
        checkPanicOnWarn("kernel")
        taint.insert(.warned)
        append("---[ end trace 0000000000000000 ]---")
    }

    /// Counts a BUG or an oops: `die_counter`.
    mutating func nextDeath() -> Int {
        deaths += 1
        return deaths
    }

    /// Prints the head of a `BUG` block.
    mutating func bug(at place: String, in function: String, _ context: CallContext) {
        append("------------[ cut here ]------------")
        append("kernel BUG at \(place)!")
        append("invalid opcode: 0000 " + oopsStyle.death(nextDeath()))
        append(oopsStyle.place(function))
        taint.insert(.died)
        append("---[ end trace 0000000000000000 ]---")
        endOops()
    }

    /// A call begins.
    ///
    /// - Parameter isInInterrupt: whether it came in one.
    mutating func startCall(isInInterrupt: Bool) {
        self.isInInterrupt = isInInterrupt
        isSilent = false
    }

    /// `panic()`: the last line that the kernel prints.
    mutating func panic(_ text: String) {
        append("Kernel panic - not syncing: \(text)")
        isPanicked = true
        isSilent = true
    }

    /// `check_panic_on_warn()`.
    ///
    /// - Parameter origin: who warned.
    mutating func checkPanicOnWarn(_ origin: String) {
        guard panicPolicy.onWarning != 0 else { return }
        panic("\(origin): panic_on_warn set ...")
    }

    /// `oops_end()`, behind the last line of a BUG or an oops.
    mutating func endOops() {
        guard panicPolicy.onOops != 0 else { return }
        panic(isInInterrupt ? "Fatal exception in interrupt" : "Fatal exception")
    }
}
