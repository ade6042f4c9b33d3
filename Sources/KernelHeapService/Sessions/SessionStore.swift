internal import KernelHeap
internal import Synchronization

/// Every session of the process by its id, in shards with a lock each.
final class SessionStore: Sendable {
    private final class Shard: Sendable {
        let sessions = Mutex<[SessionID: Session]>([:])
    }

    private let shards = (0..<16).map { _ in Shard() }
    private let sessionCount = Atomic<Int>(0)
    private let totalBytes = Atomic<Int>(0)
    private let nextOrdinal = Atomic<UInt64>(1)
    private let maximumCount: Int
    private let maximumBytes: Int
    private let ticker: EventTicker

    /// - Parameters:
    ///   - maximumCount: sessions at once.
    ///   - maximumBytes: host memory of all kernels at which no further session is booted.
    ///   - ticker: the clock of the sessions' event streams.
    init(maximumCount: Int, maximumBytes: Int, ticker: EventTicker) {
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
        self.ticker = ticker
    }

    var count: Int { sessionCount.load(ordering: .relaxed) }
    /// Host memory of all kernels as last measured, in bytes.
    var heldBytes: Int { totalBytes.load(ordering: .relaxed) }

    @inline(__always)
    func find(_ id: SessionID) -> Session? {
        shard(id).sessions.withLock { $0[id] }
    }

    /// Boots a machine and keeps it.
    ///
    /// - Throws: `too-many-sessions`, `memory-limit`, or `invalid-machine` with the engine's reason
    ///   and its pointer below `/machine`.
    func boot(
        _ description: MachineDescription,
        _ settings: Session.Settings
    ) throws(Problem) -> Session {
        try keep(settings) { () throws(Problem) in
            do throws(MachineError) {
                return try Kernel(description)
            } catch {
                throw Problem(.invalidMachine, error.message, at: "/machine" + error.pointer)
            }
        }
    }

    /// Makes a session around a kernel that `make` gives, where the limits allow one more.
    ///
    /// - Throws: `too-many-sessions`, `memory-limit`, and what `make` throws.
    func keep(
        _ settings: Session.Settings,
        _ make: () throws(Problem) -> Kernel
    ) throws(Problem) -> Session {
        guard heldBytes < maximumBytes else {
            throw Problem(.memoryLimit, "all sessions together hold \(heldBytes) bytes")
        }
        // The place is taken first, so that no burst of requests overshoots the limit.
        let taken = sessionCount.add(1, ordering: .relaxed).oldValue
        guard taken < maximumCount else {
            sessionCount.subtract(1, ordering: .relaxed)
            throw Problem(.tooManySessions, "at most \(maximumCount) sessions at once")
        }
        do throws(Problem) {
            var kernel = try make()
            // A fork's events go on counting where its calls do.
            let events = EventHub(ticker: ticker, nextID: kernel.sequence + 1)
            kernel.onProgress = { events.note($0) }
            let session = Session(
                kernel,
                ordinal: nextOrdinal.add(1, ordering: .relaxed).oldValue,
                settings: settings,
                events: events
            )
            totalBytes.add(session.heldBytes, ordering: .relaxed)
            shard(session.id).sessions.withLock { $0[session.id] = session }
            return session
        } catch {
            sessionCount.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Drops a session; nil where it is gone already.
    ///
    /// A job that holds it ends its slice in peace.
    @discardableResult
    func remove(_ id: SessionID) -> Session? {
        guard let session = shard(id).sessions.withLock({ $0.removeValue(forKey: id) }) else {
            return nil
        }
        sessionCount.subtract(1, ordering: .relaxed)
        totalBytes.subtract(session.heldBytes, ordering: .relaxed)
        session.markDropped()
        session.events.close()
        return session
    }

    /// Whether a session may grow: not when all together hold too much and it holds more than
    /// its share, nor when it alone holds `limit` bytes.
    func mayGrow(_ session: Session, limit: Int) -> Bool {
        let held = session.heldBytes
        return held <= limit
            && (heldBytes <= maximumBytes || held <= maximumBytes / max(maximumCount, 1))
    }

    /// Notes how a kernel has grown or shrunk.
    func recordGrowth(_ bytes: Int) {
        if bytes != 0 { totalBytes.add(bytes, ordering: .relaxed) }
    }

    /// Sessions behind `ordinal` in the order of their creation, at most `limit`.
    func list(after ordinal: UInt64, limit: Int) -> [Session] {
        var found: [Session] = []
        for shard in shards {
            shard.sessions.withLock { sessions in
                found.append(contentsOf: sessions.values.lazy.filter { $0.ordinal > ordinal })
            }
        }
        found.sort { $0.ordinal < $1.ordinal }
        return Array(found.prefix(max(limit, 0)))
    }

    /// Drops every session whose idle timeout has passed; gives their number.
    func removeExpired(at now: UInt64) -> Int {
        var removed = 0
        for shard in shards {
            let expired = shard.sessions.withLock { sessions in
                sessions.values.filter { $0.isExpired(at: now) }.map(\.id)
            }
            for id in expired where remove(id) != nil { removed += 1 }
        }
        return removed
    }

    @inline(__always)
    private func shard(_ id: SessionID) -> Shard {
        shards[Int(truncatingIfNeeded: id.low & 15)]
    }
}
