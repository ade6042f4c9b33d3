internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// `/v1/scenarios`: what can be shown step by step.
extension Service {
    /// `GET /v1/scenarios`: every scenario, whole.
    func getScenarios(_ request: borrowing Request) throws(Problem) -> Response {
        var writer = JSONWriter(capacity: 65_536)
        writer.raw("{\"scenarios\":[")
        var isFirst = true
        for scenario in Scenario.all {
            if !isFirst { writer.raw(",") }
            isFirst = false
            writer.raw(scenario.document)
        }
        writer.raw("]}")
        return StaticFile(json: writer).response(to: request)
    }

    /// `GET /v1/scenarios/{name}`: one of them.
    func getScenario(
        _ request: borrowing Request,
        _ match: RouteMatch
    ) throws(Problem) -> Response {
        var writer = JSONWriter(capacity: 8_192)
        writer.raw(try scenario(match).document)
        return StaticFile(json: writer).response(to: request)
    }

    /// `POST /v1/scenarios/{name}/sessions`: boots its machine and has a worker run its steps, or the
    /// first of them.
    func postScenarioSession(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let scenario = try scenario(match)
        let query = try ScenarioQuery(request.querySlice)
        let copied = unsafe scenario.document.withUnsafeBytes {
            unsafe BodyCopy(ByteSlice($0), from: batchBytes)
        }
        guard let body = copied else {
            throw Problem(.busy, "the batches that wait hold all the memory they may")
        }
        let session = try sessions.boot(
            try machine(of: JSONParser.parseOnThread(body.slice)),
            Session.Settings(name: scenario.name, idleTimeout: configuration.idleTimeout)
        )
        do throws(Problem) {
            return try deferred(session, completion) { (kernel) throws(Problem) in
                guard let parser = JSONParser() else { throw Problem(.outOfMemory) }
                defer { withExtendedLifetime(parser) {} }
                let root = try parser.parse(body.slice)
                return completion.service.answer(root, query, session, on: &kernel)
            }
        } catch {
            sessions.remove(session.id)
            throw error
        }
    }

    private func machine(of root: JSONValue) throws(Problem) -> MachineDescription {
        guard let machine = root.member("machine") else { return MachineDescription() }
        let reader = MachineReader(maximumMemoryBytes: configuration.maximumMachineBytes)
        return try reader.read(machine)
    }

    private func answer(
        _ root: JSONValue,
        _ query: ScenarioQuery,
        _ session: Session,
        on kernel: inout Kernel
    ) -> Response {
        var writer = JSONWriter(capacity: 16_384)
        writer.raw("{\"answers\":[")
        run(root, query, session, on: &kernel, into: &writer)
        sessions.recordGrowth(session.measure(kernel))
        var machine = kernel.machine
        machine.zones = nil
        writer.raw("],\"session\":")
        record(session, kernel, machine, into: &writer)
        writer.raw("}")
        return json(
            writer,
            status: 201,
            headers: [
                ("Location", "/v1/sessions/\(session.id.text)"),
                ("ETag", "\"\(kernel.sequence)\""),
            ]
        )
    }

    /// Runs the calls of the first steps, one after the other; they are few.
    private func run(
        _ root: JSONValue,
        _ query: ScenarioQuery,
        _ session: Session,
        on kernel: inout Kernel,
        into json: inout JSONWriter
    ) {
        var runner = BatchRunner(
            service: self,
            session: session,
            stopsOnError: false,
            extras: query.extras,
            expectedSequence: nil
        )
        var left = query.steps
        var isFirst = true
        guard let steps = root.member("steps") else { return }
        for step in steps.children where left > 0 {
            left -= 1
            guard let calls = step.member("calls") else { continue }
            for call in calls.children {
                if !isFirst { json.raw(",\n") }
                isFirst = false
                _ = runner.run(line: nil, on: &kernel, into: &json) { () throws(Problem) in call }
            }
        }
    }

    private func scenario(_ match: RouteMatch) throws(Problem) -> Scenario {
        guard let position = Scenario.names.position(of: match.name) else {
            throw Problem(.unknownPath, "no scenario \"\(shortened(match.name))\"")
                .suggesting(match.name, from: Scenario.names.names)
        }
        return Scenario.all[position]
    }
}

/// The query of a scenario's session.
private struct ScenarioQuery {
    /// Steps to run; all of them where it is left out.
    private(set) var steps = Int.max
    private(set) var extras: AnswerExtras = []

    init(_ query: ByteSlice) throws(Problem) {
        try FormFields.forEach(query) { (name, text) throws(Problem) in
            let place = ArgumentPlace.field(name: name, text: text)
            if name == "steps" {
                steps = try ArgumentDecoder.number(place, below: 1_001)
            } else if name == "explain" {
                if try ArgumentDecoder.boolean(place) { extras.insert(.explanation) }
            } else {
                throw Problem(
                    .unknownField,
                    "a scenario's session has no \"\(shortened(name))\"",
                    at: place.pointer
                ).suggesting(name, from: ["steps", "explain"])
            }
        }
    }
}
