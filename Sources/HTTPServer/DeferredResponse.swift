internal import CHTTPBridge
internal import Synchronization

/// An answer that a worker thread gives later, while the connection sleeps.
public final class DeferredResponse: Sendable {
    @safe
    private struct State: ~Copyable, @unchecked Sendable {
        // Unchecked: the connection is used under the lock and forgotten before it is freed.
        var response: Response?
        var isComplete = false
        var connection: OpaquePointer?
        var isSuspended = false
    }

    private let state: Mutex<State>

    public init() {
        state = Mutex(State())
    }

    /// Gives the answer; the first call counts, later ones are dropped.
    ///
    /// Safe from any thread.
    public func complete(with response: consuming Response) {
        var offered: Response? = consume response
        state.withLock { state in
            guard !state.isComplete else { return }
            state.isComplete = true
            state.response = offered.take()
            guard state.isSuspended, let connection = unsafe state.connection else { return }
            state.isSuspended = false
            unsafe MHD_resume_connection(connection)
        }
        if let dropped = offered.take() { dropped.discard() }
    }

    /// Takes the answer if it is there, and otherwise lets the connection sleep until it is.
    ///
    /// Returns nil when the connection sleeps; called on its thread.
    func takeOrSuspend(_ connection: OpaquePointer) -> Response? {
        var taken: Response?
        state.withLock { state in
            if state.isComplete {
                taken = state.response.take() ?? Response(status: 500)
                return
            }
            unsafe state.connection = unsafe connection
            state.isSuspended = true
            unsafe MHD_suspend_connection(connection)
        }
        return taken
    }

    /// Forgets the library's connection: a later answer is dropped.
    func detach() {
        var dropped: Response?
        state.withLock { state in
            unsafe state.connection = nil
            state.isSuspended = false
            state.isComplete = true
            dropped = state.response.take()
        }
        if let dropped = dropped.take() { dropped.discard() }
    }
}
