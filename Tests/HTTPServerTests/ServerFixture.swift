import HTTPServer
import Synchronization

/// A handler that echoes, counts, streams and defers, and problems that name their reason.
final class EchoHandler: RequestHandler, ProblemSource {
    let bodyLimit: Int
    let respondCount = Atomic(0)
    let lastDeferred = Mutex<DeferredResponse?>(nil)
    let source: (any StreamSource)?

    init(bodyLimit: Int = 100_000, source: (any StreamSource)? = nil) {
        self.bodyLimit = bodyLimit
        self.source = source
    }

    func admit(_ request: borrowing Request) -> Admission {
        if path(request) == "/forbidden" {
            return .refuse(Response(status: 404, contentType: "text/plain", body: .text("no")))
        }
        return .body(limit: bodyLimit)
    }

    func respond(to request: borrowing Request) -> Response {
        respondCount.add(1, ordering: .relaxed)
        switch path(request) {
        case "/deferred":
            let deferred = DeferredResponse()
            lastDeferred.withLock { $0 = deferred }
            return Response(status: 200, body: .deferred(deferred))
        case "/completed":
            let deferred = DeferredResponse()
            deferred.complete(with: Response(status: 201, body: .text("done")))
            return Response(status: 200, body: .deferred(deferred))
        case "/stream":
            if let source { return Response(status: 200, body: .stream(source)) }
            return Response(status: 404)
        case "/header":
            return Response(status: 200, body: .text(request.header("x-test") ?? "none"))
        default:
            return echo(request)
        }
    }

    func problem(status: Int, reason: ServerRefusal) -> Response {
        Response(
            status: status,
            contentType: "application/problem+json",
            body: .text(String(describing: reason))
        )
    }

    private func echo(_ request: borrowing Request) -> Response {
        var text = "\(request.method) \(path(request))"
        let query = unsafe request.withQuery { unsafe String(decoding: $0, as: UTF8.self) }
        if !query.isEmpty { text += " ?\(query)" }
        let body = unsafe request.withBody { unsafe String(decoding: $0, as: UTF8.self) }
        if !body.isEmpty { text += " \(body)" }
        return Response(
            status: 200,
            contentType: "text/plain",
            headers: [(name: "ETag", value: "\"1\"")],
            body: .text(text)
        )
    }

    private func path(_ request: borrowing Request) -> String {
        unsafe request.withPath { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension ResponseBody {
    static func text(_ text: String) -> ResponseBody {
        var buffer = ByteBuffer()
        buffer.append(text)
        return .bytes(buffer)
    }
}

/// A server on a free port, stopped when the test lets go of it.
final class ServerFixture {
    let server: HTTPServer
    let handler: EchoHandler

    init(
        handler: EchoHandler = EchoHandler(),
        configure: (inout HTTPServerConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = HTTPServerConfiguration()
        configuration.stopTimeoutSeconds = 2
        configure(&configuration)
        self.handler = handler
        server = try HTTPServer(configuration: configuration, handler: handler, problems: handler)
    }

    deinit { server.stop() }

    func connect() throws -> RawClient { try RawClient(port: server.port) }

    /// Sends bytes on a connection of their own and reads the first answer.
    func exchange(_ text: String) throws -> RawClient.Answer? {
        let client = try connect()
        client.send(text)
        return client.answer(toHead: text.hasPrefix("HEAD"))
    }
}
