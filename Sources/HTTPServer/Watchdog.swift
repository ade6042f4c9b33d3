internal import Glibc
internal import Synchronization

/// The clock of a server, and the end of connections that take too long.
///
/// The library closes a connection on which nothing happens. One that sends a byte now and then
/// stays below that, so each request has a limit as a whole, checked twice a second.
enum Watchdog {
    static let millisecondsPerTick: Int32 = 500

    static func ticks(_ seconds: Int) -> UInt32 {
        UInt32(clamping: max(1, seconds).multipliedReportingOverflow(by: 2).partialValue)
    }

    static func start(_ core: ServerCore) -> WorkerThread? {
        WorkerThread { thread in
            while thread.sleep(milliseconds: millisecondsPerTick) { step(core) }
        }
    }

    private static func step(_ core: ServerCore) {
        let now = core.tick.add(1, ordering: .relaxed).newValue
        let requestLimit = ticks(core.configuration.requestTimeoutSeconds)
        // Headers that arrive look like idleness from here: both limits may pass.
        let (sum, overflow) = requestLimit.addingReportingOverflow(
            ticks(core.configuration.idleTimeoutSeconds)
        )
        let idleLimit = overflow ? .max : sum
        core.connections.withLock { connections in
            // Under the lock a socket cannot be closed and its number used again.
            connections.forEach { socket, progress in
                guard progress.hasTimeLimit else { return }
                // Half a second more than the limit in the body, which answers 408.
                let limit = progress.isBusy ? requestLimit + 2 : idleLimit
                if now &- progress.start > limit { shutdown(socket, Int32(SHUT_RDWR)) }
            }
        }
        if now % 2 == 0 { core.reapAbandonedStreams() }
    }
}
