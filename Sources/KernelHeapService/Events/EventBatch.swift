import HTTPServer

/// What became visible with one tick, framed once for all readers that have seen what was before.
struct EventBatch: ~Copyable {
    /// More than this is read by each stream itself, as its socket may not take it at once.
    static let maximumBytes = 32 * 1_024

    /// The ids of the events.
    let ids: Range<UInt64>
    private let chunk: StreamChunk

    /// Copies the events' frames; nil where there are none.
    init?(ids: Range<UInt64>, frames: UnsafeRawBufferPointer) {
        guard let chunk = unsafe StreamChunk(frames) else { return nil }
        self.ids = ids
        self.chunk = chunk
    }

    /// Sends the events at once; false where the connection cannot take them now.
    func push(to connection: StreamConnection) -> Bool { connection.push(chunk) }
}

/// The batches of one tick, for each detail that has one.
struct EventNews: ~Copyable {
    var summary: EventBatch?
    var full: EventBatch?

    /// Sends the batch of a stream's detail; false where there is none, or it was not sent.
    func push(_ detail: EventDetail, to stream: EventStream) -> Bool {
        switch detail {
        case .summary: Self.push(summary, to: stream)
        case .full: Self.push(full, to: stream)
        }
    }

    private static func push(_ batch: borrowing EventBatch?, to stream: EventStream) -> Bool {
        switch batch {
        case .some(let batch): stream.push(batch)
        case .none: false
        }
    }
}
