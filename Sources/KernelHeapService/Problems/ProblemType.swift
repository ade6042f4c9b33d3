/// Every problem that the service answers with: its stable type, status and title.
///
/// The raw value is the last part of the problem's `type`, `/problems/<raw value>`. Clients may
/// depend on types; titles and details are for people.
public enum ProblemType: String, CaseIterable, Sendable {
    // The request cannot be read.
    case malformedRequest = "malformed-request"
    case malformedJSON = "malformed-json"
    case malformedForm = "malformed-form"

    // It may not be asked from there.
    case originNotAllowed = "origin-not-allowed"
    case hostNotAllowed = "host-not-allowed"

    // What it names does not exist.
    case unknownPath = "unknown-path"
    case unknownSession = "unknown-session"
    case unknownFunction = "unknown-function"
    case unknownFile = "unknown-file"
    case unknownCache = "unknown-cache"
    case methodNotAllowed = "method-not-allowed"
    case notAcceptable = "not-acceptable"
    case requestTimeout = "request-timeout"

    // It contradicts the session's state.
    case sessionPanicked = "session-panicked"
    case sessionHung = "session-hung"
    case sequenceMismatch = "sequence-mismatch"
    case idempotencyInProgress = "idempotency-in-progress"
    case answerNotKept = "idempotent-answer-not-kept"

    // It is too large, or of the wrong kind.
    case bodyTooLarge = "body-too-large"
    case uriTooLong = "uri-too-long"
    case headersTooLarge = "headers-too-large"
    case unsupportedMediaType = "unsupported-media-type"
    case batchTooLong = "batch-too-long"

    // It is well-formed and means nothing.
    case unknownField = "unknown-field"
    case missingField = "missing-field"
    case duplicateField = "duplicate-field"
    case wrongType = "wrong-type"
    case outOfRange = "out-of-range"
    case unknownName = "unknown-name"
    case unknownReference = "unknown-reference"
    case invalidValue = "invalid-value"
    case invalidMachine = "invalid-machine"
    case idempotencyMismatch = "idempotency-mismatch"

    // The service has no room, or is broken.
    case tooManySessions = "too-many-sessions"
    case tooManyRequests = "too-many-requests"
    case memoryLimit = "memory-limit"
    case busy = "busy"
    case outOfMemory = "out-of-memory"
    case shuttingDown = "shutting-down"
    case notImplemented = "not-implemented"
    case internalError = "internal-error"

    /// The HTTP status.
    public var status: Int {
        switch self {
        case .malformedRequest, .malformedJSON, .malformedForm: 400
        case .originNotAllowed: 403
        case .unknownPath, .unknownSession, .unknownFunction, .unknownFile, .unknownCache: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .sessionPanicked, .sessionHung, .sequenceMismatch, .idempotencyInProgress,
            .answerNotKept:
            409
        case .bodyTooLarge, .batchTooLong: 413
        case .uriTooLong: 414
        case .unsupportedMediaType: 415
        case .headersTooLarge: 431
        case .hostNotAllowed: 421
        case .unknownField, .missingField, .duplicateField, .wrongType, .outOfRange,
            .unknownName, .unknownReference, .invalidValue, .invalidMachine,
            .idempotencyMismatch:
            422
        case .tooManySessions, .tooManyRequests, .memoryLimit: 429
        case .internalError: 500
        case .notImplemented: 501
        case .busy, .outOfMemory, .shuttingDown: 503
        }
    }

    /// One short phrase for people.
    public var title: String {
        switch self {
        case .malformedRequest: "The request is malformed"
        case .malformedJSON: "The body is not JSON"
        case .malformedForm: "The form or query is malformed"
        case .originNotAllowed: "The page's origin is not allowed"
        case .hostNotAllowed: "The service does not answer to this host name"
        case .unknownPath: "Nothing is served at this path"
        case .unknownSession: "There is no such session"
        case .unknownFunction: "There is no such kernel function"
        case .unknownFile: "There is no such file"
        case .unknownCache: "There is no such slab cache"
        case .methodNotAllowed: "The method does not fit the path"
        case .notAcceptable: "No representation fits Accept"
        case .requestTimeout: "The request took too long to arrive"
        case .sessionPanicked: "The simulated kernel has panicked"
        case .sessionHung: "The simulated kernel hangs"
        case .sequenceMismatch: "The session has moved on"
        case .idempotencyInProgress: "The first request with this key is still running"
        case .answerNotKept: "The answer to this key was too large to keep"
        case .bodyTooLarge: "The body is too large"
        case .uriTooLong: "The request line is too long"
        case .headersTooLarge: "The headers are too large"
        case .unsupportedMediaType: "The content type is not understood"
        case .batchTooLong: "The batch has too many calls"
        case .unknownField: "A field is unknown"
        case .missingField: "A field is missing"
        case .duplicateField: "A field is given twice"
        case .wrongType: "A value has the wrong type"
        case .outOfRange: "A number is out of range"
        case .unknownName: "A name is unknown"
        case .unknownReference: "A reference has no value"
        case .invalidValue: "A value makes no sense"
        case .invalidMachine: "No machine boots from this description"
        case .idempotencyMismatch: "The key was used for another request"
        case .tooManySessions: "There are too many sessions"
        case .tooManyRequests: "There are too many requests at once"
        case .memoryLimit: "The sessions hold too much memory"
        case .busy: "The service is busy"
        case .outOfMemory: "The host has no memory left"
        case .shuttingDown: "The service is stopping"
        case .notImplemented: "The method is not implemented"
        case .internalError: "The service failed"
        }
    }
}
