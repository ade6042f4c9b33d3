import Testing

@Suite("HTTP: the picture of memory")
struct PageMapViewTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    /// The cell that holds a frame, taken apart.
    private func cell(_ session: String, _ pfn: Int, pagesPerCell: Int = 1) throws -> [String: Int]
    {
        let path = session + "/pagemap?pfn=\(pfn)&cells=1&pages_per_cell=\(pagesPerCell)"
        let runs = try service.send("GET", path).json["runs"].elements
        try #require(runs.count == 2)
        let code = Int(try #require(runs[1].number))
        return [
            "state": code & 15, "order": code >> 4 & 15, "type": code >> 8 & 7,
            "used": code >> 11 & 255,
        ]
    }

    private func call(_ session: String, _ function: String, _ form: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + function, form).json
    }

    @Test func `a machine of a tebibyte that nobody has used is a few runs`() throws {
        let session = try service.boot(#"{"machine":{"memory":"1T"}}"#)
        let answer = try service.send("GET", session + "/pagemap?pages_per_cell=4096").json
        let cells = stride(from: 0, to: answer["runs"].elements.count, by: 2)
            .compactMap { answer["runs"].elements[$0].number }

        #expect(try #require(answer["end_pfn"].number) >= 268_435_456)
        #expect(cells.reduce(0, +) == 65_536)
        #expect(cells.count < 100)
    }

    // The states' numbers are those of the answer's own list of names.
    @Test(
        "what a frame is used for is told apart",
        arguments: [
            ("alloc_pages", "gfp_mask=GFP_KERNEL&order=3", 2, 3),
            ("kmalloc", "size=192&flags=GFP_KERNEL", 3, 0),
            ("vmalloc", "size=4096", 5, 0),
        ]
    )
    func uses(function: String, form: String, state: Int, order: Int) throws {
        let session = try service.boot()
        let detail = try call(session, function, form)["detail"]
        let pfn = detail["pfn"].number ?? detail["pfns"].elements.first?["first"].number
        let found = try cell(session, Int(try #require(pfn)))

        #expect(found == ["state": state, "order": order, "type": 0, "used": 255])
    }

    @Test func `a cell of many frames says what most of those in use are, and how many`() throws {
        let session = try service.boot()
        let made = try call(session, "alloc_pages", "gfp_mask=GFP_KERNEL&order=9")
        let pfn = Int(try #require(made["detail"]["pfn"].number))
        let found = try cell(session, pfn & ~1_023, pagesPerCell: 1_024)

        #expect(found["state"] == 2)
        #expect(found["order"] == 9)
        #expect((127...128).contains(try #require(found["used"])))
    }

    @Test func `a user's page is anonymous, a freed one is on the CPU's list`() throws {
        let session = try service.boot()
        let area =
            "length=4096&prot=PROT_READ|PROT_WRITE&flags=MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE"
        _ = try call(session, "mmap", area)
        let process = try service.send("GET", session + "/processes?pid=1").json
        let user = Int(try #require(process["pages"].elements.last?["pfn"].number))
        let made = try call(session, "alloc_page", "gfp_mask=GFP_KERNEL")
        let pfn = Int(try #require(made["detail"]["pfn"].number))
        _ = try call(session, "__free_pages", "page=\(pfn)&order=0")

        #expect(try cell(session, user)["state"] == 6)
        #expect(try cell(session, pfn)["state"] == 8)
    }

    @Test func `a picture that the client has is not sent again until a call was made`() throws {
        let session = try service.boot()
        let first = try service.send("GET", session + "/pagemap")
        let tag = try #require(first.headers["etag"])
        let same = try service.send(
            "GET",
            session + "/pagemap",
            headers: ["If-None-Match": tag]
        )
        _ = try call(session, "alloc_page", "gfp_mask=GFP_KERNEL")
        let next = try service.send("GET", session + "/pagemap", headers: ["If-None-Match": tag])

        #expect(same.status == 304)
        #expect(same.body.isEmpty)
        #expect(next.status == 200)
    }

    @Test(
        "what is no picture is refused",
        arguments: [
            "cells=0", "cells=65537", "pages_per_cell=0", "pages_per_cell=1073741825",
            "pfn=18446744073709551615", "pfn=x", "colour=red",
        ]
    )
    func refusals(query: String) throws {
        let session = try service.boot()

        #expect(try service.send("GET", session + "/pagemap?" + query).status == 422)
    }
}
