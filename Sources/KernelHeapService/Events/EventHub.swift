import HTTPServer
internal import KernelHeap
import Synchronization

/// How much a hub keeps and whom it serves.
struct EventLimits: Sendable {
    /// Bytes of rendered events kept for readers that lag or come back.
    var logBytes = 1_024 * 1_024
    var logEvents = 8_192
    /// Streams of one session.
    var subscribersPerSession = 1_024
    /// Seconds of recording after the last reader left, so that it may resume.
    var lingerSeconds = 30
    /// Longest silence of a stream.
    var heartbeatSeconds = 15

    init() {}
}

/// The events of one session, on their way to any number of readers.
///
/// An event is rendered once for each detail that has readers, whatever their number.
///
/// While nobody listens, publishing counts an id and drops the rest. The first reader makes the
/// hub record; it goes on a while after the last one left. Readers see events only up to
/// the last tick: many events then cost one wake per reader instead of one each.
///
/// Locks are taken in one order, reader before hub: a hub wakes readers after it let go of its own.
final class EventHub: Sendable {
    private struct State: ~Copyable {
        var nextID: UInt64
        /// Present while the hub records.
        var logs = EventLogs()
        /// Readers see events with smaller ids.
        var visibleEnd: UInt64
        var subscribers: [ObjectIdentifier: EventStream] = [:]
        /// When a tick first saw no reader.
        var emptySince: Duration?
        var lastBeat: Duration = .zero
        var isClosed = false
        /// How far the running call is, how often that was said, and how often it was shown.
        var progress: CallProgress?
        var progressNumber: UInt64 = 0
        var shownProgress: UInt64 = 0

        init(nextID: UInt64) {
            self.nextID = nextID
            visibleEnd = nextID
        }
    }

    private let state: Mutex<State>
    private let ticker: EventTicker
    let limits: EventLimits

    init(ticker: EventTicker, limits: EventLimits = EventLimits(), nextID: UInt64 = 1) {
        state = Mutex(State(nextID: nextID))
        self.ticker = ticker
        self.limits = limits
    }

    /// The id that the next event gets.
    var nextID: UInt64 { state.withLock { $0.nextID } }

    var subscriberCount: Int { state.withLock { $0.subscribers.count } }

    /// Publishes an event; its data is written only if somebody may read it.
    ///
    /// - Parameters:
    ///   - name: The event's type.
    ///   - write: Writes the data, usually one line of JSON, once for each detail that has readers.
    ///     Called under the hub's lock.
    func publish(_ name: StaticString, _ write: (EventDetail, inout ByteBuffer) -> Void) {
        state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.progress = nil
            state.logs.append(id: id, name: name, write)
        }
    }

    /// Notes how far the running call is; readers who lag miss all but the newest.
    func note(_ progress: CallProgress) {
        state.withLock { state in
            guard !state.subscribers.isEmpty else { return }
            state.progress = progress
            state.progressNumber += 1
        }
    }

    /// Opens a stream of the events from now on, or behind the one that a reader saw last.
    ///
    /// - Parameters:
    ///   - detail: What the events carry. Those of before somebody asked for it are a gap.
    ///   - lastEventID: The last id that the reader saw; nil for a new reader.
    /// - Returns: nil when the session has as many readers as it may, or ended.
    func subscribe(
        _ detail: EventDetail = .summary,
        lastEventID: UInt64? = nil
    ) -> EventStream? {
        let stream: EventStream? = state.withLock { state in
            guard !state.isClosed, state.subscribers.count < limits.subscribersPerSession else {
                return nil
            }
            if state.logs.isEmpty { state.visibleEnd = state.nextID }
            state.logs.begin(detail, at: state.nextID, limits)
            let stream = EventStream(
                hub: self,
                detail: detail,
                after: lastEventID,
                newest: state.nextID
            )
            state.subscribers[ObjectIdentifier(stream)] = stream
            state.emptySince = nil
            return stream
        }
        if stream != nil { ticker.add(self) }
        return stream
    }

    /// Ends the streams once they have sent what there is.
    ///
    /// The session is gone.
    func close() {
        let streams: [EventStream] = state.withLock { state in
            state.isClosed = true
            state.visibleEnd = state.nextID
            return Array(state.subscribers.values)
        }
        for stream in streams { stream.wake() }
    }

    // MARK: Readers

    enum Read {
        case copied(Int, nextID: UInt64)
        /// The next frame is longer than the buffer.
        case tooLong(Int)
        /// Events up to this id are no longer here.
        case missing(upTo: UInt64)
        case nothing
        case ended
    }

    /// Copies whole frames for a reader.
    func read(
        _ detail: EventDetail,
        from id: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Read {
        state.withLock { state in
            let end = state.visibleEnd
            guard id < end else { return state.isClosed ? .ended : .nothing }
            return unsafe state.logs.read(detail, from: id, upTo: end, into: buffer)
        }
    }

    /// What was noted of the running call since a reader last asked.
    ///
    /// - Parameters:
    ///   - seen: the number of what the reader had last; moved on.
    ///   - frame: where the event is appended.
    /// - Returns: whether there is news.
    func readProgress(after seen: inout UInt64, into frame: inout ByteBuffer) -> Bool {
        let news: (progress: CallProgress, number: UInt64)? = state.withLock { state in
            guard state.progressNumber > seen else { return nil }
            return state.progress.map { ($0, state.progressNumber) }
        }
        guard let news else { return false }
        seen = news.number
        EventFrame.render(news.progress, into: &frame)
        return true
    }

    func unsubscribe(_ stream: EventStream) {
        state.withLock { state in
            _ = state.subscribers.removeValue(forKey: ObjectIdentifier(stream))
        }
    }

    // MARK: The ticker

    /// Shows readers what came since the last tick, and wakes them.
    ///
    /// - Parameter now: The ticker's clock.
    /// - Returns: What the ticker should do with this hub.
    func tick(at now: Duration) -> TickOutcome {
        var streams: [EventStream] = []
        var isBeat = false
        var news = EventNews()
        let outcome: TickOutcome = state.withLock { state in
            // Two beats make a silence: a stream that was quiet for a whole one gives a sign.
            isBeat = now - state.lastBeat >= .milliseconds(limits.heartbeatSeconds * 500)
            if isBeat { state.lastBeat = now }
            let seen = state.visibleEnd
            state.visibleEnd = state.nextID
            if seen != state.nextID {
                news.summary = state.logs.batch(.summary, from: seen, upTo: state.nextID)
                news.full = state.logs.batch(.full, from: seen, upTo: state.nextID)
            }
            let hasProgress = state.progressNumber != state.shownProgress
            state.shownProgress = state.progressNumber
            if seen != state.nextID || isBeat || hasProgress {
                streams = Array(state.subscribers.values)
            }
            guard state.subscribers.isEmpty else { return .watched(state.subscribers.count) }
            let emptySince = state.emptySince ?? now
            state.emptySince = emptySince
            guard state.isClosed || now - emptySince > .seconds(limits.lingerSeconds) else {
                return .lingering
            }
            state.logs.removeAll()
            return .forgotten
        }
        for stream in streams {
            stream.deliver(news)
            if isBeat { stream.beat() }
        }
        return outcome
    }

    enum TickOutcome: Equatable {
        /// By this many readers.
        case watched(Int)
        case lingering
        case forgotten
    }
}
