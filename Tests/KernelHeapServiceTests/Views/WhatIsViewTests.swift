import Testing

@Suite("HTTP: what an address is, and how memory lies")
struct WhatIsViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"512M","cpus":2}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func whatIs(_ address: String) throws -> JSON {
        try service.send("GET", session + "/what_is?address=" + address).json
    }

    @Test func `the view and the call say the same`() throws {
        let object = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text

        let view = try whatIs(object)
        let detail = try call("what_is", "address=\(object)")["detail"]

        #expect(view["region"]["kind"].text == "direct_map")
        #expect(view["object"]["cache"].text == "kmalloc-64")
        #expect(view["object"]["allocated_by"]["function"].text == "kmalloc")
        #expect(view["page"]["state"].text == "slab")
        for member in ["address", "region", "mapping", "page", "object", "area", "vma", "text"] {
            #expect(view[member] == detail[member], "\(member)")
        }
    }

    @Test(
        "any number is answered",
        arguments: [
            "0", "0xffffffffffffffff", "0x8000000000000000", "0x7fffffffffff",
            "18446744073709551615",
            "0xffffea0000000001", "0xffffffffff600000", "0xffff888000000000",
        ]
    )
    func hostile(address: String) throws {
        let answer = try service.send("GET", session + "/what_is?address=" + address)

        #expect(answer.status == 200)
        #expect(!answer.json["text"].text.isEmpty)
        #expect(answer.json["region"]["name"] != .null)
    }

    @Test(
        "bad parameters are refused",
        arguments: [
            ("", "missing-field", "/address"), ("?address=x", "wrong-type", "/address"),
            ("?address=0x10000000000000000", "out-of-range", "/address"),
            ("?address=0&pid=9", "unknown-name", "/pid"),
        ]
    )
    func refuses(query: String, problem: String, pointer: String) throws {
        let answer = try service.send("GET", session + "/what_is" + query)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }

    @Test func `contiguity is there where it was asked for`() throws {
        let plain = try call("kmalloc", "size=192&flags=GFP_KERNEL")["detail"]
        let asked = try call("kmalloc", "size=192&flags=GFP_KERNEL&contiguity=true")["detail"]
        let area = try call("vmalloc", #"{"size":20000,"contiguity":true}"#)["detail"]
        let free = try call("kfree", "objp=0&contiguity=true")
        let batch = try service.send(
            "POST",
            session + "/calls?contiguity=true",
            #"[{"call":"alloc_page","gfp_mask":"GFP_DMA"}]"#
        ).json

        #expect(plain["contiguity"] == .null)
        #expect(asked["contiguity"]["physical"] == .boolean(true))
        #expect(asked["contiguity"]["dma"]["mask_24"] == .boolean(false))
        #expect(asked["contiguity"]["runs"].elements.count == 1)
        #expect(area["contiguity"]["virtual"] == .boolean(true))
        #expect(area["contiguity"]["bytes"] == .number(20_480))
        #expect(free["detail"] == .null)
        let dma = try #require(batch.elements.first)["detail"]["contiguity"]["dma"]
        #expect(dma["mask_24"] == .boolean(true))
    }

    @Test func `a TLB entry outlives a change on the CPU that was not told`() throws {
        let address = "0xffff888000100000"
        for cpu in 0..<2 {
            _ = try call("kernel_read", "address=\(address)&length=1&context.cpu=\(cpu)")
        }
        _ = try call("invlpg", "address=\(address)&context.cpu=0")

        let view = try service.send("GET", session + "/translate?address=" + address).json

        #expect(view["tlb"].elements.map { $0["cpu"] } == [.number(1)])
    }

    @Test func `a wrong conversion is answered, with a warning`() throws {
        let answer = try call("virt_to_phys", "address=0x400000")
        let warning = try #require(answer["detail"]["warnings"].elements.first)

        #expect(warning["kind"].text == "not_direct_mapped")
        #expect(warning["region"].text == "user space")
        #expect(answer["return"] != .null)
    }
}
