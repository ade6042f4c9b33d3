import ArgumentParser
import HTTPServer
import KernelHeapService
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// `kheapd serve`: serves until SIGTERM or SIGINT.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve sessions over HTTP until SIGTERM or SIGINT."
    )

    @OptionGroup(title: "Listening") var listening: ListeningOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions

    @Option(help: "Log level: trace, debug (a line per request), info, warning, error.")
    var logLevel = "info"

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("There is no log level \"\(logLevel)\".")
        }
        try limits.validate()
    }

    func run() throws {
        let signals = StopSignals()
        var logger = Logger(label: "kheapd") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        let service = Service(limits.service, logger: logger)
        let server: HTTPServer
        do {
            server = try HTTPServer(
                configuration: listening.server(limits),
                handler: service,
                problems: service.problems
            )
        } catch {
            service.stop()
            throw ServeError(error)
        }
        // Whoever started the service reads the port from this line, so it must not be buffered.
        print("listening on \(listening.url(port: server.port))")
        fflush(nil)
        signals.wait()
        logger.info("stopping")
        server.stop()
        service.stop()
    }
}

/// Why the service cannot start, in words.
struct ServeError: Error, CustomStringConvertible {
    let description: String

    init(_ error: ListenError) {
        description =
            switch error {
            case .unknownHost(let host): "no address for host \"\(host)\""
            case .cannotBind(let host, let port, let errno):
                unsafe "cannot listen on \(host):\(port): \(String(cString: strerror(errno)))"
            case .cannotStart: "the HTTP library does not start"
            }
    }
}

/// SIGTERM and SIGINT, held back from every thread and waited for in one place.
///
/// Must be made before any other thread starts: threads inherit the mask.
struct StopSignals {
    private var set = sigset_t()

    init() {
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        // A client that leaves early is an error of one write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Returns when one of them has come.
    func wait() {
        var set = set
        var number: Int32 = 0
        unsafe sigwait(&set, &number)
    }
}
