import HTTPServer
import Synchronization

/// The clock of all hubs: one thread that moves what readers may see.
///
/// Without ticks each event would wake each reader, and with a thousand readers the server would do
/// little else. Reaching a reader costs about 7 µs, nearly all of it the kernel's send: so ticks are
/// 20 ms apart, or as far as it takes to keep all readers together below 20,000 sends a second.
///
/// The thread sends itself to readers that are up to date, so that the server's thread goes on with
/// its requests; it sleeps while no hub has readers.
final class EventTicker: Sendable {
    static let tickMilliseconds = 20
    static let wakesPerMillisecond = 20

    private let hubs = Mutex<[ObjectIdentifier: EventHub]>([:])
    private let thread = Mutex<WorkerThread?>(nil)
    private let isStopped = Atomic(false)

    init() {}

    /// Joins the thread; its owner calls it once.
    ///
    /// Streams see no further events.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        let worker = thread.withLock { $0.take() }
        worker?.join()
        hubs.withLock { $0.removeAll() }
    }

    /// Ticks a hub until it is forgotten.
    func add(_ hub: EventHub) {
        hubs.withLock { $0[ObjectIdentifier(hub)] = hub }
        thread.withLock { worker in
            guard !isStopped.load(ordering: .relaxed) else { return }
            if let worker {
                // It may sleep long: forever without hubs, a second while they only linger.
                worker.poke()
            } else {
                worker = WorkerThread { [weak self] in self?.run($0) }
            }
        }
    }

    private func run(_ worker: WorkerThread) {
        let start = ContinuousClock.now
        var period = Self.tickMilliseconds
        while worker.sleep(milliseconds: isIdle ? -1 : Int32(clamping: period)) {
            let now = ContinuousClock.now - start
            let current = hubs.withLock { Array($0.values) }
            var readers = 0
            for hub in current { readers += step(hub, now) }
            period = Self.period(readers: readers)
        }
    }

    /// Milliseconds between ticks for a number of readers; a second while hubs only linger.
    static func period(readers: Int) -> Int {
        readers == 0 ? 1_000 : max(tickMilliseconds, readers / wakesPerMillisecond)
    }

    private var isIdle: Bool { hubs.withLock { $0.isEmpty } }

    /// Ticks a hub, and returns the number of its readers.
    private func step(_ hub: EventHub, _ now: Duration) -> Int {
        switch hub.tick(at: now) {
        case .watched(let readers):
            return readers
        case .lingering:
            return 0
        case .forgotten:
            _ = hubs.withLock { $0.removeValue(forKey: ObjectIdentifier(hub)) }
            // A reader that came in between has added the hub already: its removal is undone.
            if hub.subscriberCount > 0 { add(hub) }
            return 0
        }
    }
}
