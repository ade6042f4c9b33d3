import Testing

@Suite("HTTP: memory cgroups")
struct CgroupRoutesTests {
    private let service: ServiceFixture
    private let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"96M","swap":"16M"}}"#)
    }

    private func run(_ calls: String) throws -> [JSON] {
        try service.send("POST", session + "/calls?on_error=continue", "[\(calls)]").json.elements
    }

    private func file(_ path: String) throws -> (status: Int, text: String) {
        let answer = try service.send("GET", session + "/sys/fs/cgroup/" + path)
        return (answer.status, answer.text)
    }

    @Test func `a group's files say what its processes have`() throws {
        let answers = try run(
            #"{"call":"cgroup_mkdir","path":"/jobs"},{"call":"cgroup_mkdir","path":"/jobs/one"},"#
                + #"{"call":"cgroup_write","file":"/jobs/memory.max","value":" 2M\n"},"#
                + #"{"call":"cgroup_write","file":"/jobs/one/memory.low","value":"5000"},"#
                + #"{"call":"cgroup_write","file":"/jobs/one/cgroup.procs","value":"1"},"#
                + #"{"call":"page_cache_write","path":"/log","data":{"text":"x"}},"#
                + #"{"call":"kmalloc","size":8192,"flags":"GFP_KERNEL_ACCOUNT"}"#
        )
        for answer in answers { #expect(answer["errno"] == .null, "\(answer)") }

        // A page of the file, and two of the object: kmalloc-cg-8k has 8,192 bytes and 8 beside.
        #expect(try file("jobs/memory.current").text == "16384\n")
        #expect(try file("jobs/one/memory.current").text == "16384\n")
        #expect(try file("jobs/memory.max").text == "2097152\n")
        #expect(try file("jobs/one/memory.low").text == "4096\n", "whole pages")
        #expect(try file("jobs/memory.high").text == "max\n")
        #expect(try file("jobs/one/cgroup.procs").text == "1\n")
        #expect(try file("jobs/cgroup.procs").text.isEmpty)
        let stat = try file("jobs/memory.stat").text.split(separator: "\n")
        #expect(stat.contains("file 4096") && stat.contains("slab_unreclaimable 8200"))
        #expect(stat.contains("inactive_file 4096") && stat.contains("kernel 12288"))
        let events = "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n"
        #expect(try file("jobs/memory.events").text == events)
        #expect(try file("memory.max").status == 404, "the root has no limit")
        #expect(try file("none/memory.max").status == 404)
    }

    @Test func `a refused charge is explained, and the groups are listed`() throws {
        _ = try run(
            #"{"call":"cgroup_mkdir","path":"/<b>"},"#
                + #"{"call":"cgroup_write","file":"/<b>/memory.max","value":"16K"},"#
                + #"{"call":"cgroup_write","file":"/<b>/cgroup.procs","value":"1"}"#
        )
        let body = #"{"gfp_mask":["GFP_KERNEL_ACCOUNT","__GFP_NORETRY"],"order":3}"#

        let refused = try service.send("POST", session + "/calls/alloc_pages?explain=true", body)
            .json
        let groups = try service.send("GET", session + "/cgroups").json["cgroups"].elements

        #expect(refused["return"] == .null && refused["log"].elements.isEmpty)
        let steps = refused["explain"].elements.map { $0["text"].text }
        #expect(steps.contains { $0.contains("memory cgroup /<b> has 0 of the 4 pages") })
        #expect(groups.map { $0["path"].text } == ["/", "/<b>"])
        #expect(groups.last?["limits"]["memory.max"] == .number(16_384))
        #expect(groups.last?["limits"]["memory.high"] == .null)
        #expect((groups.last?["failcnt"].number ?? 0) > 0)
        #expect(groups.last?["processes"].elements == [.number(1)])
    }
}
