internal import HTTPServer
internal import KernelHeap

/// `POST /v1/sessions/{id}/calls`: many kernel calls, run by a worker in slices.
extension Service {
    func postCalls(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let options = try BatchOptions(request.querySlice)
        let runner = BatchRunner(
            service: self,
            session: session,
            stopsOnError: options.stopsOnError,
            extras: options.extras,
            expectedSequence: try expectedSequence(request)
        )
        let isStream = isNDJSON(request)
        if !isStream { try refuseEncodedBody(request) }
        guard let parser = JSONParser() else { throw Problem(.outOfMemory) }
        guard let body = BodyCopy(request.bodySlice, from: batchBytes) else {
            throw Problem(.busy, "the batches that wait hold all the memory they may")
        }
        if isStream {
            let batch = LineBatch(runner, completion, body, parser)
            try workers.accept(batch, isUrgent: false)
            return Response(
                status: 200,
                contentType: "application/x-ndjson",
                body: .stream(batch.stream)
            )
        }
        let batch = try ArrayBatch(runner, completion, body, parser)
        try workers.accept(batch, isUrgent: false)
        return Response(status: 200, body: .deferred(batch.response))
    }

    private func isNDJSON(_ request: borrowing Request) -> Bool {
        let type = request.header("Content-Type") ?? ""
        return type.hasPrefix("application/x-ndjson") || type.hasPrefix("application/ndjson")
    }
}

/// The query of a batch.
struct BatchOptions {
    private(set) var stopsOnError = true
    private(set) var extras: AnswerExtras = []

    init(_ query: ByteSlice) throws(Problem) {
        try FormFields.forEach(query) { (name, text) throws(Problem) in
            let place = ArgumentPlace.field(name: name, text: text)
            if name == "on_error" {
                guard text == "stop" || text == "continue" else {
                    throw Problem(
                        .unknownName,
                        "on_error cannot be \(place.shown)",
                        at: place.pointer
                    ).suggesting(text, from: ["stop", "continue"])
                }
                stopsOnError = text == "stop"
            } else if name == "explain" {
                if try ArgumentDecoder.boolean(place) { extras.insert(.explanation) }
            } else if name == "contiguity" {
                if try ArgumentDecoder.boolean(place) { extras.insert(.contiguity) }
            } else {
                throw Problem(
                    .unknownField,
                    "a batch has no option \"\(shortened(name))\"",
                    at: place.pointer
                ).suggesting(name, from: ["on_error", "explain", "contiguity"])
            }
        }
    }
}
