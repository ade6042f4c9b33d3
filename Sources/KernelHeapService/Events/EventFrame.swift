import HTTPServer
internal import KernelHeap

/// The text form of server-sent events.
enum EventFrame {
    /// Sent first: after how many milliseconds a client that lost us tries again.
    static let greeting: StaticString = "retry: 2000\n\n"
    /// Keeps proxies and clients from giving a quiet stream up.
    static let heartbeat: StaticString = ": alive\n\n"

    /// Renders one event.
    ///
    /// Line ends in the data begin further `data:` lines.
    static func render(
        id: UInt64,
        name: StaticString,
        data: UnsafeRawBufferPointer,
        into frame: inout ByteBuffer
    ) {
        frame.append("id: ")
        frame.append(decimal: id)
        frame.append("\nevent: ")
        frame.append(name)
        frame.append("\ndata: ")
        var rest = unsafe data[...]
        while let end = unsafe rest.firstIndex(where: { $0 == 10 || $0 == 13 }) {
            unsafe frame.append(UnsafeRawBufferPointer(rebasing: rest[..<end]))
            frame.append("\ndata: ")
            unsafe rest = rest[(end + 1)...]
        }
        unsafe frame.append(UnsafeRawBufferPointer(rebasing: rest))
        frame.append("\n\n")
    }

    /// Renders how far a call is: no event of the machine's, and so without an id.
    static func render(_ progress: CallProgress, into frame: inout ByteBuffer) {
        frame.append("event: progress\ndata: {\"seq\":")
        frame.append(decimal: progress.call)
        frame.append(",\"call\":\"")
        frame.append(progress.function)
        frame.append("\",\"done\":")
        frame.append(decimal: progress.done)
        frame.append(",\"total\":")
        frame.append(decimal: progress.total)
        frame.append("}\n\n")
    }

    /// Tells a reader which events it will not get: ids `from` to `to`, both included.
    ///
    /// - Parameters:
    ///   - from: The first id that is missing.
    ///   - to: The last one, and the id that a reader resumes behind.
    ///   - isReset: The reader knows ids that this session never gave.
    ///   - frame: Where the event is appended.
    static func renderGap(
        from: UInt64,
        to: UInt64,
        isReset: Bool,
        into frame: inout ByteBuffer
    ) {
        frame.append("id: ")
        frame.append(decimal: to)
        frame.append("\nevent: gap\ndata: {\"from\":")
        frame.append(decimal: from)
        frame.append(",\"to\":")
        frame.append(decimal: to)
        if isReset { frame.append(",\"reset\":true") }
        frame.append("}\n\n")
    }
}
