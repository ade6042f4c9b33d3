import Testing

@Suite("HTTP: processes")
struct ProcessRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        let answer = try service.send("POST", session + "/calls/" + name, body)
        #expect(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    private func get(_ path: String, json: Bool = false) throws -> HTTPAnswer {
        let headers = json ? ["Accept": "application/json"] : [:]
        return try service.send("GET", session + path, headers: headers)
    }

    @Test func `a client makes a process, forks it, and sees both memories`() throws {
        let pid = try call("process_create", #"{"name":"sh"}"#)["return"]
        #expect(pid == .number(2))
        let mapped = try call(
            "mmap",
            #"{"length":8192,"prot":"PROT_READ|PROT_WRITE","flags":"MAP_PRIVATE|MAP_ANONYMOUS","context":{"pid":2}}"#
        )["return"].text
        _ = try call(
            "user_write",
            #"{"addr":"\#(mapped)","data":{"text":"mine"},"context":{"pid":2}}"#
        )
        let child = try call("fork", #"{"context":{"pid":2}}"#)
        _ = try call(
            "user_write",
            #"{"addr":"\#(mapped)","data":{"text":"your"},"context":{"pid":3}}"#
        )

        let parent = try call("user_read", #"{"addr":"\#(mapped)","length":4,"context":{"pid":2}}"#)
        let other = try call("user_read", #"{"addr":"\#(mapped)","length":4,"context":{"pid":3}}"#)
        let maps = try get("/proc/2/maps").text
        let processes = try get("/processes").json["processes"].elements
        let pagemap = try get("/proc/3/pagemap?count=2&address=" + mapped, json: true).json
        let bytes = try get("/proc/3/pagemap?count=2&address=" + mapped).body

        #expect(child["return"] == .number(3))
        #expect(child["detail"]["resident_pages"] == .number(1))
        #expect(parent["detail"]["data"].text == "6d696e65")
        #expect(other["detail"]["data"].text == "796f7572")
        #expect(maps.contains(" rw-p 00000000 00:00 0 \n"))
        #expect(maps.hasSuffix("[stack]\n"))
        #expect(processes.map { $0["pid"] } == [.number(1), .number(2), .number(3)])
        #expect(processes.last?["parent"] == .number(2))
        let entry = try #require(pagemap["pages"].elements.first)
        #expect(pagemap["pages"].elements.count == 1)
        #expect(entry["map_count"] == .number(1))
        #expect(entry["dirty"] == .boolean(true))
        let pfn = Int(try #require(entry["pfn"].number))
        let word = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << UInt64($1 * 8) }
        #expect(bytes.count == 16)
        #expect(word == 1 << 63 | 1 << 56 | UInt64(pfn))

        _ = try call("process_exit", #"{"context":{"pid":3}}"#)
        let gone = try service.send("POST", session + "/calls/fork", #"{"context":{"pid":3}}"#)
        #expect(gone.status == 422)
        let missing = try get("/proc/3/maps")
        #expect(missing.status == 404)
    }

    @Test func `signals and errors of files and addresses are results`() throws {
        let file = try call("memfd_create", #"{"name":"data"}"#)["return"]
        #expect(file == .number(3))
        _ = try call("pwrite", #"{"fd":3,"data":{"text":"hello"}}"#)
        let mapped = try call("mmap", "length=8192&prot=PROT_READ&flags=MAP_SHARED&fd=3")["return"]
            .text
        let start = try #require(UInt64(mapped.dropFirst(2), radix: 16))
        let read = try call("user_read", "length=5&addr=" + mapped)
        let beyond = try call("user_read", "length=1&addr=0x" + String(start + 4_096, radix: 16))
        let wild = try call("user_read", "length=1&addr=0x800000000000")
        let fetch = try call("user_fetch", "addr=" + mapped)
        let bad = try call("mmap", "length=4096&prot=PROT_READ&flags=MAP_PRIVATE&fd=9")
        let closed = try call("close", "fd=9")

        #expect(read["detail"]["data"].text == "68656c6c6f")
        #expect(beyond["detail"]["signal"]["name"].text == "SIGBUS")
        #expect(beyond["detail"]["signal"]["si_code"].text == "BUS_ADRERR")
        #expect(wild["detail"]["signal"]["si_code"].text == "SI_KERNEL")
        #expect(wild["detail"]["signal"]["si_addr"].text == "0x0")
        #expect(fetch["detail"]["signal"]["si_code"].text == "SEGV_ACCERR")
        #expect(fetch["detail"]["signal"]["error_code"] == .number(21))
        #expect(bad["errno"].text == "EBADF")
        #expect(closed["errno"].text == "EBADF")
    }

    @Test(
        "parts of pagemap that are none are refused",
        arguments: ["offset=4", "address=0x0&offset=8", "count=0", "pfn=1"]
    )
    func refusals(query: String) throws {
        let answer = try get("/proc/1/pagemap?" + query)
        #expect(answer.status == 422)
    }
}
