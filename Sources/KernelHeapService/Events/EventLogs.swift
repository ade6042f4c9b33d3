import HTTPServer

/// The logs of a hub: one for each detail that somebody reads, all with the same ids.
struct EventLogs: ~Copyable {
    private var summary: EventLog?
    private var full: EventLog?
    private var renderer = EventRenderer()

    var isEmpty: Bool { summary == nil && full == nil }

    /// Records a detail from the event `id` on, unless it is recorded already.
    mutating func begin(_ detail: EventDetail, at id: UInt64, _ limits: EventLimits) {
        switch detail {
        case .summary: if summary == nil { summary = EventLog(nextID: id, limits) }
        case .full: if full == nil { full = EventLog(nextID: id, limits) }
        }
    }

    mutating func removeAll() {
        summary = nil
        full = nil
    }

    /// Renders an event for each log there is, and adds it.
    mutating func append(
        id: UInt64,
        name: StaticString,
        _ write: (EventDetail, inout ByteBuffer) -> Void
    ) {
        Self.append(id, name, to: &summary, &renderer) { write(.summary, &$0) }
        Self.append(id, name, to: &full, &renderer) { write(.full, &$0) }
    }

    /// Copies whole frames for a reader from `id` on, up to but without `end`, which is greater.
    func read(
        _ detail: EventDetail,
        from id: UInt64,
        upTo end: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> EventHub.Read {
        switch detail {
        case .summary:
            unsafe summary?.read(from: id, upTo: end, into: buffer) ?? .missing(upTo: end)
        case .full: unsafe full?.read(from: id, upTo: end, into: buffer) ?? .missing(upTo: end)
        }
    }

    /// Frames the events from `id` on, up to but without `end`, for all readers that wait for `id`.
    ///
    /// - Returns: nil where they are not all here, or are more than `EventBatch.maximumBytes`.
    func batch(_ detail: EventDetail, from id: UInt64, upTo end: UInt64) -> EventBatch? {
        switch detail {
        case .summary: summary?.batch(from: id, upTo: end)
        case .full: full?.batch(from: id, upTo: end)
        }
    }

    private static func append(
        _ id: UInt64,
        _ name: StaticString,
        to log: inout EventLog?,
        _ renderer: inout EventRenderer,
        _ write: (inout ByteBuffer) -> Void
    ) {
        guard let limit = log?.maximumFrameBytes else { return }
        renderer.render(id: id, name: name, limit: limit, write)
        unsafe renderer.frame.withUnsafeBytes { unsafe log?.append($0) }
    }
}

/// Renders events one after the other in memory that it keeps.
struct EventRenderer: ~Copyable {
    private(set) var frame = ByteBuffer()
    private var data = ByteBuffer()

    /// Renders an event; one whose frame is longer than `limit` says only how long its data was.
    mutating func render(
        id: UInt64,
        name: StaticString,
        limit: Int,
        _ write: (inout ByteBuffer) -> Void
    ) {
        data.removeAll()
        write(&data)
        renderFrame(id, name)
        guard frame.count > limit else { return }
        let omitted = data.count
        data.removeAll()
        data.append("{\"omitted_bytes\":")
        data.append(decimal: omitted)
        data.append("}")
        renderFrame(id, name)
    }

    private mutating func renderFrame(_ id: UInt64, _ name: StaticString) {
        frame.removeAll()
        EventRenderer.render(id, name, data, into: &frame)
    }

    private static func render(
        _ id: UInt64,
        _ name: StaticString,
        _ data: borrowing ByteBuffer,
        into frame: inout ByteBuffer
    ) {
        unsafe data.withUnsafeBytes { data in
            unsafe EventFrame.render(id: id, name: name, data: data, into: &frame)
        }
    }
}
