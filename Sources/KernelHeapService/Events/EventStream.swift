import HTTPServer
import Synchronization

/// One reader of a session's events: renders them as a `text/event-stream`.
final class EventStream: StreamSource {
    private struct State: ~Copyable {
        var connection: StreamConnection?
        /// The id that the reader gets next.
        var nextID: UInt64
        /// Bytes that must leave before the next event: greeting, gap, a long frame's rest.
        var pending = ByteBuffer()
        var pendingOffset = 0
        /// Nothing has been sent since the last heartbeat.
        var isSilent = false
        var isHeartbeatDue = false
        /// The newest word on a running call that was sent.
        var progressNumber: UInt64 = 0
    }

    static let contentType: StaticString = "text/event-stream"

    private let hub: EventHub
    private let detail: EventDetail
    private let state: Mutex<State>

    /// A reader behind `lastEventID`, or from `newest` on.
    init(hub: EventHub, detail: EventDetail, after lastEventID: UInt64?, newest: UInt64) {
        self.hub = hub
        self.detail = detail
        var initial = State(nextID: newest)
        initial.pending.append(EventFrame.greeting)
        if let lastEventID {
            if lastEventID < newest {
                initial.nextID = lastEventID + 1
            } else {
                // Ids that this session never gave: it was rewound, or is another one.
                EventFrame.renderGap(
                    from: newest,
                    to: newest - 1,
                    isReset: true,
                    into: &initial.pending
                )
            }
        }
        state = Mutex(initial)
    }

    func opened(_ connection: StreamConnection) {
        state.withLock { $0.connection = connection }
    }

    func closed() {
        state.withLock { $0.connection = nil }
        hub.unsubscribe(self)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamRead {
        // Under the lock, as the ticker pushes into the same stream.
        state.withLock { state in
            guard buffer.count > 0 else { return .pause }
            if let count = unsafe Self.takePending(&state, into: buffer) { return .bytes(count) }
            let read = unsafe hub.read(detail, from: state.nextID, into: buffer)
            switch read {
            case .copied(let count, let nextID):
                state.nextID = nextID
                state.isSilent = false
                return .bytes(count)
            case .tooLong(let count):
                copyLongFrame(count, &state)
            case .missing(let end):
                EventFrame.renderGap(
                    from: state.nextID,
                    to: end - 1,
                    isReset: false,
                    into: &state.pending
                )
                state.nextID = end
            case .ended:
                return .end
            case .nothing:
                var seen = state.progressNumber
                let hasProgress = hub.readProgress(after: &seen, into: &state.pending)
                state.progressNumber = seen
                guard hasProgress || state.isHeartbeatDue else { return .pause }
                if !hasProgress { state.pending.append(EventFrame.heartbeat) }
            }
            state.isHeartbeatDue = false
            return unsafe Self.takePending(&state, into: buffer).map { .bytes($0) } ?? .pause
        }
    }

    /// Hands over what became visible: at once where the reader waits for just that, otherwise by
    /// having the server read this stream.
    func deliver(_ news: borrowing EventNews) {
        if !news.push(detail, to: self) { wake() }
    }

    /// Sends a batch whose first event is what the reader waits for; false where it was not sent.
    func push(_ batch: borrowing EventBatch) -> Bool {
        state.withLock { state in
            guard state.nextID == batch.ids.lowerBound, state.pending.count == 0,
                let connection = state.connection, batch.push(to: connection)
            else { return false }
            state.nextID = batch.ids.upperBound
            state.isSilent = false
            state.isHeartbeatDue = false
            return true
        }
    }

    func wake() {
        let connection = state.withLock { $0.connection }
        connection?.wake()
    }

    /// Half a heartbeat has passed: a stream silent since the last one sends a sign of life.
    func beat() {
        state.withLock { state in
            state.isHeartbeatDue = state.isSilent
            state.isSilent = true
        }
        wake()
    }

    private func copyLongFrame(_ count: Int, _ state: inout State) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { unsafe memory.deallocate() }
        if case .copied(let copied, let nextID) = unsafe hub.read(
            detail,
            from: state.nextID,
            into: memory
        ) {
            unsafe state.pending.append(UnsafeRawBufferPointer(rebasing: memory[..<copied]))
            state.nextID = nextID
        }
    }

    private static func takePending(
        _ state: inout State,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let count = min(state.pending.count - state.pendingOffset, buffer.count)
        guard count > 0 else { return nil }
        let offset = state.pendingOffset
        unsafe state.pending.withUnsafeBytes { bytes in
            unsafe buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
            )
        }
        state.pendingOffset += count
        if state.pendingOffset == state.pending.count {
            state.pending.removeAll()
            state.pendingOffset = 0
        }
        state.isSilent = false
        return count
    }
}
