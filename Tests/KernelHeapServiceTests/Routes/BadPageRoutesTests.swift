import Testing

@Suite("HTTP: page fields that a driver got wrong")
struct BadPageRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ arguments: String = "") throws -> JSON {
        try service.send("POST", session + "/calls/" + name, arguments).json
    }

    private func page(order: Int) throws -> Int {
        let answer = try call("alloc_pages", "order=\(order)&gfp_mask=GFP_KERNEL")
        return Int(try #require(answer["detail"]["pfn"].number))
    }

    @Test func `a page freed with a mapping is found when the CPUs' lists are drained`() throws {
        let pfn = try page(order: 0)

        _ = try call("set_page_mapping", "page=\(pfn)&mapping=0xdead0000")
        let freed = try call("__free_pages", "page=\(pfn)&order=0")
        let drained = try call("drain_all_pages")

        let log = drained["log"].elements.map(\.text)
        #expect(freed["log"].elements.isEmpty)
        #expect(log.first?.hasPrefix("BUG: Bad page state in process init  pfn:") == true)
        #expect(log.contains("invalid mapping:00000000dead0000"))
        #expect(log.contains("page dumped because: non-NULL mapping"))
        #expect(log.last == "Disabling lock debugging due to kernel taint")
    }

    @Test func `a lock is taken once, and shows in kpageflags`() throws {
        let pfn = try page(order: 4)

        let first = try call("trylock_page", "page=\(pfn)")
        let second = try call("trylock_page", "page=\(pfn)")
        let flags = try service.send(
            "GET",
            session + "/proc/kpageflags?pfn=\(pfn)&count=2",
            headers: ["Accept": "application/json"]
        ).json["runs"].elements
        _ = try call("unlock_page", "page=\(pfn)")
        let freed = try call("__free_pages", "page=\(pfn)&order=4")

        #expect(first["return"] == .number(1))
        #expect(second["return"] == .number(0))
        #expect(flags.map { $0["names"].elements } == [[.string("LOCKED")], []])
        #expect(freed["log"].elements.isEmpty)
    }

    @Test func `pages of slabs have no such fields`() throws {
        let object = try call("kmalloc", "size=64&flags=GFP_KERNEL")
        let pfn = Int(try #require(object["detail"]["pfn"].number))

        let locked = try call("trylock_page", "page=\(pfn)")
        _ = try call("set_page_mapcount", "page=\(pfn)&count=-5")
        let freed = try call("kfree", "objp=\(object["return"].text)")
        let checked = try service.send("POST", session + "/validate").json

        #expect(locked["return"] == .number(0))
        #expect(freed["log"].elements.isEmpty)
        #expect(checked["sound"] == .boolean(true))
    }
}
