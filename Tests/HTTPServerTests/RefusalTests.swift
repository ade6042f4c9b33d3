import HTTPServer
import Synchronization
import Testing

@Suite("Refusals")
struct RefusalTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let request: String
        let reason: ServerRefusal

        init(_ name: String, _ reason: ServerRefusal, _ request: String) {
            self.name = name
            self.request = request
            self.reason = reason
        }
        var testDescription: String { name }
    }

    private static let host = "Host: localhost\r\n"

    static let cases: [Case] = [
        Case("no host", .missingHost, "GET / HTTP/1.1\r\n\r\n"),
        Case("two hosts", .duplicateHost, "GET / HTTP/1.1\r\n\(host)\(host)\r\n"),
        Case("foreign host", .hostNotAllowed, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        Case(
            "host with letters for a port",
            .hostNotAllowed,
            "GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n"
        ),
        Case(
            "host that only begins well",
            .hostNotAllowed,
            "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n"
        ),
        Case("empty host", .hostNotAllowed, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        Case(
            "two lengths",
            .duplicateContentLength,
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"
        ),
        Case(
            "length and chunks",
            .conflictingLength,
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        ),
        Case(
            "gzip, chunked",
            .transferEncodingNotImplemented,
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n"
        ),
        Case(
            "identity",
            .transferEncodingNotImplemented,
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: identity\r\n\r\n"
        ),
        Case(
            "chunked twice",
            .transferEncodingNotImplemented,
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        Case(
            "length of 2^63",
            .bodyTooLarge,
            "POST / HTTP/1.1\r\n\(host)Content-Length: 9223372036854775808\r\n\r\n"
        ),
        Case(
            "length of 2^64 - 1",
            .bodyTooLarge,
            "POST / HTTP/1.1\r\n\(host)Content-Length: 18446744073709551615\r\n\r\n"
        ),
        Case(
            "space before the colon",
            .malformedHeader,
            "GET / HTTP/1.1\r\n\(host)X-A : b\r\n\r\n"
        ),
        Case("name with a bracket", .malformedHeader, "GET / HTTP/1.1\r\n\(host)X(A): b\r\n\r\n"),
        Case("NUL in a value", .malformedHeader, "GET / HTTP/1.1\r\n\(host)X-A: b\0c\r\n\r\n"),
        Case("NUL behind a value", .malformedHeader, "GET / HTTP/1.1\r\n\(host)X-A: b\0\r\n\r\n"),
        Case("bare LF", .malformedHeader, "GET / HTTP/1.1\r\n\(host)X-A: b\nX-B: c\r\n\r\n"),
        Case("bare LF behind the request line", .malformedHeader, "GET / HTTP/1.1\n\(host)\r\n"),
        Case("bare LF at the end", .malformedHeader, "GET / HTTP/1.1\r\n\(host)\n"),
        Case(
            "line without a name",
            .malformedHeader,
            "GET / HTTP/1.1\r\n\(host): v\r\nX-A: b\r\n\r\n"
        ),
        Case("line of a colon", .malformedHeader, "GET / HTTP/1.1\r\n\(host):\r\n\r\n"),
        Case("line without a name first", .malformedHeader, "GET / HTTP/1.1\r\n:\r\n\(host)\r\n"),
        Case("NUL in the target", .malformedRequestLine, "GET /a\0b HTTP/1.1\r\n\(host)\r\n"),
        Case("NUL in the method", .malformedRequestLine, "GET\0X / HTTP/1.1\r\n\(host)\r\n"),
        Case("two spaces", .malformedRequestLine, "GET  / HTTP/1.1\r\n\(host)\r\n"),
        Case("unknown method", .methodNotImplemented, "BREW / HTTP/1.1\r\n\(host)\r\n"),
        Case("lower case method", .methodNotImplemented, "get / HTTP/1.1\r\n\(host)\r\n"),
        Case("TRACE", .methodNotImplemented, "TRACE / HTTP/1.1\r\n\(host)\r\n"),
        Case("absolute target", .malformedTarget, "GET http://localhost/ HTTP/1.1\r\n\(host)\r\n"),
        Case("asterisk", .malformedTarget, "OPTIONS * HTTP/1.1\r\n\(host)\r\n"),
        Case("target without slash", .malformedTarget, "GET a HTTP/1.1\r\n\(host)\r\n"),
        Case("space in the target", .malformedTarget, "GET /a b HTTP/1.1\r\n\(host)\r\n"),
        Case("high byte in the target", .malformedTarget, "GET /\u{e4} HTTP/1.1\r\n\(host)\r\n"),
        Case("fragment", .malformedTarget, "GET /a#b HTTP/1.1\r\n\(host)\r\n"),
        Case("broken escape", .malformedTarget, "GET /%4 HTTP/1.1\r\n\(host)\r\n"),
        Case(
            "long target",
            .targetTooLong,
            "GET /\(String(repeating: "a", count: 4_200)) HTTP/1.1\r\n\(host)\r\n"
        ),
        Case(
            "large headers",
            .headersTooLarge,
            "GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "a", count: 8_300))\r\n\r\n"
        ),
        Case(
            "declared too large",
            .bodyTooLarge,
            "POST / HTTP/1.1\r\n\(host)Content-Length: 100001\r\n\r\n"
        ),
        Case(
            "expected too large",
            .bodyTooLarge,
            "POST / HTTP/1.1\r\n\(host)Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n"
        ),
        Case(
            "chunks too large",
            .bodyTooLarge,
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n1ffff\r\n\(String(repeating: "a", count: 0x1ffff))\r\n0\r\n\r\n"
        ),
        Case(
            "foreign origin",
            .originNotAllowed,
            "POST / HTTP/1.1\r\n\(host)Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n"
        ),
        Case("null origin", .originNotAllowed, "DELETE / HTTP/1.1\r\n\(host)Origin: null\r\n\r\n"),
        Case(
            "preflight from afar",
            .originNotAllowed,
            "OPTIONS / HTTP/1.1\r\n\(host)Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n"
        ),
    ]

    @Test("is refused with its reason, and the connection closes", arguments: cases)
    func refused(_ example: Case) throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()

        client.send(example.request)
        let answer = client.answer()

        #expect(answer?.status == example.reason.status)
        #expect(answer?.body == String(describing: example.reason))
        #expect(client.isClosedByPeer())
        fixture.server.stop()
        #expect(fixture.handler.respondCount.load(ordering: .relaxed) == 0)
    }

    @Test(
        "hosts of ours are served",
        arguments: [
            "localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:8080",
            "heap.example:443",
        ]
    )
    func servedHost(_ host: String) throws {
        let fixture = try ServerFixture { $0.allowedHosts = ["Heap.example"] }

        let answer = try fixture.exchange("GET /x HTTP/1.1\r\nHost: \(host)\r\n\r\n")

        #expect(answer?.body == "get /x")
    }

    @Test(
        "is refused by the library before the server sees it",
        arguments: [
            "GET / HTTP/1.1\r\nHost: localhost\r\nX\0A: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        ]
    )
    func refusedByLibrary(_ request: String) throws {
        let fixture = try ServerFixture()

        #expect(try fixture.exchange(request)?.status == 400)
        fixture.server.stop()
        #expect(fixture.handler.respondCount.load(ordering: .relaxed) == 0)
    }

    @Test func `a folded header line is refused`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()

        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c: d\r\n\r\n")

        #expect(client.answer()?.status == 400)
    }

    @Test func `bodies under way share one limit`() throws {
        let fixture = try ServerFixture { $0.maximumBufferedBodyBytes = 20_000 }

        let answer = try fixture.exchange(
            "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n"
                + String(repeating: "a", count: 50_000)
        )
        let small = try fixture.exchange(
            "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n"
                + String(repeating: "a", count: 10_000)
        )

        #expect(answer?.status == 503)
        #expect(answer?.body == "bodyMemoryExhausted")
        #expect(small?.status == 200)
    }

    @Test func `a body that trickles is cut off`() throws {
        let fixture = try ServerFixture { $0.requestTimeoutSeconds = 1 }
        let client = try fixture.connect()
        client.send("POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")

        for _ in 0..<50 where !client.isReadable(withinMilliseconds: 200) {
            client.send("1\r\na\r\n")
        }
        let answer = client.answer()

        #expect(answer?.status == 408)
    }

    @Test func `headers that trickle are cut off`() throws {
        let fixture = try ServerFixture {
            $0.requestTimeoutSeconds = 1
            $0.idleTimeoutSeconds = 1
        }
        let client = try fixture.connect()
        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n")

        for _ in 0..<50 where !client.isReadable(withinMilliseconds: 200) {
            client.send("X: y\r\n")
        }

        #expect(client.isReadable(withinMilliseconds: 0))
        #expect(client.answer() == nil)
    }

    @Test func `a silent connection is closed`() throws {
        let fixture = try ServerFixture { $0.idleTimeoutSeconds = 1 }
        let client = try fixture.connect()

        #expect(client.isClosedByPeer())
        #expect(waitUntil { fixture.server.connectionCount == 0 })
    }

    @Test func `connections beyond the limit are closed at once`() throws {
        let fixture = try ServerFixture { $0.connectionLimit = 2 }
        let held = try [fixture.connect(), fixture.connect()]
        for client in held {
            client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(client.answer()?.status == 200)
        }

        let third = try fixture.connect()

        #expect(third.isClosedByPeer())
    }
}
