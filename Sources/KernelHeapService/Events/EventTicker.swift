import HTTPServer
import Synchronization

/// The clock of all hubs: one thread that moves what readers may see, 50 times a second.
///
/// It sleeps while no hub has readers. Without ticks each event would wake each reader: with a
/// thousand readers, the server would do little else.
final class EventTicker: Sendable {
    static let tickMilliseconds: Int32 = 20
    static let ticksPerSecond = 50

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
        let isFirst = hubs.withLock { hubs in
            let wasEmpty = hubs.isEmpty
            hubs[ObjectIdentifier(hub)] = hub
            return wasEmpty
        }
        thread.withLock { worker in
            guard !isStopped.load(ordering: .relaxed) else { return }
            if let worker {
                if isFirst { worker.poke() }
            } else {
                worker = WorkerThread { [weak self] in self?.run($0) }
            }
        }
    }

    private func run(_ worker: WorkerThread) {
        var tick: UInt64 = 0
        while worker.sleep(milliseconds: isIdle ? -1 : Self.tickMilliseconds) {
            tick &+= 1
            let current = hubs.withLock { Array($0.values) }
            for hub in current { step(hub, tick) }
        }
    }

    private var isIdle: Bool { hubs.withLock { $0.isEmpty } }

    private func step(_ hub: EventHub, _ tick: UInt64) {
        // Two beats make a silence: a stream that was quiet for a whole beat answers.
        let ticksPerBeat = UInt64(max(1, hub.limits.heartbeatSeconds)) * 50 / 2
        let outcome = hub.tick(
            isHeartbeat: tick % ticksPerBeat == 0,
            ticksPerSecond: Self.ticksPerSecond
        )
        guard outcome == .forgotten else { return }
        _ = hubs.withLock { $0.removeValue(forKey: ObjectIdentifier(hub)) }
        // A reader that came in between has added the hub again, or does so now.
        if hub.subscriberCount > 0 { add(hub) }
    }
}
