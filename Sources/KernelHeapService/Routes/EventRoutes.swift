internal import HTTPServer

/// `GET /v1/sessions/{id}/events`: everything that happens, as server-sent events.
extension Service {
    func getEvents(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let lastID = try lastEventID(request)
        let headers = [("Cache-Control", "no-store")]
        guard request.method == .get else {
            return Response(status: 200, contentType: EventStream.contentType, headers: headers)
        }
        guard let stream = session.events.subscribe(lastEventID: lastID) else {
            throw Problem(.tooManyRequests, "the session has as many event streams as it may")
        }
        // A stream is counted when it opens: how long it lasts is the reader's affair.
        completion.finish(status: 200)
        return Response(
            status: 200,
            contentType: EventStream.contentType,
            headers: headers,
            body: .stream(stream)
        )
    }

    /// The last event that the reader saw, from its header or, for a first request, its query.
    private func lastEventID(_ request: borrowing Request) throws(Problem) -> UInt64? {
        var text = request.header("Last-Event-ID")
        if text == nil {
            text = try FormFields.value(of: "last_event_id", in: request.querySlice)
        }
        guard let text, !text.isEmpty else { return nil }
        guard let id = UInt64(text) else {
            throw Problem(.invalidValue, "Last-Event-ID must be the id of an event")
        }
        return id
    }
}

extension Session {
    /// Publishes what the writer holds from `start` on as a `call` event.
    ///
    /// Called with the kernel's lock held, so that events keep the order of the calls; while nobody
    /// listens, it counts and copies nothing.
    func publish(_ json: borrowing JSONWriter, from start: Int) {
        unsafe json.buffer.withUnsafeBytes { bytes in
            guard start < bytes.count else { return }
            let answer = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            events.publish("call") { unsafe $0.append(answer) }
        }
    }
}
