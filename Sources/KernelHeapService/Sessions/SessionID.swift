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
        unsafe digits.withUnsafeBytes { bytes -> UInt64? in
            var value: UInt64 = 0
            for index in 0..<bytes.count {
                // One spelling only: upper-case digits name no session.
                let byte = unsafe bytes[index]
                let number = byte &- UInt8(ascii: "0")
                let letter = byte &- UInt8(ascii: "a")
                guard number < 10 || letter < 6 else { return nil }
                value = value << 4 | UInt64(number < 10 ? number : letter &+ 10)
            }
            return value
        }
    }

    private static func padded(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
