internal import Dispatch

/// Drops idle sessions from a thread of its own.
final class IdleSweeper: Sendable {
    private let stopped = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - store: the sessions.
    ///   - interval: seconds between two sweeps.
    init(_ store: SessionStore, interval: Int = 1) {
        let isStarted = NicedThread.start { [stopped, ended] in
            while stopped.wait(timeout: .now() + .seconds(max(interval, 1))) == .timedOut {
                _ = store.removeExpired(at: Clock.monotonic())
            }
            ended.signal()
        }
        if !isStarted { ended.signal() }
    }

    /// Ends the thread and waits for it.
    func stop() {
        stopped.signal()
        ended.wait()
    }
}
