import Glibc
import HTTPServer
import Synchronization
import Testing

/// A stream that sends what the test pushes.
final class PushSource: StreamSource {
    private struct State {
        var connections: [StreamConnection] = []
        var pending: [UInt8] = []
        var isEnded = false
    }

    private let state = Mutex(State())
    let closedCount = Atomic(0)

    func opened(_ connection: StreamConnection) {
        state.withLock { $0.connections.append(connection) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamRead {
        state.withLock { state in
            if !state.pending.isEmpty {
                let count = min(state.pending.count, buffer.count)
                unsafe buffer.copyBytes(from: state.pending[..<count])
                state.pending.removeFirst(count)
                return .bytes(count)
            }
            return state.isEnded ? .end : .pause
        }
    }

    func closed() { closedCount.add(1, ordering: .sequentiallyConsistent) }

    /// The connections that the source was opened for.
    var connections: [StreamConnection] { state.withLock { $0.connections } }

    func push(_ text: String, isLast: Bool = false) {
        let connections = state.withLock { state in
            state.pending += Array(text.utf8)
            state.isEnded = isLast
            return state.connections
        }
        for connection in connections { connection.wake() }
    }
}

@Suite("Streams and deferred answers")
struct StreamTests {
    static let streamRequest = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test func `a stream sends what comes while it sleeps, and ends`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        let client = try fixture.connect()
        client.send(Self.streamRequest)
        let head = client.streamHead()

        source.push("one")
        let first = client.chunk()
        source.push("two")
        let second = client.chunk()
        source.push("", isLast: true)

        #expect(head?.hasPrefix("HTTP/1.1 200") == true)
        #expect([first, second, client.chunk()] == ["one", "two", ""])
    }

    @Test func `every byte of many quick pushes arrives in order`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        let client = try fixture.connect()
        client.send(Self.streamRequest)
        let numbers = (0..<20_000).map { "\($0)\n" }

        for number in numbers { source.push(number) }
        source.push("", isLast: true)
        let answer = client.answer()

        #expect(answer?.body == numbers.joined())
    }

    @Test func `a stream is closed once when its client resets the connection`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        do {
            let client = try fixture.connect()
            client.send(Self.streamRequest)
            source.push("x")
            #expect(client.streamHead() != nil)
            client.reset()
        }

        // The watchdog notices within seconds, without anything to send.
        let isClosed = waitUntil { source.closedCount.load(ordering: .acquiring) > 0 }

        #expect(isClosed)
        source.push("nobody reads this")
        fixture.server.stop()
        #expect(source.closedCount.load(ordering: .acquiring) == 1)
    }

    @Test func `HEAD of a stream closes the source without reading it`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))

        let answer = try fixture.exchange("HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        fixture.server.stop()

        #expect(answer?.status == 200)
        #expect(source.closedCount.load(ordering: .acquiring) == 1)
    }

    @Test func `a deferred answer comes when it is completed, and only the first counts`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        client.send("GET /deferred HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(waitUntil { fixture.handler.lastDeferred.withLock { $0 != nil } })

        let deferred = fixture.handler.lastDeferred.withLock { $0 }
        deferred?.complete(with: Response(status: 202, body: .text("later")))
        deferred?.complete(with: Response(status: 200, body: .text("too late")))
        let answer = client.answer()
        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")

        #expect(answer?.status == 202)
        #expect(answer?.body == "later")
        #expect(client.answer()?.body == "get /x")
    }

    @Test func `a stream that nobody gets is closed all the same`() throws {
        let source = PushSource()
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        client.send("GET /deferred HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(waitUntil { fixture.handler.lastDeferred.withLock { $0 != nil } })

        let deferred = fixture.handler.lastDeferred.withLock { $0 }
        deferred?.complete(with: Response(status: 200))
        deferred?.complete(with: Response(status: 200, body: .stream(source)))

        #expect(client.answer()?.status == 200)
        #expect(source.closedCount.load(ordering: .acquiring) == 1)
    }

    @Test func `a deferred answer may be a stream`() throws {
        let source = PushSource()
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        client.send("GET /deferred HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(waitUntil { fixture.handler.lastDeferred.withLock { $0 != nil } })

        let deferred = fixture.handler.lastDeferred.withLock { $0 }
        deferred?.complete(with: Response(status: 200, body: .stream(source)))
        source.push("streamed", isLast: true)

        #expect(client.answer()?.body == "streamed")
        fixture.server.stop()
        #expect(source.closedCount.load(ordering: .acquiring) == 1)
    }

    @Test func `an answer may be complete before the connection sleeps`() throws {
        let fixture = try ServerFixture()

        let answer = try fixture.exchange("GET /completed HTTP/1.1\r\nHost: localhost\r\n\r\n")

        #expect(answer?.status == 201)
        #expect(answer?.body == "done")
    }

    @Test func `a sleeping request does not hold up the others`() throws {
        let fixture = try ServerFixture()
        let sleeping = try fixture.connect()
        sleeping.send("GET /deferred HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(waitUntil { fixture.handler.lastDeferred.withLock { $0 != nil } })

        let answer = try fixture.exchange("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")

        #expect(answer?.body == "get /x")
    }
}

/// Polls a condition that another thread makes true; false after ten seconds.
func waitUntil(_ condition: () -> Bool) -> Bool {
    let limit = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < limit {
        if condition() { return true }
        _ = poll(nil, 0, 1)
    }
    return condition()
}
