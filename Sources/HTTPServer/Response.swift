/// An answer: status, headers, body.
public struct Response: ~Copyable, Sendable {
    public var status: Int
    /// `Content-Type`; empty for none.
    public var contentType: StaticString
    /// Further headers; the server adds Date, Content-Length and Connection itself.
    public var headers: [(name: String, value: String)]
    public var body: ResponseBody

    public init(
        status: Int,
        contentType: StaticString = "",
        headers: [(name: String, value: String)] = [],
        body: consuming ResponseBody = .empty
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// Drops an answer that nobody will get; a stream's source learns that it ended.
    consuming func discard() {
        switch consume body {
        case .stream(let source): source.closed()
        default: break
        }
    }
}

/// What a response carries.
public enum ResponseBody: ~Copyable, Sendable {
    case empty
    case bytes(ByteBuffer)
    /// Chunked: the source is read whenever the connection can take more.
    case stream(any StreamSource)
    /// The connection waits; a worker completes the answer later.
    case deferred(DeferredResponse)

    /// The later answer that this body stands for, if it does.
    var deferredResponse: DeferredResponse? {
        switch self {
        case .deferred(let deferred): deferred
        case .empty: nil
        case .bytes: nil
        case .stream: nil
        }
    }
}

/// What a stream's source had to offer.
public enum StreamRead: Sendable {
    /// This many bytes were written into the buffer; at least one.
    case bytes(Int)
    /// Nothing yet: the connection sleeps until `StreamConnection.wake()`.
    case pause
    case end
}

/// Produces a streamed body piece by piece.
public protocol StreamSource: AnyObject, Sendable {
    /// Called once before the first read; the source keeps the connection to wake it.
    func opened(_ connection: StreamConnection)
    /// Fills the buffer. Called on a server thread; must not block.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamRead
    /// The stream ended, for whatever reason, perhaps before it began. Called exactly once.
    func closed()
}

/// Decides about requests.
///
/// Called on the server's threads.
public protocol RequestHandler: Sendable {
    /// Sees method, path, query and headers before the body is read.
    func admit(_ request: borrowing Request) -> Admission
    /// Answers a request whose body is complete.
    func respond(to request: borrowing Request) -> Response
}

/// The verdict on a request's headers.
public enum Admission: ~Copyable, Sendable {
    /// Read a body of at most `limit` bytes; a longer one is answered 413 by `RequestHandler`'s
    /// problem for it.
    case body(limit: Int)
    case refuse(Response)
}
