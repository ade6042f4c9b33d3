import HTTPServer
import Testing

@Suite("HTTP: events")
struct EventRoutesTests {
    /// Opens a stream and reads its head.
    private func open(_ service: ServiceFixture, _ target: String) throws -> TestConnection {
        let stream = try TestConnection(port: service.server.port)
        stream.send(Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        let head = try #require(stream.read(until: "retry: 2000\n\n"))
        #expect(head.contains("Content-Type: text/event-stream\r\n"))
        return stream
    }

    @Test func `a stream carries number, function, return value and place of each call`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stream = try open(service, session + "/events")

        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "size=8&flags=GFP_KERNEL"
        )
        let address = answer.json["return"].text
        _ = try service.send("POST", session + "/calls/kfree", "objp=\(address)")
        let first = stream.read(until: "}\n\n")
        let second = stream.read(until: "\"kfree\",\"return\":null}\n\n")

        #expect(
            first?.contains(
                "id: 1\nevent: call\ndata: {\"seq\":1,\"call\":\"kmalloc\",\"return\":\"\(address)\","
                    + "\"cache\":\"kmalloc-8\",\"zone\":\"DMA32\"}\n\n"
            ) == true
        )
        #expect(
            ((first ?? "") + (second ?? "")).contains(
                "id: 2\nevent: call\ndata: {\"seq\":2,\"call\":\"kfree\",\"return\":null}\n\n"
            )
        )
    }

    @Test func `an event names the errno and the log lines of its call, where there are any`()
        throws
    {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stream = try open(service, session + "/events")

        _ = try service.send("POST", session + "/calls/sysctl", "name=none&value=1")
        let answer = try service.send("POST", session + "/calls/kfree", "objp=0x20")
        let text = try #require(stream.read(until: "id: 2\nevent: call\ndata: {"))
        let line = try #require(stream.read(until: "]}\n\n")).split(separator: "data: ").last ?? ""

        #expect(
            text.contains("{\"seq\":1,\"call\":\"sysctl\",\"return\":-2,\"errno\":\"ENOENT\"}\n\n")
        )
        #expect(line.hasPrefix("{\"seq\":2,\"call\":\"kfree\",\"return\":null,\"log\":[\"BUG: "))
        #expect(JSON(String(line))["log"] == answer.json["log"])
    }

    @Test func `the whole answer comes on request`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stream = try open(service, session + "/events?detail=full")

        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "size=8&flags=GFP_KERNEL"
        )
        let line = answer.text.trimmingSuffix("\n")

        #expect(stream.read(until: "id: 1\nevent: call\ndata: \(line)\n\n") != nil)
    }

    @Test func `a stream goes on behind the last event that its reader saw`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stream = try open(service, session + "/events")
        for _ in 1...3 {
            _ = try service.send("POST", session + "/calls/kmalloc", "size=8&flags=GFP_KERNEL")
        }
        _ = try #require(stream.read(until: "\"seq\":3,"))

        let resumed = try open(service, session + "/events?last_event_id=1")
        let text = try #require(resumed.read(until: "\"seq\":3,"))

        #expect(text.contains("id: 2\n") && !text.contains("id: 1\n"))
        #expect(!text.contains("event: gap"))
    }

    @Test func `a detail that there is not is refused with those there are`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()

        let answer = try service.send("GET", session + "/events?detail=all")

        #expect(answer.status == 422)
        #expect(answer.problem == "unknown-name")
        #expect(answer.text.contains("\"pointer\":\"/detail\""))
        #expect(answer.text.contains("\"valid\":[\"summary\",\"full\"]"))
    }

    @Test func `dropping a session ends its streams`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stream = try TestConnection(port: service.server.port)
        stream.send(
            Array(
                "GET \(session)/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    .utf8
            )
        )
        _ = try #require(stream.read(until: "retry:"))

        let dropped = try service.send("DELETE", session)
        let rest = String(decoding: stream.readToEnd(), as: UTF8.self)

        #expect(dropped.status == 204)
        #expect(rest.hasSuffix("0\r\n\r\n"))
    }

    @Test func `a malformed Last-Event-ID is refused`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let answer = try service.send("GET", session + "/events", headers: ["Last-Event-ID": "x"])

        #expect(answer.status == 422)
        #expect(answer.problem == "invalid-value")
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
