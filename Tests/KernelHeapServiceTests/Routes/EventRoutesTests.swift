import HTTPServer
import Testing

@Suite("HTTP: events")
struct EventRoutesTests {
    @Test func `a stream carries the answer of each call under its number`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stream = try TestConnection(port: service.server.port)
        stream.send(Array("GET \(session)/events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        let head = try #require(stream.read(until: "retry:"))

        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "size=8&flags=GFP_KERNEL"
        )
        let line = answer.text.trimmingSuffix("\n")
        let text = stream.read(until: "data: \(line)\n\n")

        #expect(head.contains("Content-Type: text/event-stream\r\n"))
        #expect(text?.contains("id: 1\nevent: call\n") == true)
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
