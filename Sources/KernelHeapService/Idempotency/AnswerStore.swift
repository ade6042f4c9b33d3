internal import HTTPServer
internal import Synchronization

/// The answers to requests with an `Idempotency-Key`, so that a retry changes nothing.
///
/// Bounded by count and bytes; the oldest answers go first. A key belongs to a path.
final class AnswerStore: Sendable {
    /// No key is longer.
    static let maximumKeyBytes = 255

    struct Key: Hashable {
        let path: String
        let key: String
    }

    struct Answer {
        let status: Int
        let contentType: StaticString
        let headers: [(name: String, value: String)]
        let body: [UInt8]
    }

    /// What a key's earlier use says about a new request.
    enum Lookup {
        /// The key is new: the request runs, and its answer is handed to `keep` or `forget`.
        case first
        case repeated(Answer)
    }

    fileprivate enum State {
        case running
        case answered(Answer)
        case notKept
    }

    fileprivate struct Entry {
        let fingerprint: Int
        let ordinal: UInt64
        var state: State
    }

    fileprivate struct Entries {
        var byKey: [Key: Entry] = [:]
        var order = RingQueue<(key: Key, ordinal: UInt64)>()
        var bytes = 0
        var nextOrdinal: UInt64 = 0
    }

    private let entries = Mutex(Entries())
    private let maximumCount: Int
    private let maximumAnswerBytes: Int
    private let maximumBytes: Int

    init(_ configuration: ServiceConfiguration) {
        maximumCount = configuration.maximumKeptAnswers
        maximumAnswerBytes = configuration.maximumKeptAnswerBytes
        maximumBytes = configuration.maximumKeptBytes
    }

    /// Claims a key for a request.
    ///
    /// - Parameters:
    ///   - key: path and key.
    ///   - fingerprint: a hash of query and body.
    /// - Returns: whether the request runs, or the answer to repeat.
    /// - Throws: `idempotency-mismatch` for another body, `idempotency-in-progress` while the first
    ///   request runs, `idempotent-answer-not-kept` where its answer was too large.
    func claim(_ key: Key, fingerprint: Int) throws(Problem) -> Lookup {
        let earlier: Entry? = entries.withLock { entries in
            if let entry = entries.byKey[key] { return entry }
            let ordinal = entries.nextOrdinal
            entries.nextOrdinal += 1
            entries.byKey[key] = Entry(fingerprint: fingerprint, ordinal: ordinal, state: .running)
            entries.order.append((key, ordinal))
            entries.trim(toCount: maximumCount, bytes: maximumBytes)
            return nil
        }
        guard let earlier else { return .first }
        guard earlier.fingerprint == fingerprint else {
            throw Problem(
                .idempotencyMismatch,
                "Idempotency-Key \"\(key.key.prefix(64))\" was sent with another body"
            )
        }
        switch earlier.state {
        case .answered(let answer): return .repeated(answer)
        case .running: throw Problem(.idempotencyInProgress, "try again when it has ended")
        case .notKept:
            throw Problem(
                .answerNotKept,
                "the request was carried out; its answer was longer than \(maximumAnswerBytes) bytes"
            )
        }
    }

    /// Keeps the answer of a claimed key, or that it was too long to keep.
    func keep(_ answer: Answer, for key: Key) {
        entries.withLock { entries in
            guard var entry = entries.byKey[key] else { return }
            if answer.body.count <= maximumAnswerBytes {
                entry.state = .answered(answer)
                entries.bytes += answer.body.count
            } else {
                entry.state = .notKept
            }
            entries.byKey[key] = entry
            entries.trim(toCount: maximumCount, bytes: maximumBytes)
        }
    }

    /// Notes that a claimed key's request was carried out with an answer that is not kept.
    func keepNothing(for key: Key) {
        entries.withLock { $0.byKey[key]?.state = .notKept }
    }

    /// Frees a claimed key whose request was not carried out: it may be sent again.
    func forget(_ key: Key) {
        entries.withLock { $0.remove(key) }
    }
}

extension AnswerStore.Entries {
    fileprivate mutating func remove(_ key: AnswerStore.Key) {
        if case .answered(let answer)? = byKey.removeValue(forKey: key)?.state {
            bytes -= answer.body.count
        }
    }

    /// Drops the oldest entries until the limits hold.
    fileprivate mutating func trim(toCount count: Int, bytes limit: Int) {
        // Forgotten keys leave their place in the order behind.
        while byKey.count > count || bytes > limit || order.count > count * 2 {
            guard let oldest = order.popFirst() else { return }
            if byKey[oldest.key]?.ordinal == oldest.ordinal { remove(oldest.key) }
        }
    }
}
