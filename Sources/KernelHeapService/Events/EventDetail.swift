/// How much of a call's answer its event carries; the value of `detail` in a stream's query.
enum EventDetail: String, CaseIterable, Sendable {
    /// Number, function, return value, errno, cache and zone of what was allocated, log lines.
    case summary
    /// The whole answer.
    case full
}
