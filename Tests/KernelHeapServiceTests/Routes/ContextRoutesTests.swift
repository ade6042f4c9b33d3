import Testing

@Suite("HTTP: contexts")
struct ContextRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ body: String = "{}") throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    @Test func `the view of CPUs shows what a sequence keeps`() throws {
        _ = try call("spin_lock_irqsave", #"{"lock":"device"}"#)
        _ = try call("memalloc_nofs_save")

        let view = try service.send("GET", session + "/cpus").json

        let cpu = try #require(view["cpus"].elements.first)
        #expect(cpu["preempt_count"].text == "0x1")
        #expect(cpu["task"].text == "init")
        #expect(cpu["locks"].elements.map { $0["lock"].text } == ["device"])
        #expect(cpu["locks"].elements.map { $0["function"].text } == ["spin_lock_irqsave"])
        #expect(view["tasks"].elements.first?["flags"].elements.map(\.text) == ["PF_MEMALLOC_NOFS"])
    }

    @Test func `a lock can be named by its address in memory`() throws {
        let object = try call("kzalloc", #"{"size":64,"flags":"GFP_KERNEL"}"#)["return"].text

        let taken = try call("spin_lock", #"{"lock":"\#(object)"}"#)
        let bytes = try call("kernel_read", #"{"address":"\#(object)","length":4}"#)

        #expect(taken["detail"]["taken"] == .boolean(true))
        #expect(bytes["detail"]["data"].text == "01000000")
    }

    @Test
    func `a hung session refuses calls and says what it waits for, and can be read and forked`()
        throws
    {
        _ = try call("spin_lock", #"{"lock":"a"}"#)
        let last = try call("spin_lock", #"{"lock":"a"}"#)
        let refused = try service.send("POST", session + "/calls/jiffies", "{}")
        let log = try service.send("GET", session + "/dmesg")
        let record = try service.send("GET", session)
        let fork = try service.send("POST", session + "/fork", "{}")

        #expect(last["detail"]["hung"] == .boolean(true))
        #expect(refused.status == 409)
        #expect(refused.json["type"].text == "/problems/session-hung")
        #expect(
            refused.json["detail"].text
                == "CPU 0 spins for the lock a, which CPU 0 took in call 1 and cannot give back"
        )
        #expect(log.status == 200)
        #expect(record.json["hung"] == .boolean(true))
        #expect(fork.status == 201)
        #expect(fork.json["hung"] == .boolean(true))
    }

    @Test func `the record has the machine's clock`() throws {
        _ = try call("advance_time", #"{"ns":5000000}"#)

        let record = try service.send("GET", session).json

        #expect(record["nanoseconds"] == .number(5_001_000))
        #expect(record["hung"] == .boolean(false))
    }
}
