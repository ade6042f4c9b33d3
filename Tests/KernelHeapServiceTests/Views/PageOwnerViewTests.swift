import Testing

@Suite("HTTP: owners of pages")
struct PageOwnerViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(
            #"{"machine":{"memory":"512M","boot_options":"page_owner=on"}}"#
        )
    }

    @discardableResult
    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func get(_ path: String) throws -> JSON {
        try service.send("GET", session + path).json
    }

    @Test func `a block shows its call, flags, process and time`() throws {
        let made = try call("alloc_pages", "order=2&gfp_mask=GFP_KERNEL")
        let answer = try get("/page_owner?function=alloc_pages")
        let block = try #require(answer["blocks"].elements.first)

        #expect(answer["page_owner"] == .boolean(true) && answer["next_cursor"] == .null)
        #expect(block["pfn"] == made["detail"]["pfn"] && block["order"] == .number(2))
        #expect(block["size"] == .number(16_384) && block["zone"].text == "DMA32")
        #expect(block["gfp_mask"]["text"].text == "GFP_KERNEL")
        #expect(block["allocated"]["call"] == .number(1) && block["freed"] == .null)
        #expect(block["allocated"]["function"].text == "alloc_pages")
        #expect(block["allocated"]["ts_nsec"] == .number(1_000))
        #expect(block["pid"] == .number(1) && block["comm"].text == "init")
        #expect(block["state"].text == "allocated" && block["age"] == .number(0))
    }

    @Test func `one page shows all its owners, oldest first`() throws {
        var page = ""
        var pfn = 0.0
        for _ in 0..<3 {
            let made = try call("alloc_page", "gfp_mask=GFP_KERNEL")
            page = made["return"].text
            pfn = try #require(made["detail"]["pfn"].number)
            try call("__free_pages", "page=\(page)&order=0")
        }
        let answer = try get("/page_owner?pfn=\(Int(pfn))")

        #expect(answer["owner"]["allocated"]["call"] == .number(5))
        #expect(answer["owner"]["freed"]["call"] == .number(6))
        #expect(answer["earlier"].elements.map { $0["allocated"]["call"].number } == [1, 3])
        #expect(answer["dropped"] == .number(0))
    }

    @Test func `the largest come first, with how many there are`() throws {
        for order in [0, 4, 2] { try call("alloc_pages", "order=\(order)&gfp_mask=GFP_KERNEL") }
        let top = try get("/page_owner?sort=size&limit=2")
        let old = try get("/page_owner?sort=age&limit=1&zone=DMA32")

        #expect(top["blocks"].elements.map { $0["order"].number } == [4, 2])
        #expect(top["total"]["blocks"] == .number(3) && top["total"]["bytes"] == .number(86_016))
        #expect(old["blocks"].elements.map { $0["allocated"]["call"].number } == [1])
    }

    @Test func `allocations are sorted, cut and filtered, and pages have their calls`() throws {
        try call("kmalloc", "size=64&flags=GFP_KERNEL")
        try call("alloc_pages", "order=3&gfp_mask=GFP_KERNEL")
        try call("vmalloc", "size=10000")
        try call("kmalloc", "size=2048&flags=GFP_KERNEL")
        let large = try get("/allocations?sort=size&limit=2")
        let old = try get("/allocations?sort=age")
        let young = try get("/allocations?max_age=1")
        let zone = try get("/allocations?zone=DMA32&min_size=2048")
        let cache = try get("/allocations?sort=age&cache=kmalloc-64")

        #expect(large["allocations"].elements.map { $0["kind"].text } == ["pages", "area"])
        #expect(large["total"]["count"] == .number(4))
        #expect(large["allocations"].elements.first?["function"].text == "alloc_pages")
        #expect(old["allocations"].elements.map { $0["call"].number } == [1, 2, 3, 4])
        #expect(young["allocations"].elements.map { $0["call"].number } == [3, 4])
        #expect(zone["allocations"].elements.map { $0["call"].number } == [2, 4])
        #expect(cache["allocations"].elements.map { $0["age"].number } == [3])
    }

    @Test func `the kernel's file is served as text and as lines`() throws {
        try call("alloc_page", "gfp_mask=GFP_KERNEL")
        let path = session + "/sys/kernel/debug/page_owner"
        let text = try service.send("GET", path)
        let json = try service.send("GET", path, headers: ["Accept": "application/json"]).json
        let plain = try service.boot()
        let none = try service.send("GET", plain + "/sys/kernel/debug/page_owner")

        #expect(
            text.status == 200 && text.text.hasPrefix("Page allocated via order 0, mask 0xcc0(")
        )
        #expect(json["lines"].elements.count == 5)
        #expect(none.status == 404 && none.problem == "unknown-file")
    }

    @Test func `a machine without owners says so`() throws {
        let plain = try service.boot()
        let list = try service.send("GET", plain + "/page_owner").json
        let page = try service.send("GET", plain + "/page_owner?pfn=1").json

        #expect(list["page_owner"] == .boolean(false) && list["blocks"].elements.isEmpty)
        #expect(page["owner"] == .null && page["earlier"].elements.isEmpty)
    }

    @Test(
        "bad parameters are refused",
        arguments: [
            ("limit=0", "out-of-range"), ("limit=10001", "out-of-range"),
            ("sort=order", "unknown-name"), ("sort=size&cursor=1", "invalid-value"),
            ("pfn=18446744073709551615", "out-of-range"), ("pfn=1&limit=3", "invalid-value"),
            ("pfn=x", "wrong-type"), ("state=used", "unknown-name"), ("zone=High", "unknown-name"),
            ("migratetype=movable", "unknown-name"), ("min_size=2&max_size=1", "out-of-range"),
            ("min_age=18446744073709551616", "out-of-range"), ("age=1", "unknown-field"),
            ("pid=1&pid=2", "duplicate-field"),
        ]
    )
    func refusals(query: String, problem: String) throws {
        let answer = try service.send("GET", session + "/page_owner?" + query)

        #expect(answer.status >= 400 && answer.status < 500)
        #expect(answer.problem == problem)
    }

    @Test(
        "cursors and filters that fit nothing find nothing",
        arguments: [
            "cursor=18446744073709551615", "cursor=4294967296", "call=18446744073709551615",
            "pid=18446744073709551615", "function=%00", "min_size=18446744073709551615",
            "min_age=18446744073709551615", "sort=size&call=99",
        ]
    )
    func strangeValues(query: String) throws {
        try call("alloc_page", "gfp_mask=GFP_KERNEL")
        let answer = try service.send("GET", session + "/page_owner?" + query)

        #expect(answer.status == 200)
        #expect(answer.json["blocks"].elements.isEmpty && answer.json["next_cursor"] == .null)
    }
}
