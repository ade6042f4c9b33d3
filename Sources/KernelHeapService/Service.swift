public import HTTPServer
internal import KernelHeap
public import Logging
internal import Synchronization

/// The whole service behind the HTTP server: sessions, routes, jobs, metrics.
///
/// A request passes `admit` with its headers and `respond` with its body. Both run on the server's
/// threads and never wait: a call whose session is busy, and every batch, goes to a worker.
public final class Service: RequestHandler {
    let configuration: ServiceConfiguration
    let sessions: SessionStore
    let calls: CallTable
    let metrics: Metrics
    let workers: WorkerPool
    let answers: AnswerStore
    let batchBytes: ByteBudget
    let log: RequestLog
    /// Whether a session is being validated: one at a time, for each needs as much memory again.
    let isValidating = Atomic<Bool>(false)
    /// Whether a sweep runs: one at a time, on a thread of its own.
    let isSweeping = Atomic<Bool>(false)
    /// The service ends: long work that nobody waits for stops.
    let isStopping = Atomic<Bool>(false)
    private let ticker = EventTicker()
    private let sweeper: IdleSweeper

    /// Builds the service and starts its threads; `stop()` ends them.
    public init(_ configuration: ServiceConfiguration = .init(), logger: Logger? = nil) {
        self.configuration = configuration
        sessions = SessionStore(
            maximumCount: configuration.maximumSessions,
            maximumBytes: configuration.maximumHeldBytes,
            ticker: ticker
        )
        calls = .shared
        metrics = Metrics(functionNames: calls.names.names)
        workers = WorkerPool(
            threads: configuration.workerThreads,
            maximumJobs: configuration.maximumJobs
        )
        answers = AnswerStore(configuration)
        batchBytes = ByteBudget(limit: configuration.maximumQueuedBytes)
        log = RequestLog(logger)
        sweeper = IdleSweeper(sessions)
    }

    /// Describes the refusals of the HTTP server itself.
    public var problems: some ProblemSource { ServerProblems() }

    /// Ends the threads; call it once, after the server has stopped.
    public func stop() {
        isStopping.store(true, ordering: .relaxed)
        sweeper.stop()
        workers.stop()
        ticker.stop()
    }

    public func admit(_ request: borrowing Request) -> Admission {
        let route = request.match { $0.route }
        if let problem = refusal(of: request.method, on: route) {
            let start = Clock.monotonic()
            finished(route, status: problem.type.status, since: start)
            return .refuse(problem.response())
        }
        switch route {
        case .calls: return .body(limit: configuration.maximumBatchBytes)
        case .sessions: return .body(limit: configuration.maximumBatchBytes)
        default: return .body(limit: configuration.maximumBodyBytes)
        }
    }

    public func respond(to request: borrowing Request) -> Response {
        let start = Clock.monotonic()
        return request.match { match in
            let completion = Completion(service: self, route: match.route, start: start)
            do throws(Problem) {
                if request.method == .post, let key = request.header("Idempotency-Key") {
                    return try answerOnce(key, request, match, completion)
                }
                return try answer(request, match, completion)
            } catch {
                completion.finish(status: error.type.status)
                return error.response()
            }
        }
    }

    /// Counts and logs a request that is answered.
    func finished(_ route: Route, status: Int, since start: UInt64) {
        let elapsed = Clock.monotonic() &- start
        metrics.countRequest(route, status: status, nanoseconds: elapsed)
        log.request(route, status: status, nanoseconds: elapsed)
    }

    private func refusal(of method: Method, on route: Route) -> Problem? {
        if route == .unknown {
            return Problem(.unknownPath, "see /openapi.yaml for what is served")
        }
        guard !route.allows(method) else { return nil }
        var problem = Problem(.methodNotAllowed, "\(method.name) does nothing here")
        problem.valid = route.allow.split(separator: ", ").map(String.init)
        problem.headers = [("Allow", route.allow)]
        return problem
    }

    /// Carries a request out and notes its end, now or in the job that it became.
    func answer(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        var response = try dispatch(request, match, completion)
        compress(&response, for: request)
        if !response.body.isPending { completion.finish(status: response.status) }
        return response
    }
}

extension Request {
    /// Takes the path apart for as long as `body` runs.
    borrowing func match<Result: ~Copyable>(
        _ body: (RouteMatch) -> Result
    ) -> Result {
        body(RouteMatch(path: pathSlice))
    }

    // The slices below are valid while the handler runs, as all slices are.

    var pathSlice: ByteSlice { unsafe withPath { unsafe ByteSlice($0) } }
    var querySlice: ByteSlice { unsafe withQuery { unsafe ByteSlice($0) } }
    var bodySlice: ByteSlice { unsafe withBody { unsafe ByteSlice($0) } }
}
