import HTTPServer
import Synchronization
import Testing

@Suite("Requests and answers")
struct RequestTests {
    @Test func `a body arrives whole and the answer carries length and headers`() throws {
        let fixture = try ServerFixture()

        let answer = try #require(
            try fixture.exchange(
                "POST /a/b?c=%2f&d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
            )
        )

        #expect(answer.status == 200)
        #expect(answer.body == "post /a/b ?c=%2f&d hello")
        #expect(answer.header("content-type") == "text/plain")
        #expect(answer.header("etag") == "\"1\"")
        #expect(answer.header("date") != nil)
    }

    @Test func `escapes in the path reach the handler as they were sent`() throws {
        let fixture = try ServerFixture()

        let answer = try fixture.exchange("GET /a%2fb%00c HTTP/1.1\r\nHost: localhost\r\n\r\n")

        #expect(answer?.body == "get /a%2fb%00c")
    }

    @Test("a target is looked at anew when it changes", arguments: ["/q%2", "/q<x>", "/q"])
    func targets(second: String) throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()

        var bodies: [String?] = []
        for target in ["/p?b", "/p?b", second, "/p"] {
            client.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = client.answer()
            bodies.append(answer?.body)
            if answer?.status != 200 { break }
        }

        #expect(bodies.prefix(2) == ["get /p ?b", "get /p ?b"])
        #expect(
            bodies.dropFirst(2) == (second == "/q" ? ["get /q", "get /p"] : ["malformedTarget"])
        )
    }

    @Test func `one connection serves many requests, pipelined ones too`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        let request = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"

        client.send(
            request + "one" + request + "two" + "GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        let bodies = (0..<3).map { _ in client.answer()?.body }

        #expect(bodies == ["post /x one", "post /x two", "get /y"])
        #expect(fixture.server.connectionCount == 1)
    }

    @Test func `HEAD has the headers of GET and no body`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()

        client.send("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = client.answer(toHead: true)
        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let get = client.answer()

        #expect(head?.header("content-length") == "7")
        #expect(get?.body == "get /x")
    }

    @Test func `a chunked body arrives whole`() throws {
        let fixture = try ServerFixture()

        let answer = try fixture.exchange(
            "PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"
        )

        #expect(answer?.body == "put /x abcdefgh")
    }

    @Test func `a truncated body never reaches the handler`() throws {
        let fixture = try ServerFixture()
        for framing in ["Transfer-Encoding: chunked\r\n\r\n5\r\nab", "Content-Length: 9\r\n\r\nab"]
        {
            let client = try fixture.connect()
            client.send("POST /x HTTP/1.1\r\nHost: localhost\r\n\(framing)")
            client.reset()
        }

        let answer = try fixture.exchange("GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n")

        #expect(answer?.body == "get /y")
        fixture.server.stop()
        #expect(fixture.handler.respondCount.load(ordering: .relaxed) == 1)
    }

    @Test func `a body of many pieces keeps its order`() throws {
        let fixture = try ServerFixture()
        let body = (0..<9_000).map { "\($0)," }.joined()

        let answer = try fixture.exchange(
            "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )

        #expect(answer?.body == "post /x \(body)")
    }

    @Test func `header names are found without case`() throws {
        let fixture = try ServerFixture()

        let answer = try fixture.exchange(
            "GET /header HTTP/1.1\r\nHost: localhost\r\nX-TEST: yes\r\n\r\n"
        )

        #expect(answer?.body == "yes")
    }

    @Test func `values may stand apart from the colon and end in white space`() throws {
        let fixture = try ServerFixture()

        let answer = try fixture.exchange(
            "POST /header HTTP/1.1\r\nHost:localhost  \r\nX-Test: \t yes\t \r\n"
                + "X-Empty:\r\nContent-Length: 2\r\n\r\nab"
        )

        #expect(answer?.status == 200)
        #expect(answer?.body == "yes")
    }

    @Test func `a request that arrives byte by byte is whole`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        let padding = (0..<40).map { "X-\($0): \(String(repeating: "v", count: $0 * 4))\r\n" }
            .joined()
        let request =
            "POST /x HTTP/1.1\r\nHost: localhost\r\n\(padding)Content-Length: 3\r\n\r\nabc"

        for byte in request.utf8 { client.send([byte]) }

        #expect(client.answer()?.body == "post /x abc")
    }

    @Test func `a refusal at the headers keeps a connection without a body`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()

        client.send("GET /forbidden HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let refused = client.answer()
        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")

        #expect(refused?.status == 404)
        #expect(client.answer()?.body == "get /x")
    }

    @Test func `Expect is answered by 100 for a body that is welcome`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()
        let head = "POST /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"

        client.send(head + "Content-Length: 2\r\n\r\n")
        let interim = client.answer()
        client.send("ok")

        #expect(interim?.status == 100)
        #expect(client.answer()?.body == "post /x ok")
    }

    @Test func `HTTP 1.0 needs no Host and closes`() throws {
        let fixture = try ServerFixture()
        let client = try fixture.connect()

        client.send("GET /x HTTP/1.0\r\n\r\n")

        #expect(client.answer()?.body == "get /x")
        #expect(client.isClosedByPeer())
    }
}
