import KernelHeapService
import Testing

@Suite("HTTP: forks, and what a session's record says of its machine")
struct ForkRoutesTests {
    @Test func `a fork has the state of its original and goes its own way`() throws {
        let service = try ServiceFixture()
        let original = try service.boot(#"{"name":"lab","idle_timeout":60}"#)
        let kmalloc = "/calls/kmalloc"
        let body = "size=192&flags=GFP_KERNEL"
        _ = try service.send("POST", original + kmalloc, body)
        let forked = try service.send("POST", original + "/fork", #"{"name":"what if"}"#)
        let fork = try #require(forked.headers["location"])
        let first = try service.send("POST", fork + kmalloc, body)
        let other = try service.send("POST", original + kmalloc, body)

        #expect(forked.status == 201)
        #expect(forked.headers["etag"] == "\"1\"")
        #expect(forked.json["seq"] == .number(1))
        #expect(forked.json["name"].text == "what if")
        #expect(forked.json["idle_timeout"] == .number(60))
        #expect(fork != original)
        #expect(first.json["seq"] == .number(2))
        #expect(first.text == other.text)
    }

    @Test func `dropping the original leaves the fork as it was`() throws {
        let service = try ServiceFixture()
        let original = try service.boot()
        let fork = try #require(
            try service.send("POST", original + "/fork").headers["location"]
        )
        let before = try service.send("GET", fork + "/proc/buddyinfo")
        _ = try service.send("DELETE", original)
        let after = try service.send("GET", fork + "/proc/buddyinfo")

        #expect(after.status == 200)
        #expect(after.text == before.text)
    }

    @Test func `a fork counts as a session and its request is checked`() throws {
        let service = try ServiceFixture { $0.maximumSessions = 2 }
        let original = try service.boot()
        let stale = try service.send("POST", original + "/fork", headers: ["If-Match": "\"3\""])
        let unknown = try service.send("POST", original + "/fork", #"{"nam":"x"}"#)
        let second = try service.send("POST", original + "/fork")
        let third = try service.send("POST", original + "/fork")
        let read = try service.send("GET", original + "/fork")

        #expect(stale.status == 409)
        #expect(unknown.status == 422)
        #expect(unknown.json["pointer"].text == "/nam")
        #expect(unknown.json["valid"].elements == [.string("name")])
        #expect(second.status == 201)
        #expect(third.status == 429)
        #expect(read.status == 405)
    }

    // The marks of the recorded machine of 512 MiB.
    @Test func `a record shows the zones as booted, whatever happened since`() throws {
        let service = try ServiceFixture()
        let path = try service.boot(#"{"machine":{"memory":"512M","cpus":2}}"#)
        let fresh = try service.send("GET", path).json["machine"]
        for _ in 0..<20 {
            _ = try service.send(
                "POST",
                path + "/calls/alloc_pages",
                "order=10&gfp_mask=GFP_KERNEL"
            )
        }
        let later = try service.send("GET", path).json["machine"]

        let zones = fresh["zones"].elements
        #expect(later == fresh)
        #expect(zones.map { $0["name"].text } == ["DMA", "DMA32"])
        #expect(zones.first?["managed"] == .number(3_840))
        #expect(zones.first?["watermarks"]["boost"] == .number(0))
        #expect(zones.first?["lowmem_reserve"].elements.count == 5)
        #expect(zones.last?["pcp"].elements.count == 2)
        #expect(zones.last?["free_lists"] == .null)
        #expect(fresh["boot_options"].text.isEmpty)
    }

    @Test func `a described zone shows what it was given and what was computed`() throws {
        let service = try ServiceFixture()
        let path = try service.boot(
            """
            {"machine":{"zones":[{"name":"Normal","start_pfn":1024,"spanned":8192,"present":8192,
            "managed":4096,"watermarks":{"min":10,"low":20,"high":30},
            "free_lists":[{"order":10,"migratetype":"Movable","pfns":[1024,2048]}]}]}}
            """
        )
        let machine = try service.send("GET", path).json["machine"]

        let zone = try #require(machine["zones"].elements.first)
        #expect(machine["memory"] == .number(8_192 * 4_096))
        #expect(zone["start_pfn"] == .number(1_024))
        #expect(zone["watermarks"]["high"] == .number(30))
        #expect(zone["pcp"].elements.count == 1)
        #expect(zone["free_lists"] == .null)
    }
}
