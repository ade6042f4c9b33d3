import Testing

@Suite("HTTP: high memory")
struct HighMemoryViewTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    private func boot(_ machine: String) throws -> String {
        try service.boot(#"{"machine":{\#(machine)}}"#)
    }

    private func call(_ session: String, _ name: String, _ form: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, form).json
    }

    private func view(_ session: String) throws -> JSON {
        try service.send("GET", session + "/highmem").json
    }

    @Test func `a mapped page shows its slot, its count and the call that mapped it`() throws {
        let session = try boot(#""profile":"linux-6.1-i386","memory":"1G""#)
        let page = try call(session, "alloc_page", "gfp_mask=GFP_HIGHUSER")
        let pfn = try #require(page["detail"]["pfn"].number)
        let form = "page=\(Int(pfn))"
        let mapped = try call(session, "kmap", form)
        let local = try call(session, "kmap_atomic", form)
        let seen = try view(session)
        _ = try call(session, "kunmap_atomic", "vaddr=" + local["return"].text)
        _ = try call(session, "kunmap", form)
        let after = try view(session)

        #expect(page["detail"]["virtual"] == .null)
        #expect(mapped["return"].text == "0xfec01000")
        #expect(mapped["detail"]["slot"] == .number(1))
        #expect(local["return"].text == "0xfffbb000")
        #expect(local["detail"]["preempt_disabled"] == .number(1))
        let slot = try #require(seen["slots"].elements.first)
        #expect(slot["pfn"] == .number(pfn) && slot["pkmap_count"] == .number(2))
        #expect(slot["state"].text == "in_use" && slot["function"].text == "kmap")
        #expect(slot["call"] == .number(2))
        let thread = try #require(seen["threads"].elements.first)
        #expect(thread["maps"].elements.first?["fix_index"] == .number(68))
        #expect(seen["used_slots"] == .number(1) && seen["last_pkmap"] == .number(1_024))
        #expect(after["unflushed_slots"] == .number(1) && after["used_slots"] == .number(0))
        #expect(after["threads"].elements.isEmpty)
    }

    @Test func `a kmap that sleeps stands among the sleepers until it is woken`() throws {
        let session = try boot(#""profile":"linux-6.1-i386","memory":"1G","pae":true"#)
        let pages = (0..<513).map { 240_000 + $0 }
        for pfn in pages.dropLast() { _ = try call(session, "kmap", "page=\(pfn)") }
        let blocked = try call(session, "kmap", "page=\(pages[512])")
        let waiting = try view(session)
        let unmapped = try call(session, "kunmap", "page=\(pages[100])")
        let after = try view(session)

        #expect(blocked["return"] == .null)
        #expect(blocked["detail"]["blocked"] == .boolean(true))
        #expect(waiting["sleepers"].elements.map { $0["call"] } == [blocked["seq"]])
        let woken = try #require(unmapped["detail"]["woken"].elements.first)
        #expect(woken["call"] == blocked["seq"])
        #expect(woken["return"].text == "0xff065000")
        #expect(after["sleepers"].elements.isEmpty)
        #expect(after["used_slots"] == .number(512))
    }

    @Test("machines without a window have none", arguments: ["", #""profile":"linux-2.6-i386","#])
    func without(profile: String) throws {
        let session = try boot(profile + #""memory":"512M""#)
        let seen = try view(session)

        #expect(seen["pkmap_base"] == .null)
        #expect(seen["last_pkmap"] == .number(0) && seen["high_pages"] == .number(0))
        #expect(seen["slots"].elements.isEmpty)
    }

    @Test func `the classic machine's slots are named by their type`() throws {
        let session = try boot(#""profile":"linux-2.6-i386","memory":"1G""#)
        let pfn = 240_000
        let mapped = try call(session, "kmap_atomic", "page=\(pfn)&type=KM_USER1")
        let maps = try view(session)["threads"].elements.flatMap { $0["maps"].elements }

        #expect(mapped["return"].text == "0xfffb7000")
        #expect(maps.map { $0["type"].text } == ["KM_USER1"])
    }

    @Test func `a size_t of a 32-bit machine has 32 bits`() throws {
        let narrow = try boot(#""profile":"linux-6.1-i386","memory":"1G""#)
        let wide = try boot(#""memory":"1G""#)
        let form = "size=4294967296&flags=GFP_KERNEL"
        let refused = try service.send("POST", narrow + "/calls/kmalloc", form)
        let largest = try call(narrow, "kmalloc", "size=4294967295&flags=GFP_KERNEL")
        let taken = try service.send("POST", wide + "/calls/kmalloc", form)
        let functions = try service.send("GET", narrow + "/functions").json["functions"].elements
        let kmalloc = functions.first { $0["name"].text == "kmalloc" }

        let physical = "phys_addr=0x102000000&size=4096"
        let low = try service.send("POST", narrow + "/calls/ioremap", physical)

        // A physical address may be wider than a pointer; without PAE its upper half is dropped.
        #expect(low.status == 200 && low.json["return"] == .null)
        #expect(low.text.contains("ioremap on RAM at 0x02000000 - 0x02000fff"))
        #expect(refused.status == 422)
        #expect(largest["return"] == .null)
        #expect(taken.status == 200)
        #expect(kmalloc?["parameters"].elements.first?["bits"] == .number(32))
    }
}
