import Testing

@Suite("HTTP: vmalloc")
struct VmallocViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"512M"}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func view(_ query: String = "") throws -> JSON {
        try service.send("GET", session + "/vmalloc" + query).json
    }

    @Test func `an area shows its size, its pages and the call that made it`() throws {
        let made = try call("vmalloc", "size=10000")
        let address = made["return"].text
        let answer = try view("?cursor=\(address)&limit=1")
        let area = try #require(answer["areas"].elements.first)

        #expect(made["detail"]["area"]["start"] == made["return"])
        #expect(made["detail"]["area"]["size"] == .number(16_384))
        #expect(made["detail"]["area"]["guard_bytes"] == .number(4_096))
        #expect(made["detail"]["pfns"].elements.first?["count"] == .number(3))
        #expect(area["start"] == made["return"])
        #expect(area["size"] == .number(16_384))
        #expect(area["kind"].text == "vmalloc")
        #expect(area["pages"] == .number(3))
        #expect(area["call"] == .number(1))
        #expect(area["function"].text == "vmalloc")
        #expect(answer["next_cursor"] != .null)
    }

    @Test func `what is freed waits for a purge`() throws {
        let address = try call("vzalloc", "size=65536")["return"].text
        let held = try view()
        let freed = try call("vfree", "addr=\(address)")
        let waiting = try view("?limit=1000")
        let purged = try call("vm_unmap_aliases", "")
        let after = try view("?limit=1000")

        #expect(freed["detail"]["lazy_pages"] == .number(17))
        #expect(waiting["lazy_pages"] == .number(17))
        #expect(waiting["lazy_maximum"] == .number(8_192))
        #expect(waiting["lazy"].elements.map { $0["start"].text } == [address])
        #expect(purged["detail"]["lazy_pages"] == .number(0))
        #expect(after["lazy"].elements.isEmpty)
        #expect(after["area_count"] == .number((held["area_count"].number ?? 0) - 1))
        #expect(after["used_pages"] == .number((held["used_pages"].number ?? 0) - 16))
        #expect((after["largest_hole"].number ?? 0) > 1e13)
    }

    @Test func `pages follow one another by the cursor, without gap or repetition`() throws {
        for _ in 0..<5 { _ = try call("vmalloc", "size=20000") }
        let all = try view("?limit=10000")["areas"].elements.map { $0["start"].text }
        var found: [String] = []
        var cursor: String? = "0"
        while let place = cursor {
            let part = try view("?limit=7&cursor=\(place)")
            found += part["areas"].elements.map { $0["start"].text }
            cursor = part["next_cursor"] == .null ? nil : part["next_cursor"].text
        }

        #expect(all.count == 74)
        #expect(found == all)
    }

    @Test func `vmap takes the page array of a bulk allocation`() throws {
        let pages = try call("alloc_pages_bulk_array", "gfp=GFP_KERNEL&nr_pages=3")
        let list = pages["detail"]["page_array"].elements.map(\.text)
        let body = "{\"pages\":[\(list.map { "\"\($0)\"" }.joined(separator: ","))]}"
        let mapped = try call("vmap", body)
        let text = try service.send("GET", session + "/proc/vmallocinfo").text

        #expect(
            mapped["detail"]["pfns"].elements.first?["first"]
                == pages["detail"]["pfns"].elements.first
        )
        #expect(text.contains("   16384 call_2 vmap\n"))
    }

    @Test(
        "bad queries are refused",
        arguments: [
            ("limit=0", "out-of-range", "/limit"), ("limit=x", "wrong-type", "/limit"),
            ("cursor=y", "wrong-type", "/cursor"), ("depth=1", "unknown-field", "/depth"),
        ]
    )
    func refusals(query: String, problem: String, pointer: String) throws {
        let answer = try service.send("GET", session + "/vmalloc?" + query)

        #expect(answer.status >= 400 && answer.status < 500)
        #expect(answer.json["type"].text.hasSuffix(problem))
        #expect(answer.json["pointer"].text == pointer)
    }
}
