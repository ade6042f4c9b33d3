/// Reads bytes and strings that a call takes.
enum PayloadDecoder {
    /// No call takes more bytes.
    static let maximumBytes = 1 << 20
    private static let forms = ["hex", "text", "base64", "fill"]

    /// `{"hex":}`, `{"text":}`, `{"base64":}` or `{"fill":, "length":}`; in a form, plain text.
    static func bytes(_ place: ArgumentPlace) throws(Problem) -> [UInt8] {
        switch place {
        case .field(_, let text): return try checked([UInt8](text), place)
        case .json(let value):
            guard value.kind == .object else {
                var problem = Problem(
                    .wrongType,
                    "bytes cannot be \(value.kind.name)",
                    at: value
                )
                problem.valid = forms.map { "{\"\($0)\": …}" }
                throw problem
            }
            return try bytes(value)
        }
    }

    /// The form's field `data.hex=…`, `data.text=…` or `data.base64=…`.
    static func bytes(
        form: ByteSlice,
        _ text: ByteSlice,
        _ place: ArgumentPlace
    ) throws(Problem) -> [UInt8] {
        if form == "hex" { return try checked(hexadecimal(text, place), place) }
        if form == "text" { return try checked([UInt8](text), place) }
        if form == "base64" { return try checked(base64(text, place), place) }
        throw Problem(
            .unknownField,
            "bytes have no form \"\(shortened(form))\"",
            at: place.pointer
        ).suggesting(form, from: forms)
    }

    /// A C string: no NUL may stand inside.
    static func text(_ place: ArgumentPlace) throws(Problem) -> String {
        let text: ByteSlice
        switch place {
        case .field(_, let field): text = field
        case .json(let value):
            guard value.kind == .string else {
                throw Problem(.wrongType, "not a string: \(value.shown)", at: value)
            }
            text = value.text
        }
        guard text.firstIndex(of: 0) == nil else {
            throw Problem(.invalidValue, "a C string ends at its first NUL", at: place.pointer)
        }
        guard text.count <= maximumBytes else { throw tooLong(place) }
        return String(text)
    }

    private static func bytes(_ object: JSONValue) throws(Problem) -> [UInt8] {
        var content: JSONValue?
        var length: JSONValue?
        for member in object.children {
            if member.key == "length" {
                length = member
            } else if content != nil {
                throw Problem(.duplicateField, "bytes are given in two forms", at: member)
            } else {
                content = member
            }
        }
        guard let content else {
            throw Problem(.missingField, "bytes in none of the forms", at: object)
                .suggesting(ByteSlice(), from: forms)
        }
        let place = ArgumentPlace.json(content)
        if content.key == "fill" { return try filled(content, length, object) }
        if let length {
            throw Problem(.unknownField, "\"length\" goes with \"fill\" only", at: length)
        }
        guard content.kind == .string else {
            throw Problem(.wrongType, "not a string: \(content.shown)", at: content)
        }
        return try bytes(form: content.key, content.text, place)
    }

    private static func filled(
        _ fill: JSONValue,
        _ length: JSONValue?,
        _ object: JSONValue
    ) throws(Problem) -> [UInt8] {
        guard let length else {
            throw Problem(.missingField, "\"fill\" needs a \"length\"", at: object)
        }
        let byte = try ArgumentDecoder.number(.json(fill), below: 256)
        let count = try ArgumentDecoder.number(.json(length), below: maximumBytes + 1)
        return [UInt8](repeating: UInt8(truncatingIfNeeded: byte), count: count)
    }

    private static func hexadecimal(
        _ text: ByteSlice,
        _ place: ArgumentPlace
    ) throws(Problem) -> [UInt8] {
        guard text.count % 2 == 0 else {
            throw Problem(.invalidValue, "an odd number of digits", at: place.pointer)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = hexadecimalValue(text[index]),
                let low = hexadecimalValue(text[index + 1])
            else {
                throw Problem(
                    .invalidValue,
                    "no hexadecimal digits at character \(index)",
                    at: place.pointer
                )
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func base64(
        _ text: ByteSlice,
        _ place: ArgumentPlace
    ) throws(Problem) -> [UInt8] {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end / 4 * 3 + 2)
        var group: UInt32 = 0
        for index in 0..<end {
            guard let digit = base64Value(text[index]) else {
                throw Problem(
                    .invalidValue,
                    "character \(index) is not base64",
                    at: place.pointer
                )
            }
            group = group << 6 | UInt32(digit)
            if index % 4 != 0 {
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(6 - index % 4 * 2)))
            }
        }
        guard end % 4 != 1 else {
            throw Problem(.invalidValue, "base64 ends inside a byte", at: place.pointer)
        }
        return bytes
    }

    private static func base64Value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func checked(
        _ bytes: [UInt8],
        _ place: ArgumentPlace
    ) throws(Problem) -> [UInt8] {
        guard bytes.count <= maximumBytes else { throw tooLong(place) }
        return bytes
    }

    private static func tooLong(_ place: ArgumentPlace) -> Problem {
        Problem(.outOfRange, "longer than \(maximumBytes) bytes", at: place.pointer)
    }
}
