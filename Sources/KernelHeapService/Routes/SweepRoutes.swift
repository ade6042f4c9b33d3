internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// `POST /v1/sessions/{id}/sweep`: a list of calls with each place that may fail failing in turn.
extension Service {
    /// Runs the list on forks, on a thread of its own; the session goes on and is not changed.
    func postSweep(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let options = try SweepQuery(request.querySlice, configuration).options
        let expected = try expectedSequence(request)
        try refuseEncodedBody(request)
        guard let body = BodyCopy(request.bodySlice, from: batchBytes) else {
            throw Problem(.busy, "the batches that wait hold all the memory they may")
        }
        let (isFree, _) = isSweeping.compareExchange(
            expected: false,
            desired: true,
            ordering: .acquiring
        )
        guard isFree else { throw Problem(.busy, "another sweep is running") }
        session.beginJob()
        let response = DeferredResponse()
        let isStarted = NicedThread.start { [self] in
            let answer = sweep(session, body, options, expected)
            session.endJob()
            isSweeping.store(false, ordering: .releasing)
            completion.finish(answer)
            response.complete(with: answer)
        }
        guard isStarted else {
            session.endJob()
            isSweeping.store(false, ordering: .releasing)
            throw Problem(.busy, "the system gives no thread")
        }
        return Response(status: 200, body: .deferred(response))
    }

    private func sweep(
        _ session: Session,
        _ body: BodyCopy,
        _ options: FaultSweep.Options,
        _ expected: UInt64?
    ) -> Response {
        do throws(Problem) {
            guard let parser = JSONParser() else { throw Problem(.outOfMemory) }
            defer { withExtendedLifetime(parser) {} }
            let list = try parser.parse(body.slice)
            guard list.kind == .array else {
                var problem = Problem(.wrongType, "a sweep takes an array of calls", at: "")
                problem.valid = ["[{\"call\": …}, …]"]
                throw problem
            }
            guard list.count <= configuration.maximumSweepCalls else {
                throw Problem(
                    .batchTooLong,
                    "a sweep has at most \(configuration.maximumSweepCalls) calls"
                )
            }
            // Only the fork is made under the session's lock.
            let base = try session.kernel.withLock { (kernel) throws(Problem) -> Kernel in
                try check(kernel, expects: expected)
                try checkAlive(kernel, session)
                return kernel.fork()
            }
            let seconds = UInt64(max(configuration.maximumSweepSeconds, 0))
            var sweep = FaultSweep(
                service: self,
                session: session,
                options: options,
                base: base,
                deadline: Clock.monotonic() &+ seconds &* 1_000_000_000
            )
            let report = try sweep.run(list)
            var writer = JSONWriter(capacity: 8_192)
            writer.sweep(report, on: sweep.base)
            return json(writer, headers: [("ETag", "\"\(report.sequence)\"")])
        } catch {
            return error.response()
        }
    }
}

/// The query of a sweep.
private struct SweepQuery {
    private(set) var options: FaultSweep.Options

    init(_ query: ByteSlice, _ configuration: ServiceConfiguration) throws(Problem) {
        var options = FaultSweep.Options(maximumRuns: configuration.maximumSweepRuns)
        try FormFields.forEach(query) { (name, text) throws(Problem) in
            let place = ArgumentPlace.field(name: name, text: text)
            if name == "max_runs" {
                let limit = configuration.maximumSweepRuns
                options.maximumRuns = try ArgumentDecoder.number(place, below: limit + 1)
            } else if name == "faults" {
                options.sites = try Self.sites(text, place)
            } else {
                throw Problem(
                    .unknownField,
                    "a sweep has no option \"\(shortened(name))\"",
                    at: place.pointer
                ).suggesting(name, from: ["faults", "max_runs"])
            }
        }
        self.options = options
    }

    /// `failslab,fail_usercopy`: the places that fail.
    private static func sites(
        _ text: ByteSlice,
        _ place: ArgumentPlace
    ) throws(Problem) -> [FaultSite] {
        var sites: [FaultSite] = []
        for word in String(text).split(separator: ",") {
            guard let site = FaultSite(rawValue: String(word)) else {
                var problem = Problem(
                    .unknownName,
                    "no place \"\(word.prefix(64))\" that may fail",
                    at: place.pointer
                )
                problem.valid = FaultSite.allCases.map(\.rawValue)
                throw problem
            }
            if !sites.contains(site) { sites.append(site) }
        }
        guard !sites.isEmpty else {
            throw Problem(.invalidValue, "faults names no place", at: place.pointer)
        }
        return sites
    }
}
