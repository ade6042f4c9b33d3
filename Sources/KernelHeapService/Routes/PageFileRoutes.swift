internal import HTTPServer
internal import KernelHeap

/// Files of `/proc` that are read in parts.
extension Service {
    /// `GET …/proc/kpageflags` and `…/proc/kpagecount`: bytes, unless `Accept` asks for JSON.
    func getPageFile(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ view: StateView,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let query = try ViewQuery(
            request.querySlice,
            of: view,
            prefersBytes: !prefersJSON(request)
        )
        return try withKernel(of: session, completion) { (kernel) throws(Problem) in
            let answer = try view.answer(kernel, query)
            let type = answer.contentType
            return Response(
                status: 200,
                contentType: type,
                headers: [("ETag", "\"\(kernel.sequence)\"")],
                body: .bytes(answer.finish())
            )
        }
    }
}
