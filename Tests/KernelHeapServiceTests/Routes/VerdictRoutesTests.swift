import Testing

/// One document for a whole run, the knobs of fault injection, and groups of what is held.
@Suite("HTTP: verdict, fault injection, groups of allocations")
struct VerdictRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func get(_ path: String) throws -> JSON {
        try service.send("GET", session + path).json
    }

    @Test func `a test asserts on one document`() throws {
        let fresh = try get("/verdict")
        let object = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        let leaking = try get("/verdict")
        _ = try call("kfree", "objp=" + object)
        let freed = try get("/verdict")
        _ = try call("kfree", "objp=" + object)
        let misused = try get("/verdict")
        let later = try get("/verdict?since=3")

        #expect(fresh["ok"] == .boolean(true) && freed["ok"] == .boolean(true))
        #expect(leaking["ok"] == .boolean(false) && leaking["leaks"]["total"] == .number(1))
        #expect(leaking["leaks"]["items"].elements.first?["address"].text == object)
        #expect(leaking["leaks"]["items"].elements.first?["function"].text == "kmalloc")
        #expect(misused["warnings"]["by_kind"]["double_free"] == .number(1))
        #expect(later["ok"] == .boolean(true))
    }

    @Test func `a machine that hangs or has a device left is bad`() throws {
        _ = try call("chrdev_register", #"{"name":"own","methods":{"read":[{"return":0}]}}"#)
        let device = try get("/verdict")
        _ = try call("spin_lock", "lock=own")
        _ = try call("spin_lock", "lock=own")
        let hung = try get("/verdict")

        #expect(device["devices"]["by_kind"]["registered"] == .number(1))
        #expect(device["hung"] == .null && hung["hung"].text.contains("spins"))
        #expect(hung["ok"] == .boolean(false) && hung["reports"]["by_kind"]["hang"] == .number(1))
    }

    @Test func `an answer that was made to fail says so, and the files show the knobs`() throws {
        let knobs = try call("failslab", "probability=100&times=2&ignore_gfp_wait=false&verbose=1")
        let failed = try call("kmalloc", "size=64&flags=GFP_KERNEL")
        let view = try get("/fault_injection")
        let times = try service.send("GET", session + "/sys/kernel/debug/failslab/times").text
        let wait = try service.send("GET", session + "/sys/kernel/debug/failslab/ignore-gfp-wait")
        let none = try service.send("GET", session + "/sys/kernel/debug/failslab/min-order")
        _ = try call("kmalloc", "size=64&flags=GFP_KERNEL")
        let served = try call("kmalloc", "size=64&flags=GFP_KERNEL")

        #expect(knobs["detail"]["probability"] == .number(100))
        #expect(failed["return"] == .null && failed["injected"] == .boolean(true))
        #expect(failed["faults"].elements.map { $0["name"].text } == ["failslab"])
        #expect(failed["log"].elements.first?.text == "FAULT_INJECTION: forcing a failure.")
        #expect(view["attributes"].elements.first?["times"] == .number(1))
        #expect(view["fail_nth"] == .null)
        #expect(times == "1\n" && wait.text == "N\n" && none.status == 404)
        #expect(served["return"] != .null && served["injected"] == .null)
    }

    @Test func `groups can be filtered, ordered and cut`() throws {
        for size in [64, 64, 64, 2_048] {
            _ = try call("kmalloc", "size=\(size)&flags=GFP_KERNEL")
        }

        let bytes = try get("/allocations?group_by=cache")
        let count = try get("/allocations?group_by=cache&sort=count&top=1")
        let small = try get("/allocations?group_by=call&max_size=64&min_age=2")

        #expect(bytes["groups"].elements.map { $0["cache"].text } == ["kmalloc-2k", "kmalloc-64"])
        #expect(bytes["total"]["bytes"] == .number(2_240) && bytes["total"]["count"] == .number(4))
        #expect(count["groups"].elements.map { $0["cache"].text } == ["kmalloc-64"])
        #expect(count["total"]["groups"] == .number(2))
        #expect(small["groups"].elements.map { $0["call"].number } == [1, 2])
        #expect(small["groups"].elements.first?["function"].text == "kmalloc")
        #expect(small["groups"].elements.first?["oldest_age"] == .number(3))
    }

    @Test(
        "bad parameters are refused",
        arguments: [
            ("/verdict?since=1", "out-of-range"), ("/verdict?limit=0", "out-of-range"),
            ("/allocations?group_by=owner", "unknown-name"),
            ("/allocations?top=3", "invalid-value"),
            ("/allocations?group_by=size&limit=3", "invalid-value"),
            ("/allocations?group_by=size&sort=name", "unknown-name"),
            ("/allocations?group_by=size&kind=heap", "unknown-name"),
            ("/allocations?group_by=size&min_size=9&max_size=8", "out-of-range"),
            ("/allocations?group_by=size&cache=none", "unknown-name"),
            ("/allocations?sort=size&top=3", "invalid-value"),
            ("/allocations?sort=count", "unknown-name"),
            ("/allocations?sort=age&cursor=1", "invalid-value"),
            ("/allocations?min_age=9&max_age=8", "out-of-range"),
            ("/allocations?zone=HighMem", "unknown-name"),
            ("/allocations?zone=DMA&limit=0", "out-of-range"),
        ]
    )
    func refusals(path: String, problem: String) throws {
        let answer = try service.send("GET", session + path)

        #expect(answer.status == 422 && answer.problem == problem)
    }
}
