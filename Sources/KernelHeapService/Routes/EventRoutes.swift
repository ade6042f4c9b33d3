internal import HTTPServer

/// `GET /v1/sessions/{id}/events`: everything that happens, as server-sent events.
extension Service {
    func getEvents(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let options = try EventOptions(request)
        let headers = [("Cache-Control", "no-store")]
        guard request.method == .get else {
            return Response(status: 200, contentType: EventStream.contentType, headers: headers)
        }
        guard
            let stream = session.events.subscribe(
                options.detail,
                lastEventID: options.lastEventID
            )
        else {
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
}

/// What a stream's request asks for.
struct EventOptions {
    private(set) var detail = EventDetail.summary
    /// The last event that the reader saw, from its header or, for a first request, its query.
    private(set) var lastEventID: UInt64?

    /// Reads query and header; fields that no stream knows are ignored, as links may carry any.
    ///
    /// - Throws: `unknown-name` for a detail that there is not, `invalid-value` for an id that is
    ///   no number.
    init(_ request: borrowing Request) throws(Problem) {
        var lastID = request.header("Last-Event-ID")
        var detail = EventDetail.summary
        try FormFields.forEach(request.querySlice) { (name, text) throws(Problem) in
            if name == "detail" {
                guard let known = EventDetail(rawValue: String(text)) else {
                    throw Problem(
                        .unknownName,
                        "no detail \"\(shortened(text))\"",
                        at: "/detail"
                    ).suggesting(text, from: EventDetail.allCases.map(\.rawValue))
                }
                detail = known
            } else if name == "last_event_id", lastID == nil {
                lastID = String(text)
            }
        }
        self.detail = detail
        guard let lastID, !lastID.isEmpty else { return }
        guard let id = UInt64(lastID) else {
            throw Problem(.invalidValue, "Last-Event-ID must be the id of an event")
        }
        lastEventID = id
    }
}

extension Session {
    /// Publishes an answer that was just written as a `call` event.
    ///
    /// Called with the kernel's lock held, so that events keep the order of the calls; while nobody
    /// listens, it counts and copies nothing.
    func publish(_ parts: OutcomeParts, of json: borrowing JSONWriter) {
        unsafe json.buffer.withUnsafeBytes { bytes in
            guard parts.whole.upperBound <= bytes.count else { return }
            events.publish("call") { detail, event in
                switch detail {
                case .full:
                    unsafe event.append(UnsafeRawBufferPointer(rebasing: bytes[parts.whole]))
                case .summary:
                    unsafe event.append(UnsafeRawBufferPointer(rebasing: bytes[parts.head]))
                    for part in [parts.place.cache, parts.place.zone] where !part.isEmpty {
                        event.append(",")
                        unsafe event.append(UnsafeRawBufferPointer(rebasing: bytes[part]))
                    }
                    unsafe event.append(UnsafeRawBufferPointer(rebasing: bytes[parts.log]))
                    event.append("}")
                }
            }
        }
    }
}
