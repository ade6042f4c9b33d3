internal import HTTPServer

/// The end of a request: counted, logged, and kept for its idempotency key.
///
/// Travels with the request into the job that it may become.
struct Completion: Sendable {
    let service: Service
    let route: Route
    let start: UInt64
    /// The request's key, where it claimed one.
    var key: AnswerStore.Key?

    init(service: Service, route: Route, start: UInt64) {
        self.service = service
        self.route = route
        self.start = start
    }

    /// Notes the end of a request whose answer is not looked at any more.
    func finish(status: Int) { service.finished(route, status: status, since: start) }

    /// Notes the end of a deferred request and keeps its answer where a key asks for it.
    func finish(_ response: borrowing Response) {
        if let key { service.keep(response, for: key) }
        finish(status: response.status)
    }

    /// Notes the end of a stream: what was sent is gone.
    func finishStream() {
        if let key { service.answers.keepNothing(for: key) }
        finish(status: 200)
    }
}
