internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// `POST /v1/sessions/{id}/validate`: whether a machine's own structures are sound.
extension Service {
    /// Checks a fork of the session's machine on a thread of its own; the session goes on.
    ///
    /// One check at a time: it holds about as much memory as the session, and may take seconds on
    /// a large one.
    func postValidate(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let expected = try expectedSequence(request)
        let (isFree, _) = isValidating.compareExchange(
            expected: false,
            desired: true,
            ordering: .acquiring
        )
        guard isFree else { throw Problem(.busy, "another session is being validated") }
        session.beginJob()
        let response = DeferredResponse()
        let isStarted = NicedThread.start { [self] in
            let answer = validation(of: session, expected)
            session.endJob()
            isValidating.store(false, ordering: .releasing)
            completion.finish(answer)
            response.complete(with: answer)
        }
        guard isStarted else {
            session.endJob()
            isValidating.store(false, ordering: .releasing)
            throw Problem(.busy, "the system gives no thread")
        }
        return Response(status: 200, body: .deferred(response))
    }

    private func validation(of session: Session, _ expected: UInt64?) -> Response {
        do throws(Problem) {
            // Only the fork is made under the session's lock.
            let kernel = try session.kernel.withLock { (kernel) throws(Problem) -> Kernel in
                try check(kernel, expects: expected)
                return kernel.fork()
            }
            return report(kernel.validate(), at: kernel.sequence)
        } catch {
            return error.response()
        }
    }

    private func report(_ report: ValidationReport, at sequence: UInt64) -> Response {
        var writer = JSONWriter(capacity: 1_024)
        writer.object { json in
            json.member("seq", sequence)
            json.member("sound", report.isSound)
            json.member("checked", objects: report.checked) { json, part in
                json.member("what", part.what)
                json.member("count", part.count)
            }
            json.name("violations")
            json.strings(report.violations)
            json.name("misuse")
            json.strings(report.misuse)
        }
        return json(writer, headers: [("ETag", "\"\(sequence)\"")])
    }
}
