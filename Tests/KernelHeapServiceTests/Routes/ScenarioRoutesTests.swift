import Testing

@Suite("HTTP: scenarios")
struct ScenarioRoutesTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    @Test func `every scenario is listed, and is found by its id`() throws {
        let list = try service.send("GET", "/v1/scenarios").json["scenarios"].elements

        #expect(!list.isEmpty)
        for scenario in list {
            let id = scenario["id"].text
            #expect(try service.send("GET", "/v1/scenarios/" + id).json == scenario)
        }
    }

    @Test func `every scenario runs to its end, call by call`() throws {
        for scenario in try service.send("GET", "/v1/scenarios").json["scenarios"].elements {
            let id = scenario["id"].text
            let calls = scenario["steps"].elements.flatMap { $0["calls"].elements }
            let run = try service.send("POST", "/v1/scenarios/\(id)/sessions")
            let answers = run.json["answers"].elements

            #expect(run.status == 201)
            #expect(answers.map { $0["call"].text } == calls.map { $0["call"].text }, "\(id)")
            #expect(run.json["session"]["seq"].number == Double(calls.count), "\(id)")
            _ = try service.send("DELETE", try #require(run.headers["location"]))
        }
    }

    @Test func `with no steps the machine is only booted`() throws {
        let run = try service.send("POST", "/v1/scenarios/order-10-fails/sessions?steps=0")

        #expect(run.status == 201)
        #expect(run.json["answers"].elements.isEmpty)
        #expect(run.json["session"]["seq"] == .number(0))
    }

    @Test func `an unknown scenario, and what a run does not take, are refused`() throws {
        let path = "/v1/scenarios/order-10-fails/sessions"

        #expect(try service.send("GET", "/v1/scenarios/nothing").status == 404)
        #expect(try service.send("POST", "/v1/scenarios/nothing/sessions").status == 404)
        #expect(try service.send("GET", path).status == 405)
        #expect(try service.send("POST", path + "?steps=-1").status == 422)
        #expect(try service.send("POST", path + "?stepps=1").status == 422)
    }
}
