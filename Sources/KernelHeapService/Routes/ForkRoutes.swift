internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// `POST /v1/sessions/{id}/fork`: a second session in the same state.
extension Service {
    /// Forks a session's machine; name and idle timeout are the original's where the body has none.
    func postFork(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let original = try session(match)
        var settings = original.settings.withLock { $0 }
        let body = request.bodySlice
        if let first = firstCharacter(of: body) {
            if first != UInt8(ascii: "{") { try refuseEncodedBody(request) }
            var object = try ObjectReader(JSONParser.parseOnThread(body), "a fork")
            try readSettings(&object, &settings)
            try object.finish()
        }
        let expected = try expectedSequence(request)
        let chosen = settings
        return try withKernel(of: original, completion) { (kernel) throws(Problem) in
            try completion.service.check(kernel, expects: expected)
            return try completion.service.fork(&kernel, chosen)
        }
    }

    private func fork(
        _ kernel: inout Kernel,
        _ settings: Session.Settings
    ) throws(Problem) -> Response {
        let session = try sessions.keep(settings) { () throws(Problem) in kernel.fork() }
        var writer = JSONWriter(capacity: 1_024)
        var machine = kernel.machine
        machine.zones = nil
        record(session, kernel, machine, into: &writer)
        return json(
            writer,
            status: 201,
            headers: [
                ("Location", "/v1/sessions/\(session.id.text)"),
                ("ETag", "\"\(kernel.sequence)\""),
            ]
        )
    }
}
