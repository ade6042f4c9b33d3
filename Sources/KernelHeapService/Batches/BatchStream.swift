internal import HTTPServer
internal import Synchronization

/// The answers of an NDJSON batch on their way to the client.
///
/// The worker fills the buffer, the connection empties it. Above the high mark the worker parks its
/// batch; the connection takes it up again below the low mark. So a client that reads slowly slows
/// down its own batch only.
final class BatchStream: StreamSource {
    private static let highMark = 256 << 10
    private static let lowMark = 64 << 10

    private struct Parked {
        let job: LineBatch
        let service: Service
    }

    private struct State: ~Copyable {
        var buffer = ByteBuffer(capacity: 32 << 10)
        var sent = 0
        var isLast = false
        var isClosed = false
        var parked: Parked?
        var connection: StreamConnection?

        var waiting: Int { buffer.count - sent }

        /// Moves what fits; gives the number of bytes.
        mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
            let count = min(waiting, target.count)
            guard count > 0 else { return 0 }
            let start = sent
            unsafe buffer.withUnsafeBytes { bytes in
                unsafe target.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
                )
            }
            sent += count
            compact()
            return count
        }

        /// Lets go of what was sent: a reader that never quite catches up must not make it grow.
        private mutating func compact() {
            if waiting == 0 {
                buffer.removeAll()
            } else if sent >= BatchStream.highMark {
                var rest = ByteBuffer(capacity: waiting)
                unsafe buffer.withUnsafeBytes { bytes in
                    unsafe rest.append(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                }
                buffer = rest
            } else {
                return
            }
            sent = 0
        }
    }

    private let state = Mutex(State())

    /// Whether the client is gone.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Adds lines; false where the client must catch up before more are made.
    @discardableResult
    func append(_ lines: consuming ByteBuffer, isLast: Bool) -> Bool {
        let (connection, hasRoom) = unsafe lines.withUnsafeBytes { bytes in
            state.withLock { state in
                if !state.isClosed { unsafe state.buffer.append(bytes) }
                state.isLast = isLast
                return (state.connection, state.waiting < BatchStream.highMark)
            }
        }
        connection?.wake()
        return hasRoom
    }

    /// Leaves a batch waiting for its client; false where there is no need any more.
    func park(_ job: LineBatch, _ service: Service) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.waiting >= BatchStream.lowMark else { return false }
            state.parked = Parked(job: job, service: service)
            return true
        }
    }

    func opened(_ connection: StreamConnection) {
        state.withLock { $0.connection = connection }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamRead {
        var parked: Parked?
        let result = state.withLock { state -> StreamRead in
            let count = unsafe state.take(into: buffer)
            if state.waiting < BatchStream.lowMark { parked = state.parked.take() }
            if count > 0 { return .bytes(count) }
            return state.isLast ? .end : .pause
        }
        if let parked { parked.service.workers.resume(parked.job) }
        return result
    }

    func closed() {
        let parked = state.withLock { state in
            state.isClosed = true
            state.connection = nil
            return state.parked.take()
        }
        // The batch learns from its next slice that nobody listens.
        if let parked { parked.service.workers.resume(parked.job) }
    }
}
