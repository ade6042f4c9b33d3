internal import HTTPServer

/// `GET /v1/sessions/{id}/events`: server-sent events.
extension Service {
    func getEvents(
        _ request: borrowing Request,
        _ match: RouteMatch
    ) throws(Problem) -> Response {
        _ = try session(match)
        throw Problem(.notImplemented, "event streams are not served yet")
    }
}
