import KernelHeapService
import Testing

@Suite("HTTP: sessions")
struct SessionRoutesTests {
    @Test func `an empty body boots the default machine`() throws {
        let service = try ServiceFixture()
        let answer = try service.send("POST", "/v1/sessions")

        #expect(answer.status == 201)
        #expect(answer.json["seq"] == .number(0))
        #expect(answer.json["machine"]["profile"] == .string("linux-6.1-x86_64"))
        let id = answer.json["id"].text
        #expect(id.count == 32)
        #expect(answer.headers["location"] == "/v1/sessions/" + id)
    }

    @Test func `a machine is shown as it was asked for`() throws {
        let service = try ServiceFixture()
        let path = try service.boot(
            """
            {"name":"lab","idle_timeout":60,"machine":{"memory":"512M","cpus":2,"seed":7}}
            """
        )
        let record = try service.send("GET", path)

        #expect(record.json["name"] == .string("lab"))
        #expect(record.json["idle_timeout"] == .number(60))
        #expect(record.json["machine"]["memory"] == .number(536_870_912))
        #expect(record.json["machine"]["cpus"] == .number(2))
        #expect(record.json["machine"]["seed"] == .number(7))
    }

    @Test(
        "a description that means nothing is refused with its place",
        arguments: [
            (#"{"machin":{}}"#, "unknown-field", "/machin"),
            (#"{"machine":{"memroy":1}}"#, "unknown-field", "/machine/memroy"),
            (#"{"machine":{"memory":"512Q"}}"#, "wrong-type", "/machine/memory"),
            (#"{"machine":{"memory":"99999999999T"}}"#, "invalid-value", "/machine/memory"),
            (#"{"machine":{"memory":"2048G"}}"#, "out-of-range", "/machine/memory"),
            (#"{"machine":{"memory":0}}"#, "invalid-machine", "/machine/memory"),
            (#"{"machine":{"profile":"linux-7"}}"#, "unknown-name", "/machine/profile"),
            (#"{"machine":{"cpus":-1}}"#, "out-of-range", "/machine/cpus"),
            (#"{"machine":{"zones":[{"name":"DMA64"}]}}"#, "unknown-name", "/machine/zones/0/name"),
            (#"{"machine":{"zones":{}}}"#, "wrong-type", "/machine/zones"),
            (
                #"{"machine":{"zones":[{"spanned":200000000},{"spanned":200000000}]}}"#,
                "out-of-range", "/machine/zones/1"
            ),
            (#"{"idle_timeout":0}"#, "out-of-range", "/idle_timeout"),
            (#"{"name":1}"#, "wrong-type", "/name"), ("[]", "wrong-type", ""),
        ]
    )
    func wrongDescriptions(body: String, problem: String, pointer: String) throws {
        let service = try ServiceFixture { $0.maximumMachineBytes = 1 << 40 }
        let answer = try service.send("POST", "/v1/sessions", body)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }

    @Test func `sessions are listed a page at a time in the order of their creation`() throws {
        let service = try ServiceFixture()
        for name in ["a", "b", "c"] { _ = try service.boot(#"{"name":"\#(name)"}"#) }

        let first = try service.send("GET", "/v1/sessions?limit=2")
        let cursor = first.json["next_cursor"].text
        let second = try service.send("GET", "/v1/sessions?limit=2&cursor=\(cursor)")

        #expect(first.json["sessions"].elements.map { $0["name"].text } == ["a", "b"])
        #expect(second.json["sessions"].elements.map { $0["name"].text } == ["c"])
        #expect(second.json["next_cursor"] == .null)
    }

    @Test func `a session is renamed and dropped`() throws {
        let service = try ServiceFixture()
        let path = try service.boot()
        let renamed = try service.send("PATCH", path, #"{"name":"a \"new\" name\n"}"#)
        let stale = try service.send("DELETE", path, headers: ["If-Match": "\"9\""])
        let dropped = try service.send("DELETE", path)
        let gone = try service.send("GET", path)

        #expect(renamed.json["name"] == .string("a \"new\" name\n"))
        #expect(stale.status == 409)
        #expect(dropped.status == 204)
        #expect(gone.status == 404)
        #expect(gone.problem == "unknown-session")
    }

    @Test func `one session more than allowed is a 429`() throws {
        let service = try ServiceFixture { $0.maximumSessions = 1 }
        let path = try service.boot()
        let refused = try service.send("POST", "/v1/sessions")
        _ = try service.send("DELETE", path)
        let booted = try service.send("POST", "/v1/sessions")

        #expect(refused.status == 429)
        #expect(refused.problem == "too-many-sessions")
        #expect(booted.status == 201)
    }

    @Test func `two sessions share nothing`() throws {
        let service = try ServiceFixture()
        let (one, two) = (try service.boot(), try service.boot())
        let body = "size=64&flags=GFP_KERNEL"
        let first = try service.send("POST", one + "/calls/kmalloc", body)
        let other = try service.send("POST", two + "/calls/kmalloc", body)

        #expect(first.text == other.text)
        #expect(first.json["seq"] == .number(1))
    }
}
