internal import HTTPServer

/// Members of objects that are written value by value, for answers that are not on the hot path.
extension JSONWriter {
    /// `{`, the members that `body` writes, `}`.
    mutating func object(_ body: (inout JSONWriter) -> Void) {
        raw("{")
        body(&self)
        raw("}")
    }

    /// A member's name; a comma stands before all but the first.
    mutating func name(_ name: StaticString) {
        let isFirst = unsafe buffer.withUnsafeBytes { unsafe $0.last == UInt8(ascii: "{") }
        raw(isFirst ? "\"" : ",\"")
        raw(name)
        raw("\":")
    }

    mutating func member(_ name: StaticString, _ value: some FixedWidthInteger) {
        self.name(name)
        number(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        boolean(value)
    }

    mutating func member(_ name: StaticString, _ value: String) {
        self.name(name)
        string(value)
    }

    /// A number, or `null`.
    mutating func member(_ name: StaticString, orNull value: UInt64?) {
        self.name(name)
        if let value { number(value) } else { raw("null") }
    }

    /// A string, or `null`.
    mutating func member(_ name: StaticString, orNull value: String?) {
        self.name(name)
        if let value { string(value) } else { raw("null") }
    }

    /// A 64-bit value as `"0x…"`.
    mutating func member(_ name: StaticString, address value: UInt64) {
        self.name(name)
        address(value)
    }

    /// An address, or `null`.
    mutating func member(_ name: StaticString, addressOrNull value: UInt64?) {
        self.name(name)
        if let value { address(value) } else { raw("null") }
    }

    mutating func member(_ name: StaticString, object body: (inout JSONWriter) -> Void) {
        self.name(name)
        object(body)
    }

    /// An array whose elements are objects.
    mutating func member<Element>(
        _ name: StaticString,
        objects elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        self.name(name)
        list(elements) { (json, element) in json.object { body(&$0, element) } }
    }

    /// Counts by a name that is not known beforehand.
    mutating func member(_ name: StaticString, counts: some Sequence<(String, UInt64)>) {
        self.name(name)
        raw("{")
        var isFirst = true
        for (key, value) in counts {
            if !isFirst { raw(",") }
            isFirst = false
            string(key)
            raw(":")
            number(value)
        }
        raw("}")
    }
}
