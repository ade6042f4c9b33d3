import Testing

@Suite("HTTP: the slabs of a cache, and biographies")
struct CacheSlabsViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"512M","object_history":1000}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func get(_ path: String) throws -> HTTPAnswer {
        try service.send("GET", session + path)
    }

    @Test func `a slot shows its owner and what was asked for`() throws {
        let made = try call("kmalloc", "size=129&flags=GFP_KERNEL")
        let answer = try get("/caches/kmalloc-192/slabs")
        let slab = try #require(answer.json["slabs"].elements.first)
        let slots = slab["slots"].elements

        #expect(answer.status == 200)
        #expect(answer.json["cache"].text == "kmalloc-192")
        #expect(slab["holder"]["kind"].text == "cpu")
        #expect(slab["inuse"] == .number(21))
        #expect(slots.count == 21)
        #expect(slots.first?["address"] == made["return"])
        #expect(slots.first?["function"].text == "kmalloc")
        #expect(slots.first?["requested"] == .number(129))
        #expect(slots.first?["freelist"] == .null)
        #expect(slots.last?["freelist"].text == "cpu")
        #expect(slots.last?["position"] == .number(19))
        #expect(slab["usage"]["requested"] == .number(129))
        #expect(slab["usage"]["tail"] == .number(64))
        #expect(answer.json["next_cursor"] == .null)
    }

    @Test func `the cache's record has the sum`() throws {
        for _ in 0..<25 { _ = try call("kmalloc", "size=130&flags=GFP_KERNEL") }
        let usage = try get("/caches?name=kmalloc-192").json["caches"].elements.first?["usage"]

        #expect(usage?["allocated_objects"] == .number(25))
        #expect(usage?["requested"] == .number(3_250))
        #expect(usage?["allocated"] == .number(4_800))
        #expect(usage?["slab_bytes"] == .number(8_192))
    }

    @Test func `names are decoded: a slash, a plus, a colon`() throws {
        for name in ["a/b+c", "x:y z"] {
            let body = #"{"name":"\#(name)","size":40,"align":0,"flags":0}"#
            _ = try call("kmem_cache_create", body)
        }

        #expect(try get("/caches/a%2Fb+c/slabs").json["cache"] != .null)
        #expect(try get("/caches/x:y%20z/slabs").json["cache"] != .null)
    }

    @Test(
        "caches that are not there",
        arguments: [
            ("kmalloc-193", "unknown-cache"), ("%00", "unknown-cache"), ("%ff%fe", "unknown-cache"),
            ("..", "unknown-cache"), (String(repeating: "a", count: 2_000), "unknown-cache"),
        ]
    )
    func unknown(name: String, problem: String) throws {
        let answer = try get("/caches/\(name)/slabs")

        #expect(answer.status == 404)
        #expect(answer.problem == problem)
    }

    @Test func `a misspelt cache is told the nearest`() throws {
        let answer = try get("/caches/kmalloc-193/slabs")

        #expect(answer.json["valid"].elements.contains(.string("kmalloc-192")))
    }

    @Test(
        "paths that name nothing",
        arguments: ["/caches/", "/caches//slabs", "/caches/kmalloc-8", "/caches/kmalloc-8/slabs/"]
    )
    func badPaths(path: String) throws {
        let answer = try get(path)

        #expect(answer.status == 404)
        #expect(answer.problem == "unknown-path")
    }

    @Test(
        "bad parameters are refused",
        arguments: [
            ("/caches/kmalloc-8/slabs?limit=0", "out-of-range", "/limit"),
            ("/caches/kmalloc-8/slabs?limit=4097", "out-of-range", "/limit"),
            ("/caches/kmalloc-8/slabs?limit=99999999999999999999", "out-of-range", "/limit"),
            ("/caches/kmalloc-8/slabs?cursor=-1", "out-of-range", "/cursor"),
            ("/caches/kmalloc-8/slabs?cursor=x", "wrong-type", "/cursor"),
            ("/caches/kmalloc-8/slabs?name=x", "unknown-field", "/name"),
            ("/biography", "missing-field", "/address"),
            ("/biography?address=here", "wrong-type", "/address"),
            ("/biography?address=0x10000000000000000", "out-of-range", "/address"),
            ("/biography?address=1&limit=2", "unknown-field", "/limit"),
        ]
    )
    func badParameters(path: String, problem: String, pointer: String) throws {
        let answer = try get(path)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }

    @Test func `a broken escape is a 400`() throws {
        let answer = try get("/caches/a%2/slabs")

        #expect(answer.status == 400)
        #expect(answer.problem == "malformed-request")
    }

    @Test func `a biography names every owner`() throws {
        let object = try call("kmalloc", "size=60&flags=GFP_KERNEL")["return"].text
        _ = try call("kfree", "objp=" + object)
        _ = try call("kzalloc", "size=61&flags=GFP_KERNEL")
        let answer = try get("/biography?address=" + object)
        let events = answer.json["events"].elements

        #expect(answer.status == 200)
        #expect(events.map { $0["function"].text } == ["kmalloc", "kfree", "kzalloc"])
        #expect(events.map { $0["event"].text } == ["allocated", "freed", "allocated"])
        #expect(events.map { $0["requested"] } == [.number(60), .null, .number(61)])
        #expect(events.map { $0["call"] } == [.number(1), .number(2), .number(3)])
        #expect(events.map { $0["cpu"] } == [.number(0), .number(0), .number(0)])
        #expect(answer.json["place"]["state"].text == "allocated")
        #expect(answer.json["object_history"] == .number(1_000))
        #expect(answer.json["dropped"] == .number(0))
    }

    @Test("addresses of nothing", arguments: ["0", "0xffffffffffffffff", "0xffff888000000000"])
    func nothing(address: String) throws {
        let answer = try get("/biography?address=" + address)

        #expect(answer.status == 200)
        #expect(answer.json["place"] == .null)
        #expect(answer.json["events"].elements.isEmpty)
    }

    @Test func `a history beyond the limit is refused`() throws {
        let body = #"{"machine":{"object_history":262145}}"#
        let answer = try service.send("POST", "/v1/sessions", body)

        #expect(answer.status == 422)
        #expect(answer.json["pointer"].text == "/machine/object_history")
    }

    @Test func `a fork keeps the biographies`() throws {
        let object = try call("kmalloc", "size=60&flags=GFP_KERNEL")["return"].text
        let fork = try service.send("POST", session + "/fork")
        _ = try call("kfree", "objp=" + object)
        let path = try #require(fork.headers["location"])
        let answer = try service.send("GET", path + "/biography?address=" + object)

        #expect(answer.json["events"].elements.map { $0["function"].text } == ["kmalloc"])
        #expect(try get("/biography?address=" + object).json["events"].elements.count == 2)
    }
}
