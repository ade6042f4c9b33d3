/// A whole number as a client wrote it: digits, or `0x` and hexadecimal digits, or either negated.
enum IntegerText {
    case value(magnitude: UInt64, isNegative: Bool, isHexadecimal: Bool)
    case tooLarge
    case notANumber

    init(_ text: ByteSlice) {
        let isNegative = text.first == UInt8(ascii: "-")
        let unsigned = text.dropFirst(isNegative ? 1 : 0)
        let isHexadecimal =
            unsigned.count > 2 && unsigned[0] == UInt8(ascii: "0")
            && unsigned[1] | 0x20 == UInt8(ascii: "x")
        let digits = unsigned.dropFirst(isHexadecimal ? 2 : 0)
        guard !digits.isEmpty else {
            self = .notANumber
            return
        }
        var value: UInt64 = 0
        var isTooLarge = false
        for index in 0..<digits.count {
            guard let digit = hexadecimalValue(digits[index]), isHexadecimal || digit < 10 else {
                self = .notANumber
                return
            }
            let scaled = value.multipliedReportingOverflow(by: isHexadecimal ? 16 : 10)
            let sum = scaled.partialValue.addingReportingOverflow(UInt64(digit))
            isTooLarge = isTooLarge || scaled.overflow || sum.overflow
            value = sum.partialValue
        }
        self =
            isTooLarge
            ? .tooLarge
            : .value(magnitude: value, isNegative: isNegative, isHexadecimal: isHexadecimal)
    }

    /// The number, where it is one in 0 … 2⁶⁴ − 1.
    var unsigned: UInt64? {
        guard case .value(let magnitude, let isNegative, _) = self else { return nil }
        return isNegative && magnitude != 0 ? nil : magnitude
    }
}

/// The value of a hexadecimal digit of either case, or nil.
func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
