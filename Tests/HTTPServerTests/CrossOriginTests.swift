import HTTPServer
import Testing

@Suite("Cross-origin requests")
struct CrossOriginTests {
    private static let origin = "Origin: http://dash.example\r\n"

    private func fixture(_ origins: String...) throws -> ServerFixture {
        try ServerFixture { $0.allowedOrigins = origins }
    }

    @Test func `an allowed origin may act and read the answer`() throws {
        let answer = try fixture("http://dash.example").exchange(
            "POST /x HTTP/1.1\r\nHost: localhost\r\n\(Self.origin)Content-Length: 0\r\n\r\n"
        )

        #expect(answer?.status == 200)
        #expect(answer?.header("access-control-allow-origin") == "http://dash.example")
        #expect(answer?.header("vary") == "Origin")
        #expect(answer?.header("access-control-expose-headers")?.contains("ETag") == true)
    }

    @Test func `a preflight is answered with what was asked for`() throws {
        let answer = try fixture("http://dash.example").exchange(
            "OPTIONS /x HTTP/1.1\r\nHost: localhost\r\n\(Self.origin)"
                + "Access-Control-Request-Method: PATCH\r\n"
                + "Access-Control-Request-Headers: content-type, if-match\r\n\r\n"
        )

        #expect(answer?.status == 204)
        #expect(answer?.header("access-control-allow-methods")?.contains("PATCH") == true)
        #expect(answer?.header("access-control-allow-headers") == "content-type, if-match")
        #expect(answer?.header("access-control-allow-origin") == "http://dash.example")
    }

    @Test func `a page elsewhere may not act, and reads nothing`() throws {
        let fixture = try fixture("http://other.example")

        let acting = try fixture.exchange(
            "POST /x HTTP/1.1\r\nHost: localhost\r\n\(Self.origin)Content-Length: 0\r\n\r\n"
        )
        let reading = try fixture.exchange(
            "GET /x HTTP/1.1\r\nHost: localhost\r\n\(Self.origin)\r\n"
        )

        #expect(acting?.body == "originNotAllowed")
        #expect(reading?.status == 200)
        #expect(reading?.header("access-control-allow-origin") == nil)
    }

    @Test func `the server's own page needs no permission`() throws {
        let answer = try fixture().exchange(
            "POST /x HTTP/1.1\r\nHost: localhost:81\r\nOrigin: http://localhost:81\r\n"
                + "Content-Length: 0\r\n\r\n"
        )

        #expect(answer?.status == 200)
        #expect(answer?.header("vary") == nil)
    }

    @Test func `a star lets any origin in`() throws {
        let answer = try fixture("*").exchange(
            "DELETE /x HTTP/1.1\r\nHost: localhost\r\n\(Self.origin)\r\n"
        )

        #expect(answer?.header("access-control-allow-origin") == "*")
    }

    @Test func `a refusal during the body is readable from an allowed origin`() throws {
        let answer = try fixture("http://dash.example").exchange(
            "POST /x HTTP/1.1\r\nHost: localhost\r\n\(Self.origin)Transfer-Encoding: chunked\r\n\r\n"
                + "1ffff\r\n" + String(repeating: "a", count: 0x1ffff) + "\r\n0\r\n\r\n"
        )

        #expect(answer?.status == 413)
        #expect(answer?.header("access-control-allow-origin") == "http://dash.example")
    }
}
