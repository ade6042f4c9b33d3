/// Where a server listens, whom it answers, and every limit it keeps.
public struct HTTPServerConfiguration: Sendable {
    /// An IP literal or a name; the first address that it resolves to is bound.
    public var host = "127.0.0.1"
    /// 0 takes any free port; `HTTPServer.port` tells which.
    public var port: UInt16 = 0
    /// Threads that serve connections.
    ///
    /// One is the fastest for short requests.
    public var threads = 1
    public var listenBacklog = 1_024

    /// Further connections are closed at once.
    ///
    /// Lowered to what the descriptor limit allows.
    public var connectionLimit = 4_096
    /// Connections from one address; 0 for no limit.
    public var perIPConnectionLimit = 0
    /// Bytes of request line, headers and buffers of one connection.
    ///
    /// The library clears this much after each request: 32 KiB cost 7 % of a short one.
    public var connectionMemoryLimit = 16 * 1_024
    /// Bytes of request line and headers together, answered 431 beyond.
    ///
    /// Above about three quarters of `connectionMemoryLimit` the library's own answer comes
    /// first.
    public var maximumHeaderBytes = 8 * 1_024
    /// Bytes of path and query, answered 414 beyond.
    public var maximumTargetBytes = 4 * 1_024
    /// Bytes that the bodies of all requests under way may hold together, answered 503 beyond.
    public var maximumBufferedBodyBytes = 256 * 1_024 * 1_024

    /// Seconds without a byte after which a connection closes.
    public var idleTimeoutSeconds = 60
    /// Seconds that a request may take to arrive, and an answer to leave.
    ///
    /// Streams and deferred answers are exempt.
    public var requestTimeoutSeconds = 60
    /// Seconds that `HTTPServer.stop()` waits for requests under way.
    public var stopTimeoutSeconds = 5
    /// Longest silence of an event stream, in seconds.
    public var heartbeatSeconds = 15
    /// Kernel send buffer of a streamed answer, in bytes: what a reader that stopped can hold.
    public var streamSendBufferBytes = 64 * 1_024

    /// Names accepted in `Host` besides localhost, loopback literals and `host`.
    public var allowedHosts: [String] = []
    /// Origins that browsers may call from.
    ///
    /// Empty: same origin only. `*`: any.
    public var allowedOrigins: [String] = []

    public init() {}
}

/// Why a server could not start.
public enum ListenError: Error, Equatable, Sendable {
    /// The host is neither an address nor a name that resolves.
    case unknownHost(String)
    /// The address could not be bound: `errno` of the call that failed.
    case cannotBind(host: String, port: UInt16, errno: Int32)
    /// The HTTP library refused to start.
    case cannotStart
}
