import HTTPServer
import Testing

@Suite("Chunks pushed to sleeping streams")
struct PushTests {
    private struct Empty: Error {}

    private func chunk(_ text: String) throws -> StreamChunk {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: text.utf8.count,
            alignment: 1
        )
        defer { unsafe bytes.deallocate() }
        unsafe bytes.copyBytes(from: text.utf8)
        guard let chunk = unsafe StreamChunk(UnsafeRawBufferPointer(bytes)) else { throw Empty() }
        return chunk
    }

    /// Pushes as soon as the stream sleeps; false where it never does.
    private func push(_ text: String, through source: PushSource) throws -> Bool {
        let connection = try #require(source.connections.first)
        let chunk = try chunk(text)
        return waitUntil { connection.push(chunk) }
    }

    @Test func `pushed chunks arrive between those that are read, and the stream ends well`()
        throws
    {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        let client = try fixture.connect()
        client.send(StreamTests.streamRequest)
        #expect(client.streamHead() != nil)

        source.push("one")
        var chunks = [client.chunk()]
        #expect(try push("two", through: source))
        #expect(try push("three", through: source))
        chunks.append(client.chunk())
        chunks.append(client.chunk())
        source.push("four")
        chunks.append(client.chunk())
        #expect(try push("five", through: source))
        source.push("", isLast: true)
        chunks.append(client.chunk())

        #expect(chunks == ["one", "two", "three", "four", "five"])
        #expect(client.chunk() == "")
    }

    @Test func `a stopped server sends no chunk behind the end`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        let client = try fixture.connect()
        client.send(StreamTests.streamRequest)
        #expect(client.streamHead() != nil)
        source.push("one")
        #expect(client.chunk() == "one")
        #expect(try push("two", through: source))

        fixture.server.stop()
        let connection = try #require(source.connections.first)
        let late = try chunk("three")

        #expect(connection.push(late) == false)
        #expect([client.chunk(), client.chunk()] == ["two", ""])
    }

    @Test func `a chunk that the socket might not take whole is left to be read`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source)) {
            $0.streamSendBufferBytes = 16 * 1_024
        }
        let client = try fixture.connect()
        client.send(StreamTests.streamRequest)
        #expect(client.streamHead() != nil)
        source.push("one")
        #expect(client.chunk() == "one")
        #expect(try push("two", through: source))

        let connection = try #require(source.connections.first)
        let long = try chunk(String(repeating: "x", count: 8 * 1_024))

        #expect(connection.push(long) == false)
    }

    @Test func `a client of HTTP 1.0, whose body has no chunks, is never pushed to`() throws {
        let source = PushSource()
        let fixture = try ServerFixture(handler: EchoHandler(source: source))
        let client = try fixture.connect()
        client.send("GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n")
        let isOpen = waitUntil { !source.connections.isEmpty }

        let connection = try #require(source.connections.first)
        let late = try chunk("pushed")
        let isPushed = connection.push(late)
        source.push("read", isLast: true)

        #expect(isOpen && !isPushed)
        #expect(client.rest().hasSuffix("\r\n\r\nread"))
    }

    @Test func `nothing to say is no chunk`() {
        let chunk = unsafe StreamChunk(UnsafeRawBufferPointer(start: nil, count: 0))

        let isChunk = if case .some = chunk { true } else { false }
        #expect(!isChunk)
    }
}
