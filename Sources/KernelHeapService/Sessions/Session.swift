internal import KernelHeap
internal import Synchronization

/// One client's machine: a kernel behind a lock, and what the service knows about it.
///
/// Sessions share nothing, so a call waits for calls to its own session only.
public final class Session: Sendable {
    /// What a client may change.
    struct Settings {
        var name: String
        /// Seconds without a request after which the session is dropped; 0 for never.
        var idleTimeout: UInt64
    }

    public let id: SessionID
    /// Rises with every session of the process: the order of lists.
    let ordinal: UInt64
    let createdAt: UInt64
    let tables: MachineTables
    let cpuCount: Int
    let kernel: Mutex<Kernel>
    let settings: Mutex<Settings>
    /// What happens on the machine, for streams of events.
    let events: EventHub
    private let lastUsed: Atomic<UInt64>
    private let jobCount = Atomic<Int>(0)
    private let wasDropped = Atomic<Bool>(false)
    /// Host memory of the kernel as last measured, in bytes.
    private let measuredBytes = Atomic<Int>(0)

    init(
        _ kernel: consuming Kernel,
        ordinal: UInt64,
        settings: Settings,
        events: EventHub
    ) {
        id = SessionID()
        self.ordinal = ordinal
        createdAt = Clock.wallSeconds()
        tables = MachineTables.of(kernel)
        cpuCount = kernel.machine.cpus
        lastUsed = Atomic(Clock.monotonic())
        measuredBytes.store(kernel.heldBytes, ordering: .relaxed)
        self.settings = Mutex(settings)
        self.events = events
        self.kernel = Mutex(kernel)
    }

    var heldBytes: Int { measuredBytes.load(ordering: .relaxed) }

    /// Whether the session is out of the store: jobs that hold it end.
    var isDropped: Bool { wasDropped.load(ordering: .relaxed) }
    func markDropped() { wasDropped.store(true, ordering: .relaxed) }

    /// Records a request at the monotonic time `now`.
    @inline(__always)
    func touch(_ now: UInt64) { lastUsed.store(now, ordering: .relaxed) }

    /// Notes the kernel's size and gives the change since the last time.
    func measure(_ kernel: borrowing Kernel) -> Int {
        let bytes = kernel.heldBytes
        return bytes &- measuredBytes.exchange(bytes, ordering: .relaxed)
    }

    /// Keeps the session from being dropped as idle while a job works for it.
    func beginJob() { jobCount.add(1, ordering: .relaxed) }
    func endJob() {
        jobCount.subtract(1, ordering: .relaxed)
        touch(Clock.monotonic())
    }

    /// Seconds since the last request.
    func idleSeconds(at now: UInt64) -> UInt64 {
        let last = lastUsed.load(ordering: .relaxed)
        return now > last ? (now - last) / 1_000_000_000 : 0
    }

    /// Whether the idle timeout has passed, no job works for the session and nobody watches it.
    func isExpired(at now: UInt64) -> Bool {
        let timeout = settings.withLock { $0.idleTimeout }
        return timeout > 0 && jobCount.load(ordering: .relaxed) == 0
            && idleSeconds(at: now) >= timeout && events.subscriberCount == 0
    }
}
