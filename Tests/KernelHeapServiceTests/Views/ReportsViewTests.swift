import Testing

@Suite("HTTP: reports of misuse, and the address sanitizer")
struct ReportsViewTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    @Test func `a machine with kasan says in its answer what was touched and by whom`() throws {
        let session = try service.boot(#"{"machine":{"memory":"256M","kasan":true}}"#)
        let call = { (name: String, body: String) throws in
            try service.send("POST", session + "/calls/" + name, body).json
        }
        let object = try call("kmalloc", "size=115&flags=GFP_KERNEL")["return"].text

        let read = try call("kernel_read", "address=\(object)&length=116")
        let free = try call("kfree", "objp=\(object)")
        let used = try call("kernel_read", #"{"address":"\#(object)","length":8,"use":true}"#)
        let reports = try service.send("GET", session + "/reports").json

        let warning = try #require(read["detail"]["warnings"].elements.first)
        #expect(warning["kind"].text == "out_of_bounds")
        #expect(warning["access"].text == "read")
        #expect(warning["place"]["cache"].text == "kmalloc-128")
        #expect(warning["calls"].elements.map { $0["function"].text } == ["kmalloc"])
        #expect(warning["kasan"]["bug"].text == "slab-out-of-bounds")
        #expect(warning["kasan"]["region"]["length"] == .number(128))
        #expect(warning["kasan"]["allocated"]["call"] == .number(1))
        #expect(warning["kasan"]["freed"] == .null)
        #expect(warning["kasan"]["shadow"].elements.count == 5)
        #expect(warning["kasan"]["biography"].elements.map { $0["event"].text } == ["allocated"])
        #expect(read["log"].elements[1].text.hasPrefix("BUG: KASAN: slab-out-of-bounds in "))
        #expect(free["detail"]["warnings"].elements.isEmpty)
        let after = used["detail"]["warnings"].elements
        #expect(after.map { $0["kind"].text } == ["use_after_free"])
        #expect(reports["total"] == .number(2))
        #expect(reports["reports"].elements.map { $0["call"] } == [.number(2), .number(4)])
        let lines = reports["reports"].elements.first?["lines"].elements ?? []
        #expect(lines.map(\.text) == read["log"].elements.dropLast().map(\.text))
    }

    @Test func `the record of a session says whether it has the sanitizer`() throws {
        let with = try service.boot(#"{"machine":{"memory":"256M","kasan":true}}"#)
        let without = try service.boot(#"{"machine":{"memory":"256M"}}"#)

        #expect(try service.send("GET", with).json["machine"]["kasan"] == .boolean(true))
        #expect(try service.send("GET", without).json["machine"]["kasan"] == .null)
    }

    @Test func `a profile that cannot have it is refused by name`() throws {
        let body = #"{"machine":{"profile":"linux-6.1-i386","memory":"256M","kasan":true}}"#

        let answer = try service.send("POST", "/v1/sessions", body)

        #expect(answer.status == 422)
        #expect(answer.json["pointer"].text == "/machine/kasan")
    }

    @Test func `a machine without it keeps what its calls were warned of`() throws {
        let session = try service.boot()
        let made = try service.send("POST", session + "/calls/kmalloc", "size=64&flags=GFP_KERNEL")
        let object = made.json["return"].text
        for _ in 0..<2 {
            _ = try service.send("POST", session + "/calls/kfree", "objp=\(object)")
        }

        let reports = try service.send("GET", session + "/reports").json

        #expect(reports["counts"].elements.map { $0["kind"].text } == ["double_free"])
        #expect(reports["reports"].elements.first?["function"].text == "kfree")
        #expect(reports["reports"].elements.first?["lines"].elements.isEmpty == true)
    }
}
