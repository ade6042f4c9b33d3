import Testing

@Suite("HTTP: what would have succeeded")
struct AlternativeRoutesTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    /// A session whose pages are all taken, but for those below the marks.
    private func exhausted(_ machine: String) throws -> String {
        let session = try service.boot(machine)
        var taken = -1.0
        while taken != 0 {
            let answer = try service.send(
                "POST",
                session + "/calls/alloc_pages_bulk_array",
                #"{"gfp":"GFP_KERNEL|__GFP_NORETRY|__GFP_NOWARN","nr_pages":65536}"#
            )
            taken = try #require(answer.json["return"].number)
        }
        return session
    }

    private func steps(_ answer: HTTPAnswer, _ change: String) -> [JSON] {
        steps(answer.json, change)
    }

    @Test func `a failed request says which flags, knob and frees would have helped`() throws {
        let session = try exhausted(#"{"machine":{"memory":"96M"}}"#)

        let answer = try service.send(
            "POST",
            session + "/calls/alloc_page?explain=true",
            "gfp_mask=GFP_NOWAIT"
        )

        #expect(answer.json["return"] == .null)
        let atomic = steps(answer, "flags").first { $0["how"] == .string("as GFP_ATOMIC") }
        #expect(atomic?["flags"]["text"] == .string("GFP_ATOMIC"))
        #expect(atomic?["flags"]["value"] == .string("0xa20"))
        #expect(atomic?["text"] == .string("It would succeed as GFP_ATOMIC."))
        #expect(steps(answer, "sysctl").contains { $0["name"] == .string("vm.min_free_kbytes") })
        let freed = try #require(steps(answer, "free").first)
        let count = Double(freed["allocations"].elements.count)
        #expect(freed["pages"] == .number(count) && count > 0)
        #expect(
            freed["allocations"].elements.allSatisfy { $0["free_with"] == .string("free_pages") }
        )
        #expect(freed["allocations"].elements.allSatisfy { $0["order"] == .number(0) })
    }

    @Test func `the knob that is named opens the way`() throws {
        let session = try exhausted(#"{"machine":{"memory":"96M"}}"#)
        let page = session + "/calls/alloc_page?explain=true"
        let first = try service.send("POST", page, "gfp_mask=GFP_KERNEL|__GFP_NORETRY")
        let knob = try #require(steps(first, "sysctl").last)

        let written = try service.send(
            "POST",
            session + "/calls/sysctl",
            #"{"name":"\#(knob["name"].text)","value":"\#(knob["value"].text)"}"#
        )
        let second = try service.send("POST", page, "gfp_mask=GFP_KERNEL|__GFP_NORETRY")

        #expect(written.json["return"] == .number(0))
        #expect(second.json["return"].text.hasPrefix("0xffffea"))
        #expect(steps(second, "flags") == [])
    }

    // 1 GiB of single pages is more than the server's own thread forks for.
    @Test func `a large machine is tried by a worker, and others are served meanwhile`() throws {
        let session = try exhausted(#"{"machine":{"memory":"1G"}}"#)

        let answer = try service.send(
            "POST",
            session + "/calls/kmalloc?explain=true",
            "size=8&flags=GFP_NOWAIT"
        )
        let record = try service.send("GET", session)

        #expect(answer.json["return"] == .null)
        #expect(answer.json["seq"] == record.json["seq"])
        #expect(steps(answer, "flags").count > 1)
        #expect(answer.json["explain"].elements.allSatisfy { $0["text"].text.hasSuffix(".") })
    }

    @Test func `a batch searches for its first sixteen failures`() throws {
        let session = try service.boot()
        let item = #"{"call":"alloc_pages","gfp_mask":"GFP_KERNEL","order":11}"#

        let answer = try service.send(
            "POST",
            session + "/calls?explain=true",
            [String](repeating: item, count: 20).joined(separator: "\n"),
            headers: ["Content-Type": "application/x-ndjson"]
        )

        let last = try #require(answer.lines.first?["explain"].elements.last)
        #expect(last["step"] == .string("would_succeed_if"))
        #expect(last["order"] == .number(10))
        #expect(last["size"] == .number(4_194_304))
        let searched = answer.lines.count { !steps($0, "order").isEmpty }
        #expect(answer.lines.count == 20)
        #expect(searched == 16)
    }

    private func steps(_ outcome: JSON, _ change: String) -> [JSON] {
        outcome["explain"].elements.filter {
            $0["step"] == .string("would_succeed_if") && $0["change"] == .string(change)
        }
    }
}
