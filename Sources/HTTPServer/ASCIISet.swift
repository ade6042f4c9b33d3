/// A set of ASCII characters as two words: a test is a shift and a mask.
struct ASCIISet {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// The characters of the text; others than ASCII are ignored.
    init(_ text: StaticString) {
        for byte in String(describing: text).utf8 { insert(byte) }
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : byte < 128 ? high : 0
        return word >> UInt64(byte & 63) & 1 != 0
    }

    @inline(__always)
    func containsAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for index in 0..<bytes.count where unsafe !contains(bytes[index]) { return false }
        return true
    }

    private mutating func insert(_ byte: UInt8) {
        if byte < 64 {
            low |= 1 << UInt64(byte)
        } else if byte < 128 {
            high |= 1 << UInt64(byte & 63)
        }
    }

    /// `token`, RFC 9110, 5.6.2: header names.
    static let token = ASCIISet(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
    /// A list of header names.
    static let headerList = ASCIISet(
        "!#$%&'*+-.^_`|~, 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
    /// Paths and queries as browsers and curl send them: the URI characters of RFC 3986, and the
    /// brackets, braces, bars and carets that they leave as they are.
    static let target = ASCIISet(
        "/?:@!$&'()*+,;=-._~%[]{}|^`0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
}

/// Comparisons of raw bytes with names, without case.
enum ASCII {
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 65 < 26 ? byte | 0x20 : byte
    }

    /// Whether the bytes spell `name`, which is lower case.
    static func equal(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard bytes.count == name.utf8CodeUnitCount else { return false }
        let expected = unsafe name.utf8Start
        for index in 0..<bytes.count
        where unsafe lowercased(bytes[index]) != expected[index] {
            return false
        }
        return true
    }

    /// Whether the bytes spell `name`, which is lower case.
    static func equal(_ bytes: UnsafeRawBufferPointer, _ name: [UInt8]) -> Bool {
        guard bytes.count == name.count else { return false }
        for index in 0..<bytes.count where unsafe lowercased(bytes[index]) != name[index] {
            return false
        }
        return true
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || lowercased(byte) &- 97 < 6
    }
}
