import Testing

@Suite("HTTP: pages")
struct PagesViewTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    private func run(_ session: String, at pfn: Double) throws -> JSON {
        let path = session + "/pages?pfn=\(Int(pfn))&count=1"
        return try service.send("GET", path).json["runs"].elements.first ?? .null
    }

    @Test func `a block that was allocated is shown whole, from any of its frames`() throws {
        let session = try service.boot()
        let made = try service.send(
            "POST",
            session + "/calls/alloc_pages",
            "order=3&gfp_mask=GFP_KERNEL|__GFP_COMP"
        )
        let pfn = try #require(made.json["detail"]["pfn"].number)

        let head = try run(session, at: pfn)
        let inner = try run(session, at: pfn + 5)

        #expect(head["state"].text == "allocated")
        #expect(head["pfn"] == .number(pfn))
        #expect(head["pages"] == .number(8))
        #expect(head["order"] == .number(3))
        #expect(head["references"] == .number(1))
        #expect(head["compound"] == .boolean(true))
        #expect(inner == head)
    }

    @Test func `a slab names its cache and counts its objects`() throws {
        let session = try service.boot()
        let made = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "size=192&flags=GFP_KERNEL"
        )
        let pfn = try #require(made.json["detail"]["pfn"].number)
        let slab = try run(session, at: pfn)

        #expect(slab["state"].text == "slab")
        #expect(slab["cache"].text == "kmalloc-192")
        #expect(slab["objects"] == .number(21))
        #expect(slab["objects_in_use"] == .number(1))
    }

    @Test func `a freed page is on the CPU's list`() throws {
        let session = try service.boot()
        let made = try service.send("POST", session + "/calls/alloc_page", "gfp_mask=GFP_KERNEL")
        let pfn = try #require(made.json["detail"]["pfn"].number)
        _ = try service.send("POST", session + "/calls/__free_pages", "page=\(Int(pfn))&order=0")

        #expect(try run(session, at: pfn)["state"].text == "per_cpu")
    }

    @Test func `frame 0 lies in no zone and the kernel's image is reserved`() throws {
        let session = try service.boot()

        #expect(try run(session, at: 0)["state"].text == "hole")
        #expect(try run(session, at: 4_096)["state"].text == "reserved")
    }

    @Test func `runs follow each other without a gap to the end of memory`() throws {
        let session = try service.boot(#"{"machine":{"memory":"128M"}}"#)
        _ = try service.send("POST", session + "/calls/alloc_page", "gfp_mask=GFP_KERNEL")
        var pfn = 0.0
        var end = 1.0
        var next: JSON = .number(0)
        while let first = next.number {
            let path = session + "/pages?pfn=\(Int(first))&count=1000"
            let answer = try service.send("GET", path).json
            for run in answer["runs"].elements {
                #expect(run["pfn"] == .number(pfn))
                pfn += try #require(run["pages"].number)
            }
            end = try #require(answer["end_pfn"].number)
            next = answer["next_pfn"]
        }

        #expect(pfn == end)
    }

    // 1 TiB: what nobody touched is one run, so the picture costs what was touched.
    @Test func `columns of a large machine add up to its memory`() throws {
        let session = try service.boot(#"{"machine":{"memory":"1024G"}}"#)
        _ = try service.send("POST", session + "/calls/kmalloc", "size=64&flags=GFP_KERNEL")
        let answer = try service.send("GET", session + "/pages?zone=Normal&buckets=64").json
        let zones = try service.send("GET", session + "/zones").json["zones"].elements

        let normal = try #require(zones.first { $0["name"].text == "Normal" })
        let buckets = answer["buckets"].elements
        func sum(_ key: String) -> Double {
            buckets.compactMap { $0[key].number }.reduce(0, +)
        }
        #expect(buckets.count == 64)
        #expect(answer["next_pfn"] == .null)
        #expect(JSON.number(sum("pages")) == normal["spanned"])
        #expect(JSON.number(sum("free")) == normal["free"])
        #expect(normal["pcp"].elements.first?["count"] == .number(sum("per_cpu")))
        #expect(sum("slab") == 1)
    }

    @Test(
        "a range that means nothing is refused",
        arguments: [
            ("pfn=99999999999", "out-of-range", "/pfn"), ("pfn=-1", "out-of-range", "/pfn"),
            ("pfn=x", "wrong-type", "/pfn"), ("count=0", "out-of-range", "/count"),
            ("count=18446744073709551615", "out-of-range", "/count"),
            ("buckets=0", "out-of-range", "/buckets"), ("buckets=5000", "out-of-range", "/buckets"),
            ("zone=Norma", "unknown-name", "/zone"), ("node=4", "out-of-range", "/node"),
            ("pfn=1&pfn=2", "duplicate-field", "/pfn"), ("pnf=1", "unknown-field", "/pnf"),
        ]
    )
    func wrongRanges(query: String, problem: String, pointer: String) throws {
        let session = try service.boot()
        let answer = try service.send("GET", session + "/pages?" + query)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }
}
