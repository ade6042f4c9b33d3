internal import HTTPServer

/// Writes JSON into a response's bytes.
///
/// Keys are fragments with their comma and colon (`,"errno":"`), so that a whole answer is a
/// handful of copies; only values are formatted.
struct JSONWriter: ~Copyable {
    private(set) var buffer: ByteBuffer

    init(capacity: Int = 512) { buffer = ByteBuffer(capacity: capacity) }

    /// Writes on behind what a buffer already holds.
    init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }

    var count: Int { buffer.count }

    /// The bytes written; the writer ends.
    consuming func finish() -> ByteBuffer { buffer }

    mutating func removeAll() { buffer.removeAll() }

    /// Text that is already JSON.
    @inline(__always)
    mutating func raw(_ text: StaticString) { buffer.append(text) }

    @inline(__always)
    mutating func raw(_ bytes: [UInt8]) { buffer.append(bytes) }

    @inline(__always)
    mutating func byte(_ byte: UInt8) { buffer.append(byte) }

    mutating func boolean(_ value: Bool) { buffer.append(value ? "true" : "false") }

    mutating func number(_ value: some FixedWidthInteger) {
        if value < 0 { buffer.append(UInt8(ascii: "-")) }
        digits(UInt64(value.magnitude))
    }

    /// `"0x…"`, in quotes.
    mutating func address(_ value: UInt64) {
        buffer.append("\"0x")
        hexadecimal(value)
        buffer.append(UInt8(ascii: "\""))
    }

    /// A byte string as hexadecimal digits, in quotes.
    mutating func hexadecimal(_ bytes: [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        for byte in bytes {
            buffer.append(hexadecimalDigit(byte >> 4))
            buffer.append(hexadecimalDigit(byte & 0xf))
        }
        buffer.append(UInt8(ascii: "\""))
    }

    /// A string with its quotes, escaped as JSON demands.
    mutating func string(_ text: String) {
        var text = text
        buffer.append(UInt8(ascii: "\""))
        text.withUTF8 { unsafe escaped(UnsafeRawBufferPointer($0)) }
        buffer.append(UInt8(ascii: "\""))
    }

    /// A list of strings.
    mutating func strings(_ list: some Sequence<String>) {
        raw("[")
        var isFirst = true
        for text in list {
            if !isFirst { raw(",") }
            isFirst = false
            string(text)
        }
        raw("]")
    }

    private mutating func escaped(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
                continue
            }
            unsafe buffer.append(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
            start = index + 1
            escape(byte)
        }
        unsafe buffer.append(UnsafeRawBufferPointer(rebasing: bytes[start..<bytes.count]))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): raw("\\\"")
        case UInt8(ascii: "\\"): raw("\\\\")
        case UInt8(ascii: "\n"): raw("\\n")
        case UInt8(ascii: "\r"): raw("\\r")
        case UInt8(ascii: "\t"): raw("\\t")
        default:
            raw("\\u00")
            buffer.append(hexadecimalDigit(byte >> 4))
            buffer.append(hexadecimalDigit(byte & 0xf))
        }
    }

    private mutating func digits(_ value: UInt64) {
        var text = InlineArray<20, UInt8>(repeating: 0)
        var index = 20
        var rest = value
        repeat {
            index -= 1
            text[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest != 0
        append(text.span, from: index)
    }

    private mutating func hexadecimal(_ value: UInt64) {
        var text = InlineArray<20, UInt8>(repeating: 0)
        var index = 20
        var rest = value
        repeat {
            index -= 1
            text[index] = hexadecimalDigit(UInt8(truncatingIfNeeded: rest & 0xf))
            rest >>= 4
        } while rest != 0
        append(text.span, from: index)
    }

    private mutating func append(_ text: Span<UInt8>, from index: Int) {
        unsafe text.withUnsafeBytes { bytes in
            unsafe buffer.append(UnsafeRawBufferPointer(rebasing: bytes[index...]))
        }
    }
}

/// The lower-case digit of a value below 16.
@inline(__always)
func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &- 10 &+ value
}
