import HTTPServer
import KernelHeapService
import Testing

@Suite("HTTP: batches")
struct BatchRoutesTests {
    let service: ServiceFixture
    let session: String
    let ndjson = ["Content-Type": "application/x-ndjson"]

    init() throws {
        service = try ServiceFixture { $0.maximumBatchCalls = 5_000 }
        session = try service.boot()
    }

    @Test func `an array is answered by an array, with references to earlier results`() throws {
        let body = """
            [{"call":"kmalloc","as":"p","args":{"size":64,"flags":"GFP_KERNEL"}},
             {"call":"ksize","objp":"$p"},
             {"call":"kfree","args":{"objp":"$p"}}]
            """
        let answer = try service.send("POST", session + "/calls", body)

        let items = answer.json.elements
        #expect(answer.status == 200)
        #expect(items.map { $0["call"].text } == ["kmalloc", "ksize", "kfree"])
        #expect(items.map { $0["seq"] } == [.number(1), .number(2), .number(3)])
        #expect(items.dropFirst().first?["return"] == .number(64))
    }

    @Test func `a reference may carry an offset`() throws {
        let body = """
            [{"call":"alloc_pages","as":"p","gfp_mask":"GFP_KERNEL","order":1},
             {"call":"page_to_pfn","page":"$p"},
             {"call":"page_to_pfn","page":"$p+64"}]
            """
        let answer = try service.send("POST", session + "/calls", body)

        let returned = answer.json.elements.map { $0["return"].number }
        let first = try #require(returned[1])
        #expect(returned[2] == first + 1)
    }

    @Test func `the first bad item ends a batch unless it goes on`() throws {
        let body = #"[{"call":"nope"},{"call":"kmalloc","size":8,"flags":"GFP_KERNEL"}]"#
        let stopped = try service.send("POST", session + "/calls", body)
        let continued = try service.send("POST", session + "/calls?on_error=continue", body)

        #expect(stopped.json.elements.map { $0["type"].text } == ["/problems/unknown-function"])
        #expect(stopped.json.elements.first?["pointer"] == .string("/0/call"))
        #expect(continued.json.elements.count == 2)
        #expect(continued.json.elements.last?["seq"] == .number(1))
    }

    @Test func `a problem of an item has the item's place in the list`() throws {
        let body =
            #"[{"call":"kmalloc","size":8},{"call":"kfree","objp":0,"context":{"pid":9}},{"call":"kmalloc","args":{"size":"x","flags":0}}]"#
        let answer = try service.send("POST", session + "/calls?on_error=continue", body)
        let lines = try service.send(
            "POST",
            session + "/calls?on_error=continue",
            "\n" + #"{"call":"kmalloc","size":8}"#,
            headers: ndjson
        ).lines

        let pointers = answer.json.elements.map { $0["pointer"].text }
        #expect(pointers == ["/0/flags", "/1/context/pid", "/2/args/size"])
        #expect(lines.first?["pointer"].text == "/flags")
        #expect(lines.first?["line"] == .number(2))
    }

    @Test func `NDJSON is answered line by line, and a bad line by its number`() throws {
        let body = """
            {"call":"kmalloc","as":"p","size":8,"flags":"GFP_KERNEL"}

            {"call":"kfree","objp":"$p"
            {"call":"kfree","objp":"$q"}
            {"call":"kfree","objp":"$p"}
            """
        let answer = try service.send(
            "POST",
            session + "/calls?on_error=continue",
            body,
            headers: ndjson
        )

        #expect(answer.headers["content-type"] == "application/x-ndjson")
        #expect(answer.lines.count == 4)
        #expect(answer.lines[1]["line"] == .number(3))
        #expect(answer.lines[1]["type"] == .string("/problems/malformed-json"))
        #expect(answer.lines[2]["type"] == .string("/problems/unknown-reference"))
        #expect(answer.lines[3]["call"] == .string("kfree"))
    }

    @Test func `a long batch runs whole, whatever the size of its slices`() throws {
        let pair = """
            {"call":"kmalloc","as":"p","size":256,"flags":"GFP_KERNEL"}
            {"call":"kfree","objp":"$p"}

            """
        let body = String(repeating: pair, count: 2_000)
        let answer = try service.send("POST", session + "/calls", body, headers: ndjson)

        #expect(answer.lines.count == 4_000)
        #expect(answer.lines.last?["seq"] == .number(4_000))
    }

    @Test func `a batch has at most as many calls as it may`() throws {
        let item = #"{"call":"ksize","objp":"0x0"}"#
        let body = "[" + Array(repeating: item, count: 5_001).joined(separator: ",") + "]"
        let answer = try service.send("POST", session + "/calls?on_error=continue", body)

        #expect(answer.json.elements.count == 5_001)
        #expect(answer.json.elements.last?["type"] == .string("/problems/batch-too-long"))
    }

    @Test func `an empty batch is answered by an empty array`() throws {
        let answer = try service.send("POST", session + "/calls", "[]")

        #expect(answer.status == 200)
        #expect(answer.json == .list([]))
    }

    @Test func `calls to other sessions go on beside a batch, and to its own between slices`()
        async throws
    {
        let other = try service.boot()
        let item = #"{"call":"ksize","objp":"0x0"}"# + "\n"
        let body = String(repeating: item, count: 5_000)
        let (service, session) = (service.server.port, session)
        let request =
            "POST \(session)/calls HTTP/1.1\r\nHost: localhost\r\n"
            + "Content-Type: application/x-ndjson\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        async let batch = Task.detached { try exchange(Array(request.utf8), port: service) }.value

        for path in [other, session, other, session] {
            let answer = try self.service.send(
                "POST",
                path + "/calls/kmalloc",
                "size=8&flags=GFP_KERNEL"
            )
            #expect(answer.status == 200)
        }
        let lines = try await HTTPAnswer(batch, toHead: false).lines
        #expect(lines.count == 5_000)
    }

    @Test func `a reader that stops does not lose lines or stop others`() throws {
        let item = #"{"call":"ksize","objp":"0x0"}"# + "\n"
        let service = try ServiceFixture { $0.maximumBatchCalls = 30_000 }
        let session = try service.boot()
        let body = String(repeating: item, count: 30_000)
        let slow = try TestConnection(port: service.server.port)
        slow.send(
            Array(
                ("POST \(session)/calls HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: application/x-ndjson\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8
            )
        )

        // Nothing is read yet, and the session's own calls are answered all the same.
        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "size=8&flags=GFP_KERNEL"
        )
        let lines = try HTTPAnswer(slow.readToEnd(), toHead: false).lines

        #expect(answer.status == 200)
        #expect(lines.count == 30_000)
        #expect(lines.last?["call"] == .string("ksize"))
    }

    @Test func `a client that leaves ends its batch`() throws {
        let item = #"{"call":"ksize","objp":"0x0"}"# + "\n"
        let service = try ServiceFixture { $0.maximumJobs = 1 }
        let session = try service.boot()
        let body = String(repeating: item, count: 200_000)
        var leaving: TestConnection? = try TestConnection(port: service.server.port)
        leaving?.send(
            Array(
                ("POST \(session)/calls HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/x-ndjson\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8
            )
        )
        _ = leaving?.read(until: "\"seq\":10,")
        leaving = nil

        // The one place for jobs becomes free again long before 200,000 calls are run.
        var status = 503
        for _ in 0..<2_000 where status == 503 {
            status = try service.send("POST", session + "/calls", "[]").status
        }
        #expect(status == 200)
    }

    @Test func `refused batches give back the memory of their bodies`() throws {
        let service = try ServiceFixture { $0.maximumQueuedBytes = 100 }
        let session = try service.boot()
        let malformed = #"[{"call":"ksize","objp":"0x0"},"#
        for _ in 0..<10 {
            let refused = try service.send("POST", session + "/calls", malformed)
            #expect(refused.status == 400)
        }

        let answer = try service.send(
            "POST",
            session + "/calls",
            #"[{"call":"ksize","objp":"0x0"}]"#
        )
        let tooLarge = try service.send(
            "POST",
            session + "/calls",
            "[" + String(repeating: " ", count: 100) + "]"
        )

        #expect(answer.status == 200)
        #expect(tooLarge.status == 503)
        #expect(tooLarge.headers["retry-after"] == "1")
    }

    @Test func `a batch that expects another state runs nothing`() throws {
        let item = #"{"call":"ksize","objp":"0x0"}"#
        let stale = ["If-Match": "\"5\""]
        let array = try service.send("POST", session + "/calls", "[\(item)]", headers: stale)
        let lines = try service.send(
            "POST",
            session + "/calls?on_error=continue",
            item + "\n" + item,
            headers: stale.merging(ndjson) { first, _ in first }
        )
        let record = try service.send("GET", session)

        #expect(array.status == 409)
        #expect(lines.lines.map { $0["type"].text } == ["/problems/sequence-mismatch"])
        #expect(record.json["seq"] == .number(0))
    }

    @Test(
        "an item that is no call is refused with its place",
        arguments: [
            ("[1]", "wrong-type", "/0"), ("[{}]", "missing-field", "/0/call"),
            (#"[{"call":1}]"#, "wrong-type", "/0/call"),
            (#"[{"call":"ksize","objp":0,"call":"kfree"}]"#, "duplicate-field", "/0/call"),
            (#"[{"call":"ksize","objp":0,"as":1}]"#, "wrong-type", "/0/as"),
            (#"[{"call":"ksize","args":[]}]"#, "wrong-type", "/0/args"),
            (#"[{"call":"ksize","args":{"objp":0},"objp":0}]"#, "duplicate-field", "/0/args/objp"),
            (#"[{"call":"ksize","objq":0}]"#, "unknown-field", "/0/objq"),
        ]
    )
    func wrongItems(body: String, problem: String, pointer: String) throws {
        let answer = try service.send("POST", session + "/calls", body)

        let item = try #require(answer.json.elements.first)
        #expect(answer.status == 200)
        #expect(item["type"] == .string("/problems/" + problem))
        #expect(item["pointer"].text == pointer)
    }
}
