/// Return values that later calls of a batch use by name: `"$p"`, `"$p+64"`.
struct CallReferences {
    /// No batch keeps more names.
    static let maximumCount = 1 << 18

    private var values: [String: UInt64] = [:]

    var isFull: Bool { values.count >= CallReferences.maximumCount }
    func contains(_ name: String) -> Bool { values[name] != nil }

    var names: [String] { values.keys.sorted() }

    /// Keeps a call's return value; a name may be given anew.
    mutating func set(_ name: String, to value: UInt64) { values[name] = value }

    /// Forgets a name whose call returned nothing.
    mutating func remove(_ name: String) { values[name] = nil }

    /// The value of a reference as it is written, with its offset.
    ///
    /// - Throws: `unknown-reference` where no earlier call has that name, `out-of-range` where the
    ///   sum leaves 64 bits.
    func value(of text: ByteSlice, at place: ArgumentPlace) throws(Problem) -> UInt64 {
        let body = text.dropFirst(1)
        var split = body.firstIndex(of: UInt8(ascii: "+"))
        if split == nil { split = body.firstIndex(of: UInt8(ascii: "-")) }
        let name = body[0..<(split ?? body.count)]
        guard let base = values[String(name)] else {
            throw Problem(
                .unknownReference,
                "no earlier call of this batch has \"as\" \"\(shortened(name))\"",
                at: place.pointer
            ).suggesting(name, from: names)
        }
        guard let split else { return base }
        guard let offset = IntegerText(body.dropFirst(split + 1)).unsigned else {
            throw Problem(
                .invalidValue,
                "the offset in \(place.shown) is no number",
                at: place.pointer
            )
        }
        let (sum, overflow) =
            body[split] == UInt8(ascii: "+")
            ? base.addingReportingOverflow(offset) : base.subtractingReportingOverflow(offset)
        guard !overflow else {
            throw Problem(.outOfRange, "\(place.shown) leaves 64 bits", at: place.pointer)
        }
        return sum
    }
}

/// Where an argument stands: in a JSON document, or in a form or query field.
enum ArgumentPlace {
    case json(JSONValue)
    case field(name: ByteSlice, text: ByteSlice)

    var pointer: String {
        switch self {
        case .json(let value): value.pointer
        case .field(let name, _): "/" + shortened(name)
        }
    }

    var shown: String {
        switch self {
        case .json(let value): value.shown
        case .field(_, let text): "\"" + shortened(text) + "\""
        }
    }
}
