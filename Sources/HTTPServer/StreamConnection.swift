internal import CHTTPBridge
internal import Synchronization

/// The sleeping and waking of one streamed response.
///
/// A connection that has nothing to send is suspended in the library and resumed by `wake()`. The
/// library counts neither: a resume of a connection that runs cancels its next suspension, and a
/// lost resume leaves the client waiting. So both happen under one lock, a wake that comes while
/// the source is read is remembered, and each suspension is resumed once.
///
/// While it sleeps, `push` may send a chunk past the library, which spares the server's thread the
/// round of resuming, reading, sending and suspending again.
public final class StreamConnection: Sendable {
    @safe
    private struct State: @unchecked Sendable {
        // Unchecked: the connection is used under the lock and forgotten before it is freed.
        var connection: OpaquePointer?
        var isSuspended = false
        /// Data may have come since the last read began.
        var hasNews = false
        var isEnding = false
        /// The peer left, or the socket broke.
        var peerHasLeft = false
        /// Where `push` sends; nil where the body is not chunked.
        var chunkedSocket: Int32?
        /// Bytes that the socket surely takes when it is idle.
        var pushLimit = 0
    }

    private let state: Mutex<State>

    /// A connection of no server, for tests of sources: waking it does nothing.
    package convenience init() { unsafe self.init(nil) }

    init(_ connection: OpaquePointer?) {
        state = unsafe Mutex(State(connection: connection))
    }

    /// Makes the server read the source again; safe from any thread, cheap when it is awake.
    public func wake() {
        state.withLock { state in
            state.hasNews = true
            Self.resume(&state)
        }
    }

    /// Allows `push`: the body is chunked, and leaves through this socket.
    ///
    /// - Parameters:
    ///   - socket: The connection's socket.
    ///   - sendBufferBytes: Its send buffer, of which the kernel needs some itself.
    func allowPushing(to socket: Int32, sendBufferBytes: Int) {
        state.withLock { state in
            state.chunkedSocket = socket
            state.pushLimit = min(sendBufferBytes, 128 * 1_024) / 2
        }
    }

    /// Sends a chunk from the caller's thread, if the connection sleeps and all before has left.
    ///
    /// The library knows nothing of it: a sleeping connection has no bytes of its own to send.
    ///
    /// - Returns: false when nothing was sent; the source should be read, see `wake()`.
    public func push(_ chunk: borrowing StreamChunk) -> Bool {
        state.withLock { state in
            guard state.isSuspended, !state.isEnding, !state.peerHasLeft,
                let socket = state.chunkedSocket, chunk.bytes.count <= state.pushLimit
            else { return false }
            let sent = unsafe chunk.bytes.withUnsafeBytes {
                unsafe chttp_send_if_idle(socket, $0.baseAddress, $0.count)
            }
            guard sent < 0 else { return sent > 0 }
            // A part may have left, so nothing can follow.
            state.peerHasLeft = true
            Self.resume(&state)
            return false
        }
    }

    /// What a reader does after its source had nothing.
    enum PauseOutcome {
        case suspended, readAgain, end, abort
    }

    /// Marks the beginning of a read; false when the stream must end.
    func beginRead() -> PauseOutcome {
        state.withLock { state in
            if state.peerHasLeft { return .abort }
            if state.isEnding { return .end }
            state.hasNews = false
            return .readAgain
        }
    }

    /// Suspends the connection unless something happened since `beginRead()`.
    func pause() -> PauseOutcome {
        state.withLock { state in
            if state.peerHasLeft { return .abort }
            if state.isEnding { return .end }
            if state.hasNews { return .readAgain }
            guard let connection = unsafe state.connection else { return .abort }
            state.isSuspended = true
            unsafe MHD_suspend_connection(connection)
            return .suspended
        }
    }

    /// Ends the stream at its next read, which comes at once.
    func end() {
        state.withLock { state in
            state.isEnding = true
            Self.resume(&state)
        }
    }

    /// Ends the stream if its client closed the connection while it slept.
    func endIfPeerHasLeft(socket: Int32) {
        state.withLock { state in
            guard state.isSuspended, chttp_peer_has_left(socket) != 0 else { return }
            state.peerHasLeft = true
            Self.resume(&state)
        }
    }

    /// Forgets the library's connection; later wakes do nothing.
    func detach() {
        state.withLock { state in
            unsafe state.connection = nil
            state.chunkedSocket = nil
        }
    }

    private static func resume(_ state: inout State) {
        guard state.isSuspended, let connection = unsafe state.connection else { return }
        state.isSuspended = false
        unsafe MHD_resume_connection(connection)
    }
}

/// A stream on its way: the source, its connection, and the promise to close it once.
final class StreamBody: Sendable {
    let source: any StreamSource
    let connection: StreamConnection
    private let isClosed = Atomic(false)
    private let isOpened = Atomic(false)

    init(source: any StreamSource, connection: StreamConnection) {
        self.source = source
        self.connection = connection
    }

    /// Reads the source until it gave bytes, slept or ended; the library's reader callback.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if !isOpened.exchange(true, ordering: .relaxed) { source.opened(connection) }
        while true {
            switch connection.beginRead() {
            case .abort: return chttp_end_with_error()
            case .end, .suspended: return chttp_end_of_stream()
            case .readAgain: break
            }
            switch unsafe source.read(into: buffer) {
            case .bytes(let count) where count > 0 && count <= buffer.count: return count
            case .bytes: return chttp_end_with_error()
            case .end: return chttp_end_of_stream()
            case .pause: break
            }
            switch connection.pause() {
            case .suspended: return 0
            case .readAgain: continue
            case .end: return chttp_end_of_stream()
            case .abort: return chttp_end_with_error()
            }
        }
    }

    /// Lets go of the connection and tells the source, once.
    func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        connection.detach()
        source.closed()
    }
}
