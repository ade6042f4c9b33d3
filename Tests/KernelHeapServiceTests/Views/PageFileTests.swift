import Testing

@Suite("HTTP: page files, fragmentation, vmstat")
struct PageFileTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    private func words(_ bytes: [UInt8]) -> [UInt64] {
        stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { start in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
        }
    }

    @Test func `eight bytes a frame say that a compound page begins and goes on`() throws {
        let session = try service.boot()
        let call = try service.send(
            "POST",
            session + "/calls/alloc_pages",
            "order=2&gfp_mask=GFP_KERNEL|__GFP_COMP"
        )
        let pfn = Int(try #require(call.json["detail"]["pfn"].number))
        let path = session + "/proc/kpageflags"

        let byFrame = try service.send("GET", path + "?pfn=\(pfn)&count=4")
        let byOffset = try service.send("GET", path + "?offset=\(pfn * 8)&length=32")

        #expect(byFrame.status == 200)
        #expect(byFrame.headers["content-type"] == "application/octet-stream")
        #expect(byFrame.headers["etag"] == "\"1\"")
        #expect(words(byFrame.body) == [1 << 15, 1 << 16, 1 << 16, 1 << 16])
        #expect(byOffset.body == byFrame.body)
    }

    @Test func `as JSON like frames are one run with the names of the bits`() throws {
        let session = try service.boot()
        let json = ["Accept": "application/json"]

        let flags = try service.send(
            "GET",
            session + "/proc/kpageflags?pfn=0&count=4096",
            headers: json
        ).json
        let counts = try service.send("GET", session + "/proc/kpagecount", headers: json).json

        let runs = flags["runs"].elements
        #expect(runs.first?["names"].elements == [.string("RESERVED")])
        #expect(runs.first?["flags"].text == "0x100000000")
        #expect(runs.contains { $0["names"].elements == [.string("BUDDY")] })
        #expect(runs.compactMap { $0["pages"].number }.reduce(0, +) == 4_096)
        #expect(flags["next_pfn"] == .number(4_096))
        #expect(counts["runs"].elements.map { $0["count"] } == [.number(0)])
        #expect(counts["count"] == .number(65_536))
    }

    @Test func `a mapped page counts once in kpagecount`() throws {
        let session = try service.boot()
        let mapped = try service.send(
            "POST",
            session + "/calls/mmap",
            "length=4096&prot=PROT_READ|PROT_WRITE&flags=MAP_PRIVATE|MAP_ANONYMOUS"
        )
        let address = mapped.json["return"].text
        _ = try service.send(
            "POST",
            session + "/calls/user_write",
            #"{"addr":"\#(address)","data":{"text":"x"}}"#
        )
        let size = 131_072
        var total: UInt64 = 0
        for first in stride(from: 0, to: size, by: 65_536) {
            let part = try service.send("GET", session + "/proc/kpagecount?pfn=\(first)")
            total += words(part.body).reduce(0, +)
        }

        #expect(total == 1)
    }

    @Test func `the file ends with whole sections, and reads at its end are empty`() throws {
        let session = try service.boot(#"{"machine":{"memory":"200M"}}"#)
        let path = session + "/proc/kpageflags"
        let json = try service.send("GET", path, headers: ["Accept": "application/json"]).json
        let end = Int(try #require(json["end_pfn"].number))
        let atEnd = try service.send("GET", path + "?pfn=\(end)")
        let cut = try service.send("GET", path + "?pfn=\(end - 2)&count=100")

        // 128 MiB a section.
        #expect(end == 2 * 32_768)
        #expect(atEnd.status == 200)
        #expect(atEnd.body.isEmpty)
        #expect(cut.body.count == 16)
    }

    @Test(
        "a part that means nothing is refused",
        arguments: [
            ("pfn=99999999", "out-of-range", "/pfn"), ("count=0", "out-of-range", "/count"),
            ("count=65537", "out-of-range", "/count"), ("offset=4", "invalid-value", "/offset"),
            ("length=12", "invalid-value", "/length"), ("length=0", "out-of-range", "/length"),
            ("pfn=1&offset=8", "invalid-value", "/pfn"), ("pfn=x", "wrong-type", "/pfn"),
            ("offset=18446744073709551615", "out-of-range", "/offset"),
            ("page=1", "unknown-field", "/page"), ("pfn=1&pfn=2", "duplicate-field", "/pfn"),
        ]
    )
    func refusals(query: String, problem: String, pointer: String) throws {
        let session = try service.boot()
        let answer = try service.send("GET", session + "/proc/kpageflags?" + query)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }

    // 1 TiB: the last frames cost what the first ones do.
    @Test func `the end of a large machine is read as fast as its beginning`() throws {
        let session = try service.boot(#"{"machine":{"memory":"1024G"}}"#)
        let answer = try service.send("GET", session + "/proc/kpageflags?pfn=260000000&count=1000")

        #expect(words(answer.body) == [UInt64](repeating: 1 << 10, count: 1_000))
    }

    @Test func `fragmentation has a number for every zone and order`() throws {
        let session = try service.boot()
        let answer = try service.send("GET", session + "/fragmentation").json
        let text = try service.send(
            "GET",
            session + "/sys/kernel/debug/extfrag/unusable_index"
        ).text

        let zones = answer["zones"].elements
        let dma = zones.first?["orders"].elements ?? []
        #expect(zones.map { $0["name"].text } == ["DMA", "DMA32"])
        #expect(dma.count == 11)
        #expect(dma.first?["unusable_index"] == .number(0))
        #expect(dma.first?["extfrag_index"] == .number(-1))
        let shown = text.split(separator: "\n").first?.split(separator: " ").dropFirst(4) ?? []
        #expect(shown.compactMap { Double($0) } == dma.compactMap { $0["unusable_index"].number })
    }

    @Test func `vmstat as JSON has the numbers of the text`() throws {
        let session = try service.boot()
        _ = try service.send("POST", session + "/calls/kmalloc", "size=64&flags=GFP_KERNEL")
        let text = try service.send("GET", session + "/proc/vmstat").text
        let counters = try service.send("GET", session + "/vmstat").json["counters"]

        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.count > 160)
        for line in lines {
            #expect(counters[String(line[0])].number == Double(line[1]), "\(line[0])")
        }
        #expect(counters["pgalloc_dma32"] == .number(1))
    }
}
