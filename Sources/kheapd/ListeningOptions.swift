import ArgumentParser
import HTTPServer

/// Where the service listens and whom it answers.
struct ListeningOptions: ParsableArguments {
    @Option(help: "Address or name to listen on. Anything but loopback is reachable by others.")
    var host = "127.0.0.1"

    @Option(help: "Port; 0 picks a free one, which is printed.")
    var port: UInt16 = 8080

    @Option(help: "Threads that serve connections; one is the fastest for short requests.")
    var threads = 1

    @Option(
        name: .customLong("allow-host"),
        help: "Further name accepted in Host, besides localhost and loopback addresses; repeatable."
    )
    var allowedHosts: [String] = []

    @Option(
        name: .customLong("allow-origin"),
        help: "Origin that browsers may call from, or *; repeatable. Default: the service's own."
    )
    var allowedOrigins: [String] = []

    func validate() throws {
        guard (1...64).contains(threads) else {
            throw ValidationError("--threads must be 1 to 64.")
        }
    }

    func server(_ limits: LimitOptions) -> HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration()
        configuration.host = host
        configuration.port = port
        configuration.threads = threads
        configuration.allowedHosts = allowedHosts
        configuration.allowedOrigins = allowedOrigins
        configuration.connectionLimit = limits.maxConnections
        configuration.perIPConnectionLimit = limits.maxConnectionsPerAddress
        configuration.maximumHeaderBytes = limits.maxHeaderBytes
        configuration.idleTimeoutSeconds = limits.connectionIdleSeconds
        configuration.requestTimeoutSeconds = limits.requestSeconds
        return configuration
    }

    func url(port: UInt16) -> String {
        host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
    }
}
