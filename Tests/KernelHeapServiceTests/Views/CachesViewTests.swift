import Testing

@Suite("HTTP: caches")
struct CachesViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"512M"}}"#)
    }

    // A slab of kmalloc-192 is one page with 21 objects: 21 × 192 = 4032 of 4096 bytes.
    @Test func `one cache shows its geometry, its objects and the CPU's slab`() throws {
        for _ in 0..<3 {
            _ = try service.send(
                "POST",
                session + "/calls/kmalloc",
                "size=129&flags=GFP_KERNEL"
            )
        }
        let answer = try service.send("GET", session + "/caches?name=kmalloc-192")

        let caches = answer.json["caches"].elements
        #expect(caches.count == 1)
        let cache = try #require(caches.first)
        #expect(cache["object_size"] == .number(192))
        #expect(cache["size"] == .number(192))
        #expect(cache["objects_per_slab"] == .number(21))
        #expect(cache["order"] == .number(0))
        #expect(cache["slabs"] == .number(1))
        #expect(cache["live_objects"] == .number(3))
        #expect(cache["active_objects"] == .number(21))
        let slab = cache["cpus"].elements.first?["slab"]
        #expect(slab?["objects"] == .number(21))
        #expect(slab?["objects_in_use"] == .number(3))
    }

    @Test func `freeing the objects leaves none live`() throws {
        let path = session + "/calls/"
        let made = try service.send("POST", path + "kmalloc", "size=64&flags=GFP_KERNEL")
        _ = try service.send("POST", path + "kfree", "objp=" + made.json["return"].text)
        let answer = try service.send("GET", session + "/caches?name=kmalloc-64")

        #expect(answer.json["caches"].elements.first?["live_objects"] == .number(0))
        #expect(answer.json["caches"].elements.first?["slabs"] == .number(1))
    }

    @Test func `all caches come in the order of slabinfo`() throws {
        let text = try service.send("GET", session + "/proc/slabinfo").text
        let caches = try service.send("GET", session + "/caches").json["caches"].elements

        let names = text.split(separator: "\n").dropFirst(2).map { line in
            String(line.prefix { $0 != " " })
        }
        #expect(!names.isEmpty)
        #expect(caches.map { $0["name"].text } == names)
    }

    @Test func `a cache that is not there is refused with the nearest name`() throws {
        let answer = try service.send("GET", session + "/caches?name=kmalloc-193")

        #expect(answer.status == 422)
        #expect(answer.problem == "unknown-name")
        #expect(answer.json["pointer"].text == "/name")
        #expect(answer.json["valid"].elements.contains(.string("kmalloc-192")))
    }
}
