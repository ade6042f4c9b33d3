/// What an answer has beyond result and log, where somebody asks for it.
struct AnswerExtras: OptionSet, Sendable {
    let rawValue: UInt8

    static let explanation = AnswerExtras(rawValue: 1)
    /// How the memory lies that the call allocated.
    static let contiguity = AnswerExtras(rawValue: 2)
}
