import Testing

@Suite("HTTP: memory, processes and layout")
struct MemoryViewTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"128M"}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    @Test func `what was written is dumped with its text, or as bytes`() throws {
        let address = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        let body = #"{"address":"\#(address)","data":{"text":"kheapd \u0001 rocks, again"}}"#
        _ = try call("kernel_write", body)
        let path = session + "/memory?length=24&address=" + address
        let dump = try service.send("GET", path).json
        let bytes = try service.send(
            "GET",
            path,
            headers: ["Accept": "application/octet-stream"]
        )

        let lines = dump["lines"].elements
        #expect(dump["mapped"] == .number(24))
        #expect(lines.map { $0["text"].text } == ["kheapd . rocks, ", "again..."])
        #expect(lines.first?["hex"].text == "6b686561706420012072" + "6f636b732c20")
        #expect(lines.first?["address"].text == address)
        #expect(bytes.headers["content-type"] == "application/octet-stream")
        #expect(bytes.text == "kheapd \u{1} rocks, again\0\0\0")
    }

    // 128 MiB end at 0xffff888008000000.
    @Test func `what lies beyond memory is reported, and bytes end before it`() throws {
        let path = session + "/memory?length=32&address=0xffff888007fffff0"
        let dump = try service.send("GET", path).json
        let bytes = try service.send(
            "GET",
            path,
            headers: ["Accept": "application/octet-stream"]
        )
        let end = dump["mapped"].number ?? -1

        #expect(dump["lines"].elements.count == (end > 0 ? 1 : 0))
        #expect(dump["unmapped"].elements.last?["reason"].text == "not_mapped")
        #expect(bytes.status == (end > 0 ? 200 : 422))
    }

    @Test(
        "addresses that nothing is mapped at",
        arguments: [
            ("0x0", "not_mapped"), ("0x800000000000", "non_canonical"),
            ("0xffffc90000000000", "not_mapped"), ("0xfffffffffffffff8", "not_mapped"),
        ]
    )
    func unmapped(address: String, reason: String) throws {
        let path = session + "/memory?length=16&address=" + address
        let dump = try service.send("GET", path)
        let bytes = try service.send(
            "GET",
            path,
            headers: ["Accept": "application/octet-stream"]
        )

        #expect(dump.status == 200)
        #expect(dump.json["lines"].elements.isEmpty)
        #expect(dump.json["unmapped"].elements.map { $0["reason"].text } == [reason])
        #expect(bytes.status == 422)
        #expect(bytes.json["pointer"].text == "/address")
    }

    @Test(
        "bad parameters are refused",
        arguments: [
            ("length=16", "missing-field", "/address"), ("address=zz", "wrong-type", "/address"),
            ("address=0x10000000000000000", "out-of-range", "/address"),
            ("address=0&length=0", "out-of-range", "/length"),
            ("address=0&length=65537", "out-of-range", "/length"),
            ("address=0&pid=2", "unknown-name", "/pid"),
        ]
    )
    func badParameters(query: String, problem: String, pointer: String) throws {
        let answer = try service.send("GET", session + "/memory?" + query)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
        #expect(!answer.json["valid"].elements.isEmpty)
    }

    // Three pages, one of them written: |  -  | resident |  -  |
    @Test func `a process shows its areas and the frames behind its pages`() throws {
        let area = try call(
            "mmap",
            "length=12288&prot=PROT_READ|PROT_WRITE&flags=MAP_PRIVATE|MAP_ANONYMOUS"
        )["return"].text
        let start = try #require(UInt64(area.dropFirst(2), radix: 16))
        let second = "0x" + String(start + 4_096, radix: 16)
        _ = try call("user_write", #"{"addr":"\#(second)","data":{"text":"mine"}}"#)
        let answer = try service.send("GET", session + "/processes?pid=1").json
        let dump = try service.send("GET", session + "/memory?length=4&address=" + second).json

        let process = try #require(answer["processes"].elements.first)
        #expect(process["name"].text == "init")
        #expect(process["resident_pages"] == .number(1))
        let areas = process["areas"].elements
        #expect(areas.count == 1)
        #expect(areas.first?["start"].text == area)
        #expect(areas.first?["size"] == .number(12_288))
        #expect(areas.first?["rights"].text == "rw-p")
        #expect(areas.first?["resident_pages"] == .number(1))
        #expect(answer["pages"].elements.map { $0["address"].text } == [second])
        #expect(answer["next_page_address"] == .null)
        #expect(dump["lines"].elements.first?["text"].text == "mine")
    }

    // 128 MiB: 0x4000000 lies in a large page of the direct map.
    @Test func `translate shows the levels of a large page, and the call says the same`() throws {
        let path = session + "/translate?address=0xffff888004000010&access=write"
        let view = try service.send("GET", path).json
        let call = try call("translate", "address=0xffff888004000010&access=write")

        #expect(view["physical"] == .string("0x4000010"))
        #expect(view["page_size"] == .number(2_097_152))
        #expect(view["fault"] == .null)
        let levels = view["levels"].elements
        #expect(levels.map { $0["level"].text } == ["PGD", "PUD", "PMD"])
        #expect(levels.last?["bits"].text == "P RW A D PS/PAT G NX")
        #expect(levels.last?["entry"].text == "0x80000000040001e3")
        #expect(call["return"] == .string("0x4000010"))
        #expect(call["detail"]["levels"] == view["levels"])
    }

    @Test(
        "bad parameters of translate are refused",
        arguments: [
            ("access=read", "missing-field", "/address"),
            ("address=0x0&access=look", "unknown-name", "/access"),
            ("address=0x0&mode=god", "unknown-name", "/mode"),
            ("address=0x0&pid=77", "unknown-name", "/pid"),
        ]
    )
    func translateRefusals(query: String, problem: String, pointer: String) throws {
        let answer = try service.send("GET", session + "/translate?" + query)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }

    @Test func `a process that is not there is refused with those that are`() throws {
        let answer = try service.send("GET", session + "/processes?pid=7")

        #expect(answer.status == 422)
        #expect(answer.problem == "unknown-name")
        #expect(answer.json["valid"].elements == [.string("1")])
    }

    @Test func `the layout shows a process's areas where it is asked for them`() throws {
        let plain = try service.send("GET", session + "/layout").json
        let made = try call(
            "mmap",
            "length=8192&prot=PROT_READ&flags=MAP_PRIVATE|MAP_ANONYMOUS"
        )["return"]

        let asked = try service.send("GET", session + "/layout?pid=1&address=\(made.text)").json

        #expect(plain["process"] == .null)
        #expect(asked["process"]["areas"].elements.first?["start"] == made)
        #expect(try service.send("GET", session + "/layout?pid=5").status == 422)
    }

    @Test func `regions ascend without overlap and repeat the profile's constants`() throws {
        let regions = try service.send("GET", session + "/layout").json["regions"].elements
        let profiles = try service.send("GET", "/v1/profiles").json["profiles"].elements
        let constants = try #require(profiles.first)["constants"]

        func start(_ name: String) -> JSON? {
            regions.first { $0["name"].text == name }?["start"]
        }
        let bounds = regions.map { region in
            [region["start"], region["last"]].compactMap {
                UInt64($0.text.dropFirst(2), radix: 16)
            }
        }
        #expect(bounds.allSatisfy { $0.count == 2 && $0[0] < $0[1] })
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0.last ?? 0 < $1.first ?? 0 })
        #expect(start("user space") == .string("0x0"))
        #expect(start("direct map") == constants["PAGE_OFFSET"])
        #expect(start("vmalloc") == constants["VMALLOC_START"])
        #expect(start("vmemmap") == constants["VMEMMAP_START"])
        #expect(start("modules") == constants["MODULES_VADDR"])
        #expect(start("fixmap") == constants["FIXADDR_START"])
    }
}
