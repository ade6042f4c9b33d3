import Testing

@Suite("HTTP: zones")
struct ZonesViewTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    // The recorded machine of 512 MiB: sizes and marks of its boot.
    @Test func `zones show the sizes that the recorded boot has`() throws {
        let session = try service.boot(#"{"machine":{"memory":"512M"}}"#)
        let answer = try service.send("GET", session + "/zones")

        let zones = answer.json["zones"].elements
        #expect(answer.status == 200)
        #expect(answer.headers["etag"] == "\"0\"")
        #expect(zones.map { $0["name"].text } == ["DMA", "DMA32"])
        #expect(zones.first?["start_pfn"] == .number(1))
        #expect(zones.first?["spanned"] == .number(4_095))
        #expect(zones.first?["present"] == .number(3_998))
        #expect(zones.first?["managed"] == .number(3_840))
        #expect(zones.first?["lowmem_reserve"].elements.count == 5)
        #expect(zones.last?["pcp"].elements.count == 1)
        #expect(zones.last?["counters"]["numa_hit"] == .number(0))
    }

    @Test func `free blocks and per-CPU lists add up to the pages that buddyinfo has`() throws {
        let session = try service.boot(#"{"machine":{"memory":"512M"}}"#)
        _ = try service.send("POST", session + "/calls/alloc_page", "gfp_mask=GFP_KERNEL")
        let text = try service.send("GET", session + "/proc/buddyinfo").text
        let zones = try service.send("GET", session + "/zones").json["zones"].elements

        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.count == zones.count)
        for (line, zone) in zip(lines, zones) {
            var pages = 0.0
            for (order, row) in zone["free_blocks"].elements.enumerated() {
                guard case .object(let classes) = row["blocks"] else { continue }
                let blocks = classes.values.compactMap(\.number).reduce(0, +)
                #expect(row["order"] == .number(Double(order)))
                #expect(Double(line[line.count - 11 + order]) == blocks)
                pages += blocks * Double(1 << order)
            }
            #expect(zone["free"] == .number(pages))
        }
    }

    @Test func `a query that zones do not take is refused`() throws {
        let session = try service.boot()
        let answer = try service.send("GET", session + "/zones?zone=DMA")

        #expect(answer.status == 422)
        #expect(answer.problem == "unknown-field")
        #expect(answer.json["pointer"].text == "/zone")
    }

    @Test func `a view that is misspelt is a 404 that names the nearest`() throws {
        let session = try service.boot()
        let answer = try service.send("GET", session + "/zone")

        #expect(answer.status == 404)
        #expect(answer.json["valid"].elements == [.string("zones")])
    }
}
