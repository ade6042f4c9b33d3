/// The query of a view, its fields known to be among those that the view takes.
struct ViewQuery: Sendable {
    private struct Field {
        let name: String
        let text: String
        let number: IntegerText
    }

    private var fields: [Field] = []
    /// The client would rather have bytes than JSON.
    let prefersBytes: Bool

    /// Reads a query.
    ///
    /// - Parameters:
    ///   - query: the raw bytes behind `?`.
    ///   - view: says which fields there may be.
    ///   - prefersBytes: as of the `Accept` header.
    /// - Throws: `unknown-field`, `duplicate-field`, `malformed-form`.
    init(_ query: ByteSlice, of view: StateView, prefersBytes: Bool) throws(Problem) {
        self.prefersBytes = prefersBytes
        try FormFields.forEach(query) { (name, text) throws(Problem) in
            let place = ArgumentPlace.field(name: name, text: text)
            let key = String(name)
            guard view.parameters.contains(key) else {
                throw Problem(
                    .unknownField,
                    "\(view.name) takes no \"\(shortened(name))\"",
                    at: place.pointer
                ).suggesting(name, from: view.parameters)
            }
            guard !fields.contains(where: { $0.name == key }) else {
                throw Problem(.duplicateField, "\"\(key)\" is given twice", at: place.pointer)
            }
            fields.append(Field(name: key, text: String(text), number: IntegerText(text)))
        }
    }

    func text(_ name: String) -> String? { fields.first { $0.name == name }?.text }

    /// A whole number, or nil where the field is absent.
    ///
    /// - Throws: `wrong-type` or `out-of-range`, with the range that is valid.
    func number(_ name: String, in range: ClosedRange<UInt64>) throws(Problem) -> UInt64? {
        guard let field = fields.first(where: { $0.name == name }) else { return nil }
        if let number = field.number.unsigned, range.contains(number) { return number }
        let isNumber = if case .notANumber = field.number { false } else { true }
        var problem = Problem(
            isNumber ? .outOfRange : .wrongType,
            isNumber
                ? "\(field.text.prefix(64)) is outside \(range.lowerBound)…\(range.upperBound)"
                : "\"\(field.text.prefix(64))\" is no whole number",
            at: "/" + name
        )
        problem.valid = ["\(range.lowerBound)…\(range.upperBound)"]
        throw problem
    }

    /// A whole number in a range, with a default.
    func number(
        _ name: String,
        default value: UInt64,
        in range: ClosedRange<UInt64>
    ) throws(Problem) -> UInt64 {
        try number(name, in: range) ?? value
    }

    /// Any 64-bit value, such as an address.
    func word(_ name: String) throws(Problem) -> UInt64? {
        try number(name, in: 0...UInt64.max)
    }

    /// A field with one of a few names as its value.
    ///
    /// - Throws: `unknown-name` with the nearest of them.
    func choice<Value>(
        _ name: String,
        from names: [String],
        _ value: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text = text(name) else { return nil }
        if let value = value(text) { return value }
        let problem = Problem(
            .unknownName,
            "no \(name) \"\(text.prefix(64))\"",
            at: "/" + name
        )
        throw unsafe Array(text.utf8).withUnsafeBytes { bytes in
            unsafe problem.suggesting(ByteSlice(bytes), from: names)
        }
    }
}
