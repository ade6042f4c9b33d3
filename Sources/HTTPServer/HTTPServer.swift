internal import CHTTPBridge
internal import Glibc
internal import Synchronization

/// An HTTP/1.1 server: accepts connections, checks requests, and asks a handler for answers.
///
/// The work is done by GNU libmicrohttpd on threads of its own, without a Swift task in between. The
/// handler sees only requests that follow the standard, name this server, and may come from where
/// they come from; everything else is refused with a document of the `ProblemSource`.
public final class HTTPServer: Sendable {
    private struct Running: ~Copyable {
        let daemon: MicroHTTPDaemon
        let listener: ListeningSocket
        let watchdog: WorkerThread

        /// Joins the threads; the listener closes behind them.
        consuming func end() {
            watchdog.join()
            daemon.stop()
        }
    }

    /// The port that the server listens on.
    public let port: UInt16
    private let core: ServerCore
    private let running: Mutex<Running?>

    /// Starts to listen and to serve.
    ///
    /// Raises the process's limit of open files to what it may have.
    ///
    /// - Parameters:
    ///   - configuration: Where to listen, and the limits.
    ///   - handler: Answers requests, on the server's threads.
    ///   - problems: Describes the refusals that the server makes itself.
    /// - Throws: `ListenError` when the address cannot be used.
    public init(
        configuration: HTTPServerConfiguration,
        handler: some RequestHandler,
        problems: some ProblemSource
    ) throws(ListenError) {
        var configuration = configuration
        let descriptors = Int(clamping: chttp_raise_descriptor_limit())
        configuration.connectionLimit = max(1, min(configuration.connectionLimit, descriptors - 64))
        let listener = try ListeningSocket(
            host: configuration.host,
            port: configuration.port,
            backlog: configuration.listenBacklog
        )
        port = listener.port
        core = ServerCore(configuration: configuration, handler: handler, problems: problems)
        guard let watchdog = Watchdog.start(core) else { throw .cannotStart }
        let daemon: MicroHTTPDaemon
        do throws(ListenError) {
            daemon = try MicroHTTPDaemon(
                core: core,
                listenSocket: listener.descriptor,
                connectionLimit: configuration.connectionLimit
            )
        } catch {
            watchdog.join()
            throw error
        }
        running = Mutex(Running(daemon: daemon, listener: listener, watchdog: watchdog))
    }

    deinit { stop() }

    /// Connections that are open now.
    public var connectionCount: Int { core.connectionCount.load(ordering: .relaxed) }

    /// Ends the server and waits for its threads; safe to repeat, not to call from a handler.
    ///
    /// New connections are refused at once, streams end, deferred answers that are not there yet
    /// become 503, and requests under way have `stopTimeoutSeconds` to finish.
    public func stop() {
        running.withLock { slot in
            guard let running = slot.take() else { return }
            running.daemon.quiesce()
            core.wakeEverybody()
            waitForRequests()
            running.end()
        }
    }

    private func waitForRequests() {
        let steps = max(0, min(core.configuration.stopTimeoutSeconds, 3_600)) * 500
        for _ in 0..<steps where isBusy { usleep(2_000) }
    }

    private var isBusy: Bool {
        core.connections.withLock { connections in
            var isBusy = false
            connections.forEach { _, progress in isBusy = isBusy || progress.isBusy }
            return isBusy
        }
    }
}
