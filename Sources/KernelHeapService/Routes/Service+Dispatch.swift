internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// Which function answers which resource.
extension Service {
    func dispatch(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        if request.method == .options {
            return Response(status: 204, headers: [("Allow", match.route.allow)])
        }
        switch match.route {
        case .call: return try postCall(request, match, completion)
        case .calls: return try postCalls(request, match, completion)
        case .sessions:
            return request.method == .post
                ? try postSession(request) : try getSessions(request)
        case .session: return try session(request, match, completion)
        case .functions: return try getFunctions(match, completion)
        case .proc: return try getProcFile(request, match, "/proc/", completion)
        case .slabFiles: return try getProcFile(request, match, "/sys/", completion)
        case .dmesg: return try getDmesg(request, match, completion)
        case .view: return try getView(request, match, completion)
        case .cacheSlabs: return try getCacheSlabs(request, match, completion)
        case .events: return try getEvents(request, match, completion)
        case .fork: return try postFork(request, match, completion)
        case .validate: return try postValidate(request, match, completion)
        case .sweep: return try postSweep(request, match, completion)
        case .profiles: return getProfiles()
        case .scenarios: return try getScenarios(request)
        case .scenario: return try getScenario(request, match)
        case .scenarioSessions: return try postScenarioSession(request, match, completion)
        case .dashboard: return getDashboard(request)
        case .dashboardFile: return try getDashboardFile(request, match)
        case .health: return text("ok\n")
        case .ready: return getReady()
        case .metrics: return getMetrics()
        case .contract: return getContract()
        case .unknown: throw Problem(.unknownPath, "see /openapi.yaml for what is served")
        }
    }

    /// The session that a path names, noted as used at the monotonic time `now`.
    @inline(__always)
    func session(
        _ match: RouteMatch,
        at now: UInt64 = Clock.monotonic()
    ) throws(Problem) -> Session {
        guard let id = SessionID(match.session), let session = sessions.find(id) else {
            throw Problem(.unknownSession, "no session \"\(shortened(match.session))\"")
        }
        session.touch(now)
        return session
    }

    /// Works on a session's kernel: at once where its lock is free, otherwise on a worker.
    ///
    /// - Parameters:
    ///   - session: whose kernel.
    ///   - completion: of the request.
    ///   - isLong: whether the work would hold up other sessions' requests: then a worker does it,
    ///     too.
    ///   - body: the work.
    /// - Returns: the answer, or one that a worker completes.
    /// - Throws: what the work throws, and `busy` where no worker can take it.
    func withKernel(
        of session: Session,
        _ completion: Completion,
        unless isLong: (borrowing Kernel) throws(Problem) -> Bool = { _ in false },
        _ body: @escaping @Sendable (inout Kernel) throws(Problem) -> Response
    ) throws(Problem) -> Response {
        let now = try session.kernel.withLockIfAvailable { (kernel) throws(Problem) -> Response? in
            if try isLong(kernel) { return nil }
            return try body(&kernel)
        }
        if let now, let response = now { return response }
        return try deferred(session, completion, body)
    }

    /// Leaves work on a session's kernel to a worker.
    func deferred(
        _ session: Session,
        _ completion: Completion,
        _ body: @escaping @Sendable (inout Kernel) throws(Problem) -> Response
    ) throws(Problem) -> Response {
        let job = DeferredWork(session, completion, body)
        try workers.accept(job, isUrgent: true)
        return Response(status: 200, body: .deferred(job.response))
    }

    /// The sequence number that `If-Match` demands, if any.
    @inline(__always)
    func expectedSequence(_ request: borrowing Request) throws(Problem) -> UInt64? {
        guard let tag = request.header("If-Match") else { return nil }
        return try sequence(ofTag: tag)
    }

    private func sequence(ofTag tag: String) throws(Problem) -> UInt64? {
        if tag == "*" { return nil }
        guard tag.hasPrefix("\""), tag.hasSuffix("\""), tag.utf8.count > 2,
            let sequence = UInt64(tag.dropFirst().dropLast())
        else {
            throw Problem(.malformedRequest, "If-Match must be an ETag such as \"12\"")
        }
        return sequence
    }

    /// Refuses a request that expects another state than the kernel's.
    @inline(__always)
    func check(_ kernel: borrowing Kernel, expects expected: UInt64?) throws(Problem) {
        if let expected, expected != kernel.sequence {
            throw Problem(
                .sequenceMismatch,
                "If-Match is \"\(expected)\", the session is at \"\(kernel.sequence)\""
            )
        }
    }

    // MARK: Small answers

    func text(_ text: String, status: Int = 200) -> Response {
        var body = ByteBuffer(capacity: text.utf8.count)
        body.append(text)
        return Response(
            status: status,
            contentType: "text/plain; charset=utf-8",
            body: .bytes(body)
        )
    }

    /// JSON with the newline that makes it readable in a terminal.
    func json(
        _ writer: consuming JSONWriter,
        status: Int = 200,
        headers: [(name: String, value: String)] = []
    ) -> Response {
        writer.raw("\n")
        return Response(
            status: status,
            contentType: "application/json",
            headers: headers,
            body: .bytes(writer.finish())
        )
    }
}
