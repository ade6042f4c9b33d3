internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// A request whose session was busy: its work, done by a worker in one slice.
final class DeferredWork: Job {
    let response = DeferredResponse()
    private let session: Session
    private let completion: Completion
    private let body: @Sendable (inout Kernel) throws(Problem) -> Response

    init(
        _ session: Session,
        _ completion: Completion,
        _ body: @escaping @Sendable (inout Kernel) throws(Problem) -> Response
    ) {
        self.session = session
        self.completion = completion
        self.body = body
        session.beginJob()
    }

    func runSlice() -> JobProgress {
        defer { session.endJob() }
        do throws(Problem) {
            let answer = try session.kernel.withLock { (kernel) throws(Problem) -> Response in
                try body(&kernel)
            }
            completion.finish(answer)
            response.complete(with: answer)
        } catch {
            let answer = error.response()
            completion.finish(answer)
            response.complete(with: answer)
        }
        return .finished
    }
}
