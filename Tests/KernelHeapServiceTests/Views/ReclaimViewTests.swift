import Testing

@Suite("HTTP: what reclaim works with")
struct ReclaimViewTests {
    private let service: ServiceFixture
    private let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"96M","swap":"32M"}}"#)
    }

    /// Runs calls that must all be run.
    private func run(_ calls: String) throws {
        let answers = try service.send("POST", session + "/calls", "[\(calls)]").json.elements
        for answer in answers { #expect(answer["type"] == .null, "\(answer)") }
    }

    private func file(_ path: String) throws -> String {
        try service.send("GET", session + "/proc/" + path).text
    }

    @Test func `files, lists and dirty pages are counted`() throws {
        try run(
            #"{"call":"page_cache_write","path":"/log","data":{"text":"x"}},"#
                + #"{"call":"page_cache_read","path":"/data","count":40960},"#
                + #"{"call":"page_cache_read","path":"/data","count":8192}"#
        )

        let view = try service.send("GET", session + "/reclaim").json

        let zones = view["nodes"].elements.flatMap { $0["zones"].elements }
        func sum(_ name: String) -> Double {
            zones.reduce(0) { $0 + ($1["lists"][name].number ?? 0) }
        }
        #expect(sum("inactive_file") == 9 && sum("active_file") == 2)
        #expect(zones.reduce(0) { $0 + ($1["dirty"].number ?? 0) } == 1)
        #expect(view["writeback"]["dirty"] == .number(1))
        let files = view["files"].elements
        #expect(files.map { $0["path"].text } == ["/log", "/data"])
        #expect(files.map { $0["cached"].number } == [1, 10])
        #expect(files.map { $0["dirty"].number } == [1, 0])
        #expect(view["swappiness"] == .number(60))
        #expect(view["nodes"].elements.first?["kswapd"]["woken"] == .boolean(false))
    }

    @Test func `swap areas are those of the file in proc`() throws {
        try run(#"{"call":"swapon","path":"/swap file","size":8388608}"#)

        let areas = try service.send("GET", session + "/reclaim").json["swap_areas"].elements

        #expect(areas.map { $0["path"].text } == ["/dev/sda2", "/swap file"])
        #expect(areas.map { $0["pages"].number } == [8_191, 2_047])
        #expect(areas.map { $0["priority"].number } == [-2, -3])
        let gap = String(repeating: " ", count: 31)
        #expect(
            try file("swaps")
                == "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                + "/dev/sda2\(gap)partition\t32764\t\t0\t\t-2\n"
                + "/swap\\040file\(gap.dropLast(4))file\t\t8188\t\t0\t\t-3\n"
        )
    }

    @Test func `scores say whom the OOM killer would choose, and a kill is remembered`() throws {
        try run(
            #"{"call":"process_create","name":"shy"},{"call":"process_create","name":"hog"},"#
                + #"{"call":"oom_score_adj","pid":2,"value":-1000}"#
        )
        let scores = try (1...3).map { try file("\($0)/oom_score") }

        // 56 MiB in a machine of 96 with 32 of swap, and then the same once more.
        let process = #""context":{"pid":3}"#
        for address in ["0x10000000", "0x20000000"] {
            try run(
                #"{"call":"mmap","addr":"\#(address)","length":58720256,"prot":3,"flags":50,\#(process)},"#
                    + #"{"call":"madvise","addr":"\#(address)","length":58720256,"advice":23,\#(process)}"#
            )
        }
        let kills = try service.send("GET", session + "/reclaim").json["kills"].elements
        let gone = try service.send("GET", session + "/proc/3/oom_score")

        #expect(scores == ["0\n", "0\n", "666\n"])
        #expect(try file("2/oom_score_adj") == "-1000\n")
        #expect(kills.map { $0["name"].text } == ["hog"])
        #expect(kills.first?["pid"] == .number(3))
        #expect(kills.first?["call"] == .number(7))
        #expect((kills.first?["resident"].number ?? 0) > 5_000)
        #expect((kills.first?["swapped"].number ?? 0) > 5_000)
        #expect(gone.status == 404)
    }

    @Test func `pages tell whose they are, and on which list`() throws {
        try run(
            #"{"call":"page_cache_read","path":"/data","count":4096},"#
                + #"{"call":"mmap","addr":"0x10000000","length":4096,"prot":3,"flags":50},"#
                + #"{"call":"user_write","addr":"0x10000000","data":{"text":"x"}},"#
                + #"{"call":"mlock","addr":"0x10000000","len":4096}"#
        )

        var runs: [JSON] = []
        var next: Double? = 0
        while let pfn = next {
            let part = try service.send("GET", session + "/pages?pfn=\(Int(pfn))&count=16384").json
            runs += part["runs"].elements
            next = part["next_pfn"].number
            if pfn + 16_384 >= part["end_pfn"].number ?? 0 { break }
            next = next ?? pfn + 16_384
        }
        let users = runs.filter { $0["lru"] == .boolean(true) }
        let shown = Set(users.map { $0["content"].text + " " + $0["list"].text })

        #expect(shown == ["file inactive_file", "anonymous unevictable"])
    }
}
