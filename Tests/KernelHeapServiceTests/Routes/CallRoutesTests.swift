import Testing

@Suite("HTTP: one kernel call")
struct CallRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    @Test func `kmalloc answers with its pointer and the object's place`() throws {
        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc",
            #"{"size":192,"flags":"GFP_KERNEL"}"#
        )

        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.text.hasSuffix("}\n"))
        #expect(answer.json["seq"] == .number(1))
        #expect(answer.json["call"] == .string("kmalloc"))
        #expect(answer.json["return"].text.hasPrefix("0xffff888"))
        #expect(answer.json["detail"]["cache"] == .string("kmalloc-192"))
        #expect(answer.json["detail"]["allocated"] == .number(192))
        #expect(answer.json["log"] == .list([]))
        #expect(answer.json["explain"] == .null)
    }

    @Test(
        "the same arguments may be JSON, a form, or the query",
        arguments: [
            ("", #"{"size":100,"flags":"GFP_KERNEL"}"#), ("", "size=100&flags=GFP_KERNEL"),
            ("?size=100&flags=GFP_KERNEL", ""), ("?flags=GFP_KERNEL", #"{"size":"0x64"}"#),
            ("", #" {"size":"100","flags":["__GFP_RECLAIM","__GFP_IO","__GFP_FS"]}"#),
            ("", "size=0x64&flags=__GFP_RECLAIM%7C__GFP_IO+%7c+__GFP_FS\n"),
            ("", #"{"size":100,"flags":3264}"#), ("", #"{"size":100,"flags":"0xcc0"}"#),
        ]
    )
    func formsOfArguments(query: String, body: String) throws {
        let answer = try service.send("POST", session + "/calls/kmalloc" + query, body)

        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["detail"]["requested"] == .number(100))
        #expect(answer.json["detail"]["cache"] == .string("kmalloc-128"))
    }

    @Test func `an explanation is given when it is asked for`() throws {
        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc?explain=true",
            "size=8&flags=GFP_KERNEL"
        )

        let steps = answer.json["explain"].elements
        #expect(steps.first?["step"] == .string("cache_chosen"))
        #expect(steps.first?["cache"] == .string("kmalloc-8"))
        #expect(steps.allSatisfy { $0["text"].text.hasSuffix(".") })
    }

    @Test func `a page is named by its descriptor or by its PFN`() throws {
        let page = try service.send(
            "POST",
            session + "/calls/alloc_pages",
            #"{"gfp_mask":"GFP_KERNEL","order":0}"#
        )
        let pfn = try #require(page.json["detail"]["pfn"].number)

        let byFrame = try service.send(
            "POST",
            session + "/calls/page_to_pfn",
            #"{"page":\#(Int(pfn))}"#
        )
        let byAddress = try service.send(
            "POST",
            session + "/calls/page_to_pfn",
            #"{"page":"\#(page.json["return"].text)"}"#
        )

        #expect(byFrame.json["return"] == .number(pfn))
        #expect(byAddress.json["return"] == .number(pfn))
    }

    @Test(
        "what is wrong with an argument is named with its place",
        arguments: [
            (#"{"siz":1,"flags":0}"#, 422, "unknown-field", "/siz"),
            (#"{"size":1}"#, 422, "missing-field", "/flags"),
            (#"{"size":1,"size":2,"flags":0}"#, 422, "duplicate-field", "/size"),
            (#"{"size":-1,"flags":0}"#, 422, "out-of-range", "/size"),
            (#"{"size":1.5,"flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":1e3,"flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":true,"flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":null,"flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":{},"flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":"","flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":"0x","flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":18446744073709551616,"flags":0}"#, 422, "out-of-range", "/size"),
            (#"{"size":"0x10000000000000000","flags":0}"#, 422, "out-of-range", "/size"),
            (#"{"size":1,"flags":"GFP_KERNAL"}"#, 422, "unknown-name", "/flags"),
            (#"{"size":1,"flags":["GFP_KERNEL","x"]}"#, 422, "unknown-name", "/flags/1"),
            (#"{"size":1,"flags":4294967296}"#, 422, "out-of-range", "/flags"),
            (#"{"size":1,"flags":"GFP_KERNEL|0x80000000"}"#, 422, "out-of-range", "/flags"),
            (#"{"size":"$p","flags":0}"#, 422, "wrong-type", "/size"),
            (#"{"size":1,"flags":0,"context":{"cpu":1}}"#, 422, "out-of-range", "/context/cpu"),
            (#"{"size":1,"flags":0,"context":{"in":"irq"}}"#, 422, "unknown-name", "/context/in"),
            (#"{"size":1,"flags":0,"context":{"at":1}}"#, 422, "unknown-field", "/context/at"),
            (#"{"size":1,"flags":0,"context":[]}"#, 422, "wrong-type", "/context"),
            ("size=1&flags=0&size=2", 422, "duplicate-field", "/size"),
            ("size=1&flags=%zz", 400, "malformed-form", ""),
            (#"{"size":1"#, 400, "malformed-json", ""), ("[1]", 422, "wrong-type", ""),
        ]
    )
    func wrongArguments(body: String, status: Int, problem: String, pointer: String) throws {
        let answer = try service.send("POST", session + "/calls/kmalloc", body)

        #expect(answer.status == status)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.json["status"] == .number(Double(status)))
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }

    @Test func `a misspelt name comes with its nearest neighbours`() throws {
        let function = try service.send("POST", session + "/calls/kmaloc")
        let flag = try service.send(
            "POST",
            session + "/calls/kmalloc",
            #"{"size":1,"flags":"__GFP_ZERRO"}"#
        )

        #expect(function.status == 404)
        #expect(function.json["valid"].elements.first == .string("kmalloc"))
        #expect(flag.json["valid"] == .list([.string("__GFP_ZERO")]))
    }

    @Test func `a refused request leaves the session as it was`() throws {
        _ = try service.send("POST", session + "/calls/kmalloc", #"{"size":-1}"#)
        _ = try service.send("POST", session + "/calls/kmaloc", #"{"size":1}"#)

        let record = try service.send("GET", session)
        #expect(record.json["seq"] == .number(0))
        #expect(record.headers["etag"] == "\"0\"")
    }

    @Test func `If-Match admits a call at that sequence number only`() throws {
        let body = "size=1&flags=GFP_KERNEL"
        let path = session + "/calls/kmalloc"
        let fresh = try service.send("POST", path, body, headers: ["If-Match": "\"0\""])
        let stale = try service.send("POST", path, body, headers: ["If-Match": "\"0\""])
        let malformed = try service.send("POST", path, body, headers: ["If-Match": "0"])

        #expect(fresh.status == 200)
        #expect(stale.status == 409)
        #expect(stale.problem == "sequence-mismatch")
        #expect(malformed.status == 400)
    }

    @Test func `a repeated key runs nothing and gets the same bytes`() throws {
        let path = session + "/calls/kmalloc"
        let key = ["Idempotency-Key": "first"]
        let first = try service.send("POST", path, "size=1&flags=GFP_KERNEL", headers: key)
        let again = try service.send("POST", path, "size=1&flags=GFP_KERNEL", headers: key)
        let other = try service.send("POST", path, "size=2&flags=GFP_KERNEL", headers: key)
        let record = try service.send("GET", session)

        #expect(first.text == again.text)
        #expect(again.headers["idempotency-replayed"] == "true")
        #expect(other.status == 422)
        #expect(other.problem == "idempotency-mismatch")
        #expect(record.json["seq"] == .number(1))
    }

    @Test(
        "a body of another kind is a 415",
        arguments: [
            ["Content-Encoding": "gzip"], ["Content-Type": "multipart/form-data; boundary=x"],
            ["Content-Type": "text/xml"],
        ]
    )
    func foreignBody(headers: [String: String]) throws {
        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "\u{1f}compressed",
            headers: headers
        )

        #expect(answer.status == 415)
        #expect(answer.problem == "unsupported-media-type")
    }
}
