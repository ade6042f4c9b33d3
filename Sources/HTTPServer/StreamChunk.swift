/// A chunk of the chunked transfer coding (RFC 9112, 7.1): framed once, sent to many connections.
public struct StreamChunk: ~Copyable {
    let bytes: ByteBuffer

    /// Frames a copy of the bytes; nil where there are none, as an empty chunk would end the body.
    public init?(_ content: UnsafeRawBufferPointer) {
        guard content.count > 0 else { return nil }
        var framed = ByteBuffer(capacity: content.count + 32)
        framed.append(String(content.count, radix: 16))
        framed.append("\r\n")
        unsafe framed.append(content)
        framed.append("\r\n")
        bytes = framed
    }
}
