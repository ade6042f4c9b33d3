internal import HTTPServer

/// Describes what the HTTP server refuses before a route sees it.
struct ServerProblems: ProblemSource {
    func problem(status: Int, reason: ServerRefusal) -> Response {
        var problem = Problem(type(of: reason), detail(of: reason))
        if reason == .methodNotImplemented {
            problem.headers = [("Allow", "GET, HEAD, POST, PATCH, DELETE, OPTIONS")]
        }
        return problem.response()
    }

    private func type(of reason: ServerRefusal) -> ProblemType {
        switch reason {
        case .malformedRequestLine, .malformedTarget, .malformedHeader, .missingHost,
            .duplicateHost, .duplicateContentLength, .conflictingLength:
            .malformedRequest
        case .originNotAllowed: .originNotAllowed
        case .requestTimeout: .requestTimeout
        case .bodyTooLarge: .bodyTooLarge
        case .targetTooLong: .uriTooLong
        case .hostNotAllowed: .hostNotAllowed
        case .headersTooLarge: .headersTooLarge
        case .handlerFailed: .internalError
        case .methodNotImplemented: .methodNotAllowed
        case .transferEncodingNotImplemented: .notImplemented
        case .bodyMemoryExhausted: .busy
        case .stopping: .shuttingDown
        }
    }

    private func detail(of reason: ServerRefusal) -> String {
        switch reason {
        case .malformedRequestLine: "the request line is malformed"
        case .malformedTarget: "the request's target is no absolute path"
        case .malformedHeader: "a header line is malformed"
        case .missingHost: "exactly one Host header is needed"
        case .duplicateHost: "Host is given twice"
        case .duplicateContentLength: "Content-Length is given twice"
        case .conflictingLength: "Content-Length and Transfer-Encoding exclude each other"
        case .originNotAllowed: "the service was not told to allow this Origin"
        case .requestTimeout: "the whole request must arrive in time"
        case .bodyTooLarge: "the body exceeds this path's limit"
        case .targetTooLong: "path and query exceed the limit"
        case .hostNotAllowed: "Host names another server"
        case .headersTooLarge: "the headers exceed the limit"
        case .handlerFailed: "the request was not answered"
        case .methodNotImplemented: "the method is not known"
        case .transferEncodingNotImplemented: "the only transfer encoding is chunked"
        case .bodyMemoryExhausted: "the bodies under way hold all the memory that they may"
        case .stopping: "no further requests are taken"
        }
    }
}
