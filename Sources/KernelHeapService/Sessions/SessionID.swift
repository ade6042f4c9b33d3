/// The name of a session in paths: 128 unguessable bits as 32 hexadecimal digits.
public struct SessionID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    static let textLength = 32

    /// Draws a new one from the system's secure randomness.
    init() {
        var generator = SystemRandomNumberGenerator()
        high = generator.next()
        low = generator.next()
    }

    /// Reads the text of an id; nil where it is none.
    init?(_ text: ByteSlice) {
        guard text.count == SessionID.textLength,
            let high = SessionID.half(text[0..<16]),
            let low = SessionID.half(text[16..<32])
        else { return nil }
        self.high = high
        self.low = low
    }

    public var text: String {
        SessionID.padded(high) + SessionID.padded(low)
    }

    private static func half(_ digits: ByteSlice) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<digits.count {
            // One spelling only: upper-case digits name no session.
            let byte = digits[index]
            guard byte < UInt8(ascii: "A") || byte > UInt8(ascii: "F"),
                let digit = hexadecimalValue(byte)
            else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func padded(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
