/// Why the server refuses a request before or instead of its handler.
public enum ServerRefusal: UInt8, CaseIterable, Hashable, Sendable {
    case malformedRequestLine
    case malformedTarget
    case malformedHeader
    case missingHost
    case duplicateHost
    case duplicateContentLength
    /// Both `Content-Length` and `Transfer-Encoding`.
    case conflictingLength
    case originNotAllowed
    case requestTimeout
    case bodyTooLarge
    case targetTooLong
    /// `Host` names a server that this one is not: the mark of DNS rebinding.
    case hostNotAllowed
    case headersTooLarge
    case handlerFailed
    case methodNotImplemented
    case transferEncodingNotImplemented
    /// The bodies under way hold all the memory that they may.
    case bodyMemoryExhausted
    case stopping

    /// The HTTP status that goes with the reason.
    public var status: Int {
        switch self {
        case .malformedRequestLine, .malformedTarget, .malformedHeader, .missingHost,
            .duplicateHost, .duplicateContentLength, .conflictingLength:
            400
        case .originNotAllowed: 403
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .hostNotAllowed: 421
        case .headersTooLarge: 431
        case .handlerFailed: 500
        case .methodNotImplemented, .transferEncodingNotImplemented: 501
        case .bodyMemoryExhausted, .stopping: 503
        }
    }
}

/// Supplies the documents of the refusals that the server makes itself.
public protocol ProblemSource: Sendable {
    /// Describes a refusal; called on a server thread. The body must be bytes or empty.
    func problem(status: Int, reason: ServerRefusal) -> Response
}
