import HTTPServer

/// The latest events of a session, rendered for the wire, in a ring of bounded size.
///
/// Events have consecutive ids. Their frames lie one behind the other in a byte ring, so that a
/// reader takes many of them with one copy; a table of offsets finds the frame of an id.
///
///     ids      … 17      18   19        20  │ 21   next
///     bytes   ───┬───────┬────┬─────────┬───┤
///                first                      end          old frames are overwritten
@safe
struct EventLog: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, the log, which cannot be copied.

    /// The id that the next event gets.
    private(set) var nextID: UInt64
    /// The oldest id that is still here; equal to `nextID` when there is none.
    private(set) var firstID: UInt64

    private let byteCapacity: Int
    private let eventCapacity: Int
    private let bytes: UnsafeMutableRawPointer
    /// Where each frame ends, counted in bytes since the beginning, by id modulo capacity.
    private let ends: UnsafeMutablePointer<UInt64>
    /// Where the oldest frame begins, and the newest ends.
    private var start: UInt64 = 0
    private var end: UInt64 = 0

    /// Memory is reserved here and occupied as it fills.
    init(nextID: UInt64, byteCapacity: Int, eventCapacity: Int) {
        self.nextID = nextID
        firstID = nextID
        self.byteCapacity = max(byteCapacity, 1_024)
        self.eventCapacity = max(eventCapacity, 8)
        unsafe bytes = .allocate(byteCount: self.byteCapacity, alignment: 16)
        unsafe ends = .allocate(capacity: self.eventCapacity)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe ends.deallocate()
    }

    init(nextID: UInt64, _ limits: EventLimits) {
        self.init(
            nextID: nextID,
            byteCapacity: limits.logBytes,
            eventCapacity: limits.logEvents
        )
    }

    /// The longest frame that `append` takes.
    var maximumFrameBytes: Int { byteCapacity / 4 }

    /// Adds the frame of the next event, dropping the oldest ones that are in its way.
    mutating func append(_ frame: UnsafeRawBufferPointer) {
        guard let source = frame.baseAddress, frame.count <= maximumFrameBytes else { return }
        let newEnd = end + UInt64(frame.count)
        while firstID < nextID,
            newEnd - start > UInt64(byteCapacity) || nextID - firstID >= UInt64(eventCapacity)
        {
            start = unsafe ends[slot(firstID)]
            firstID += 1
        }
        unsafe copyIn(source, count: frame.count)
        end = newEnd
        unsafe ends[slot(nextID)] = newEnd
        nextID += 1
    }

    /// Copies whole frames from an id on, up to but without `limit`.
    ///
    /// - Returns: The bytes copied and the id that comes next. No bytes when the first frame does
    ///   not fit, or when none is here.
    func copy(
        from id: UInt64,
        upTo limit: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> (count: Int, nextID: UInt64) {
        let limit = min(limit, nextID)
        guard id >= firstID, id < limit else { return (0, id) }
        let from = begin(of: id)
        let room = from + UInt64(buffer.count)
        // The greatest id whose frame ends within the room.
        var low = id
        var high = limit
        while low < high {
            let middle = low + (high - low) / 2
            if unsafe ends[slot(middle)] <= room { low = middle + 1 } else { high = middle }
        }
        guard low > id else { return (0, id) }
        let count = Int(unsafe ends[slot(low - 1)] - from)
        unsafe copyOut(from, UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        return (count, low)
    }

    /// Copies whole frames for a reader from `id` on, up to but without `end`, which is greater.
    func read(
        from id: UInt64,
        upTo end: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> EventHub.Read {
        guard id >= firstID else { return .missing(upTo: min(end, max(firstID, id + 1))) }
        let copied = unsafe copy(from: id, upTo: end, into: buffer)
        if copied.count > 0 { return .copied(copied.count, nextID: copied.nextID) }
        return .tooLong(frameBytes(id) ?? 0)
    }

    /// Frames the events from `id` on, up to but without `end`; nil where they are not all here, or
    /// are more than a batch holds.
    func batch(from id: UInt64, upTo end: UInt64) -> EventBatch? {
        guard id >= firstID, id < end, end <= nextID else { return nil }
        let count = Int(unsafe ends[slot(end - 1)] - begin(of: id))
        guard count <= EventBatch.maximumBytes else { return nil }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { unsafe memory.deallocate() }
        unsafe copyOut(begin(of: id), memory)
        return unsafe EventBatch(ids: id..<end, frames: UnsafeRawBufferPointer(memory))
    }

    /// The length of an event's frame; nil when it is not here.
    func frameBytes(_ id: UInt64) -> Int? {
        guard id >= firstID, id < nextID else { return nil }
        return Int(unsafe ends[slot(id)] - begin(of: id))
    }

    private func begin(of id: UInt64) -> UInt64 {
        id == firstID ? start : unsafe ends[slot(id - 1)]
    }

    private func slot(_ id: UInt64) -> Int { Int(id % UInt64(eventCapacity)) }

    private func copyIn(_ source: UnsafeRawPointer, count: Int) {
        let offset = Int(end % UInt64(byteCapacity))
        let first = min(count, byteCapacity - offset)
        unsafe (bytes + offset).copyMemory(from: source, byteCount: first)
        unsafe bytes.copyMemory(from: source + first, byteCount: count - first)
    }

    private func copyOut(_ from: UInt64, _ target: UnsafeMutableRawBufferPointer) {
        guard let base = target.baseAddress else { return }
        let offset = Int(from % UInt64(byteCapacity))
        let first = min(target.count, byteCapacity - offset)
        unsafe base.copyMemory(from: bytes + offset, byteCount: first)
        unsafe (base + first).copyMemory(from: bytes, byteCount: target.count - first)
    }
}
