internal import Logging

/// One structured line per request, where the log level asks for it.
///
/// Client's mistakes are `debug`, like successes; our own failures are `error`.
struct RequestLog: Sendable {
    private let logger: Logger?
    private let logsRequests: Bool

    init(_ logger: Logger?) {
        self.logger = logger
        logsRequests = (logger?.logLevel ?? .critical) <= .debug
    }

    @inline(__always)
    func request(_ route: Route, status: Int, nanoseconds: UInt64) {
        guard logsRequests || status >= 500 else { return }
        write(route, status, nanoseconds)
    }

    @inline(never)
    private func write(_ route: Route, _ status: Int, _ nanoseconds: UInt64) {
        logger?.log(
            level: status == 500 ? .error : .debug,
            "request",
            metadata: [
                "route": "\(route.template)", "status": "\(status)",
                "microseconds": "\(nanoseconds / 1_000)",
            ]
        )
    }
}
