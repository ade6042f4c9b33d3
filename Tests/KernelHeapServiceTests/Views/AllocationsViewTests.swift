import Testing

@Suite("HTTP: allocations")
struct AllocationsViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"512M"}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    @Test func `an object shows the call that made it and what was asked for`() throws {
        _ = try call("kmalloc", "size=8&flags=GFP_KERNEL")
        let made = try call("kmalloc", "size=100&flags=GFP_KERNEL")
        let answer = try service.send("GET", session + "/allocations?cache=kmalloc-128").json

        let found = answer["allocations"].elements
        #expect(found.count == 1)
        #expect(found.first?["address"] == made["return"])
        #expect(found.first?["call"] == .number(2))
        #expect(found.first?["requested"] == .number(100))
        #expect(found.first?["allocated"] == .number(128))
        #expect(answer["next_cursor"] == .null)
    }

    @Test func `every allocation is listed once, a few at a time`() throws {
        var expected: Set<String> = []
        for size in [8, 8, 192, 1_024, 1_024, 1_024] {
            expected.insert(try call("kmalloc", "size=\(size)&flags=GFP_KERNEL")["return"].text)
        }
        let pages = try call("__get_free_pages", "order=2&gfp_mask=GFP_KERNEL")
        expected.insert(pages["return"].text)
        let dropped = try call("kmalloc", "size=192&flags=GFP_KERNEL")
        _ = try call("kfree", "objp=" + dropped["return"].text)

        var seen: [String] = []
        var query = "limit=2"
        while true {
            let answer = try service.send("GET", session + "/allocations?" + query).json
            // Allocations of the boot have no call and come besides.
            seen += answer["allocations"].elements.map { $0["address"].text }
            guard case .string(let next) = answer["next_cursor"] else { break }
            query = "limit=2&cursor=" + next
        }

        #expect(Set(seen).count == seen.count)
        #expect(expected.isSubset(of: seen))
        #expect(!seen.contains(dropped["return"].text))
    }

    @Test func `totals count objects by cache, on the first page only`() throws {
        for _ in 0..<5 { _ = try call("kmalloc", "size=192&flags=GFP_KERNEL") }
        let before = try service.send("GET", session + "/allocations").json["totals"]
        _ = try call("alloc_pages", "order=4&gfp_mask=GFP_KERNEL")
        let after = try service.send("GET", session + "/allocations").json["totals"]
        let later = try service.send("GET", session + "/allocations?cursor=0").json

        let caches = before["caches"].elements
        #expect(caches.map { $0["cache"].text } == ["kmalloc-192"])
        #expect(caches.first?["objects"] == .number(5))
        #expect(caches.first?["bytes"] == .number(960))
        #expect(after["pages"].number == before["pages"].number.map { $0 + 16 })
        #expect(later["totals"] == .null)
    }

    @Test(
        "a cursor that nobody gave out ends the list or names what lies behind it",
        arguments: [
            "18446744073709551615", "9223372036854775807", "9223372036854775808", "65535", "1",
        ]
    )
    func strangeCursors(cursor: String) throws {
        _ = try call("kmalloc", "size=192&flags=GFP_KERNEL")
        let answer = try service.send("GET", session + "/allocations?cursor=" + cursor)

        #expect(answer.status == 200)
        #expect(answer.json["next_cursor"] == .null)
    }

    @Test(
        "bad parameters are refused",
        arguments: [
            ("limit=0", "out-of-range", "/limit"), ("limit=10001", "out-of-range", "/limit"),
            ("cursor=next", "wrong-type", "/cursor"), ("cache=kmalloc", "unknown-name", "/cache"),
        ]
    )
    func badParameters(query: String, problem: String, pointer: String) throws {
        let answer = try service.send("GET", session + "/allocations?" + query)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }
}
