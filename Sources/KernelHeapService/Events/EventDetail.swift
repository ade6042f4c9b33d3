/// How much of a call's answer its event carries; the value of `detail` in a stream's query.
enum EventDetail: String, CaseIterable, Sendable {
    /// Number, function, return value, errno, and log lines where there are any.
    case summary
    /// The whole answer.
    case full
}
