import Testing

@Suite("HTTP: misuse is named in the detail")
struct MisuseWarningRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"512M"}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    @Test func `a double free without other details has only warnings`() throws {
        let object = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        let sound = try call("kfree", "objp=" + object)
        let again = try call("kfree", "objp=" + object)
        let warnings = again["detail"]["warnings"].elements

        #expect(sound["detail"] == .null)
        #expect(warnings.count == 1)
        #expect(warnings.first?["kind"].text == "double_free")
        #expect(warnings.first?["calls"].elements.first?["seq"] == .number(2))
        #expect(warnings.first?["calls"].elements.first?["function"].text == "kfree")
        #expect(warnings.first?["place"]["state"].text == "free")
        #expect(warnings.first?["text"].text.contains("is free already") == true)
    }

    @Test func `warnings stand behind the other details of a call`() throws {
        let object = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        let loaded = try call("kernel_read", "length=65&address=" + object)["detail"]
        let stored = try call("memset", "c=0&n=65&s=" + object)["detail"]

        #expect(loaded["data"].text.count == 130)
        for detail in [loaded, stored] {
            let warning = detail["warnings"].elements.first
            #expect(warning?["kind"].text == "out_of_bounds")
            #expect(warning?["beyond"]["length"] == .number(1))
            #expect(warning?["beyond"]["hit"]["index"] == .number(1))
        }
    }

    @Test func `an object with two owners shows the first owner's call`() throws {
        let first = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        let second = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        for object in [first, second, first] { _ = try call("kfree", "objp=" + object) }
        let owners = try (0..<3).map { _ in try call("kmalloc", "size=64&flags=GFP_KERNEL") }
        let warning = owners[2]["detail"]["warnings"].elements.first

        #expect(owners.map { $0["return"].text } == [first, second, first])
        #expect(owners[2]["detail"]["cache"].text == "kmalloc-64")
        #expect(warning?["kind"].text == "shared_object")
        #expect(warning?["calls"].elements.first?["seq"] == .number(6))
    }

    @Test func `memory of no slab is named by what it is`() throws {
        let page = try call("__get_free_pages", "order=0&gfp_mask=GFP_KERNEL")["return"].text
        let freed = try call("kfree", "objp=" + page)["detail"]["warnings"].elements.first
        let user = try call("kfree", "objp=0x7fff0000")["detail"]["warnings"].elements.first

        #expect(freed?["kind"].text == "wrong_memory")
        #expect(freed?["place"]["region"].text == "pages")
        #expect(user?["place"]["region"].text == "unmapped")
    }
}
