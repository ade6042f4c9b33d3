/// Reads the members of a strict object: unknown and repeated names are refused.
struct ObjectReader {
    private let object: JSONValue
    private let what: String
    private var names: [String] = []
    private var seen = 0

    /// Takes a value that must be an object.
    ///
    /// - Parameters:
    ///   - value: the object.
    ///   - what: what the object describes, for problems: `a zone`.
    /// - Throws: `wrong-type` where it is none.
    init(_ value: JSONValue, _ what: String) throws(Problem) {
        guard value.kind == .object else {
            throw Problem(
                .wrongType,
                "\(what) must be an object, not \(value.kind.name)",
                at: value
            )
        }
        object = value
        self.what = what
    }

    /// The member of that name, or nil where it is absent or null.
    mutating func optional(_ name: StaticString) throws(Problem) -> JSONValue? {
        names.append("\(name)")
        var found: JSONValue?
        for member in object.children where member.key == name {
            guard found == nil else {
                throw Problem(.duplicateField, "\"\(name)\" is given twice", at: member)
            }
            found = member
            seen += 1
        }
        return found?.kind == .null ? nil : found
    }

    /// Ends the reading.
    ///
    /// - Throws: `unknown-field` for a member that was not asked for.
    func finish() throws(Problem) {
        guard seen < object.count else { return }
        for member in object.children where !names.contains(String(member.key)) {
            throw Problem(
                .unknownField,
                "\(what) has no \"\(shortened(member.key))\"",
                at: member
            ).suggesting(member.key, from: names)
        }
    }

    mutating func number(_ name: StaticString, _ target: inout UInt64) throws(Problem) {
        if let value = try optional(name) { target = try value.wholeNumber() }
    }

    mutating func number(_ name: StaticString, _ target: inout Int) throws(Problem) {
        if let value = try optional(name) {
            target = try ArgumentDecoder.number(.json(value), below: 1 << 31)
        }
    }

    mutating func text(
        _ name: StaticString,
        _ target: inout String,
        limit: Int
    ) throws(Problem) {
        if let value = try optional(name) { target = try value.string(limit: limit) }
    }
}

extension JSONValue {
    /// A whole number in 0 … 2⁶⁴ − 1, plain or as text.
    func wholeNumber() throws(Problem) -> UInt64 {
        if kind == .unsigned { return number }
        if kind == .string, let number = IntegerText(text).unsigned { return number }
        throw Problem(.wrongType, "\(shown) is not a whole number of at most 64 bits", at: self)
    }

    /// A string of at most `limit` bytes.
    func string(limit: Int) throws(Problem) -> String {
        guard kind == .string else { throw Problem(.wrongType, "\(shown) is no string", at: self) }
        guard text.count <= limit else {
            throw Problem(.outOfRange, "longer than \(limit) bytes", at: self)
        }
        return String(text)
    }

    /// The elements of an array.
    func elements() throws(Problem) -> Children {
        guard kind == .array else { throw Problem(.wrongType, "\(shown) is no array", at: self) }
        return children
    }

    /// An array of whole numbers.
    func wholeNumbers() throws(Problem) -> [UInt64] {
        var numbers: [UInt64] = []
        for element in try elements() { numbers.append(try element.wholeNumber()) }
        return numbers
    }

    /// A number of bytes, plain or as `"512M"`: K, M, G and T are powers of 1,024.
    func byteCount() throws(Problem) -> UInt64 {
        guard kind == .string, let last = text.isEmpty ? nil : text[text.count - 1] else {
            return try wholeNumber()
        }
        let shift: UInt64
        switch last | 0x20 {
        case UInt8(ascii: "k"): shift = 10
        case UInt8(ascii: "m"): shift = 20
        case UInt8(ascii: "g"): shift = 30
        case UInt8(ascii: "t"): shift = 40
        default: return try wholeNumber()
        }
        guard let count = IntegerText(text[0..<text.count - 1]).unsigned, count >> (64 - shift) == 0
        else {
            throw Problem(
                .invalidValue,
                "\(shown) is no number of bytes such as \"512M\"",
                at: self
            )
        }
        return count << shift
    }
}
