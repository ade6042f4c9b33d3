/// Walks the fields of a form body or of a query: `size=192&flags=GFP_KERNEL`.
enum FormFields {
    /// A form with more fields is refused.
    static let maximumFields = 1_024

    /// Hands each field with its name and value, percent-decoded, to `body`.
    ///
    /// - Throws: `malformed-form` for a broken `%` escape or too many fields, and what `body` throws.
    static func forEach(
        _ form: ByteSlice,
        _ body: (_ name: ByteSlice, _ text: ByteSlice) throws(Problem) -> Void
    ) throws(Problem) {
        guard !form.isEmpty else { return }
        // Decoding only shrinks, so one copy of the form holds every field. A field may hold JSON,
        // whose reader looks beyond the text's end.
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: form.count + JSONParser.padding,
            alignment: 1
        )
        defer { unsafe scratch.deallocate() }
        var start = 0
        var fieldCount = 0
        while start < form.count {
            let end = form.firstIndex(of: UInt8(ascii: "&"), from: start) ?? form.count
            let field = form[start..<end]
            start = end + 1
            if field.isEmpty { continue }
            fieldCount += 1
            guard fieldCount <= maximumFields else {
                throw Problem(.malformedForm, "more than \(maximumFields) fields")
            }
            let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? field.count
            let nameCount = try unsafe decode(field[0..<equals], into: scratch)
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[nameCount...])
            let textCount = try unsafe decode(field.dropFirst(equals + 1), into: rest)
            try body(
                unsafe ByteSlice(UnsafeRawBufferPointer(rebasing: scratch[..<nameCount])),
                unsafe ByteSlice(UnsafeRawBufferPointer(rebasing: rest[..<textCount]))
            )
        }
    }

    /// The value of one field of a query, or nil.
    static func value(of name: StaticString, in query: ByteSlice) throws(Problem) -> String? {
        var value: String?
        try forEach(query) { (key, text) throws(Problem) in
            if key == name && value == nil { value = String(text) }
        }
        return value
    }

    /// Decodes `%41`, and in a form `+`; gives the number of bytes written.
    static func decode(
        _ text: ByteSlice,
        into buffer: UnsafeMutableRawBufferPointer,
        isForm: Bool = true
    ) throws(Problem) -> Int {
        var count = 0
        var index = 0
        while index < text.count {
            var byte = text[index]
            index += 1
            if isForm, byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            } else if byte == UInt8(ascii: "%") {
                guard let high = hexadecimalValue(text[index]),
                    let low = hexadecimalValue(text[index + 1])
                else {
                    throw Problem(.malformedForm, "a broken escape in \"\(shortened(text))\"")
                }
                byte = high << 4 | low
                index += 2
            }
            guard count < buffer.count else { return count }
            unsafe buffer[count] = byte
            count += 1
        }
        return count
    }
}
