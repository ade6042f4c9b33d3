import HTTPServer
import Synchronization
import Testing

@Suite("Stopping")
struct StopTests {
    @Test("a thousand open streams end cleanly, each once", arguments: [1, 2])
    func openStreams(threads: Int) throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source)) {
            $0.threads = threads
        }
        var clients: [RawClient] = []
        for _ in 0..<1_000 {
            let client = try fixture.connect()
            client.send(StreamTests.streamRequest)
            clients.append(client)
        }
        #expect(clients.allSatisfy { $0.streamHead() != nil })

        fixture.server.stop()

        #expect(source.closedCount.load(ordering: .acquiring) == 1_000)
        #expect(fixture.server.connectionCount == 0)
        #expect(clients.allSatisfy { $0.chunk() == "" && $0.isClosedByPeer() })
    }

    @Test func `an awaited answer becomes 503`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        client.send("GET /deferred HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(waitUntil { fixture.handler.lastDeferred.withLock { $0 != nil } })

        fixture.server.stop()
        let deferred = fixture.handler.lastDeferred.withLock { $0 }
        deferred?.complete(with: Response(status: 200))

        #expect(client.answer()?.body == "stopping")
    }

    @Test func `idle connections do not delay the stop, and the port is free again`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.answer()?.status == 200)

        fixture.server.stop()
        fixture.server.stop()

        #expect(client.isClosedByPeer())
        #expect(throws: RawClient.ConnectionFailed.self) { try fixture.connect() }
    }

    @Test func `pushing while the server stops is safe`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        let clients = try (0..<50).map { _ in try fixture.connect() }
        for client in clients { client.send(StreamTests.streamRequest) }
        let pusher = try #require(
            WorkerThread { thread in
                // Now and then: a loop without a pause would keep the source's lock from the server.
                while thread.sleep(milliseconds: 1) { source.push("x") }
            }
        )
        #expect(clients.allSatisfy { $0.streamHead() != nil })

        fixture.server.stop()
        pusher.join()

        #expect(source.closedCount.load(ordering: .acquiring) == 50)
    }

    @Test func `a taken port and an unknown host are errors`() throws {
        let fixture = try ServerFixture()

        #expect(throws: ListenError.self) {
            _ = try ServerFixture { $0.port = fixture.server.port }
        }
        #expect(throws: ListenError.unknownHost("no such host.invalid")) {
            _ = try ServerFixture { $0.host = "no such host.invalid" }
        }
    }
}
