internal import HTTPServer

/// `Idempotency-Key`: a POST that may be sent again without being carried out again.
extension Service {
    /// Carries a request out once; a repetition gets the first one's answer.
    func answerOnce(
        _ text: String,
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        guard !text.isEmpty, text.utf8.count <= AnswerStore.maximumKeyBytes else {
            throw Problem(
                .malformedRequest,
                "Idempotency-Key must have 1 to \(AnswerStore.maximumKeyBytes) bytes"
            )
        }
        let key = AnswerStore.Key(path: String(request.pathSlice), key: text)
        switch try answers.claim(key, fingerprint: fingerprint(request)) {
        case .repeated(let answer):
            completion.finish(status: answer.status)
            return replay(answer)
        case .first: break
        }
        var claimed = completion
        claimed.key = key
        do throws(Problem) {
            let response = try answer(request, match, claimed)
            if !response.body.isPending { keep(response, for: key) }
            return response
        } catch {
            let response = error.response()
            keep(response, for: key)
            throw error
        }
    }

    /// Keeps an answer for repetitions.
    ///
    /// What may turn out otherwise next time is not kept.
    func keep(_ response: borrowing Response, for key: AnswerStore.Key) {
        switch response.status {
        case 409, 429, 500...: return answers.forget(key)
        default: break
        }
        answers.keep(
            AnswerStore.Answer(
                status: response.status,
                contentType: response.contentType,
                headers: response.headers,
                body: response.body.copiedBytes
            ),
            for: key
        )
    }

    private func replay(_ answer: AnswerStore.Answer) -> Response {
        var body = ByteBuffer(capacity: answer.body.count)
        body.append(answer.body)
        return Response(
            status: answer.status,
            contentType: answer.contentType,
            headers: answer.headers + [("Idempotency-Replayed", "true")],
            body: .bytes(body)
        )
    }

    // Swift's hasher is keyed anew in each process, so nobody can aim for a collision.
    private func fingerprint(_ request: borrowing Request) -> Int {
        var hasher = Hasher()
        unsafe request.querySlice.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        hasher.combine(0 as UInt8)
        unsafe request.bodySlice.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
