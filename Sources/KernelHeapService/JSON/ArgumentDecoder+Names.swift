internal import KernelHeap

/// Flags, booleans and the members of a call's context: values that are written as names.
extension ArgumentDecoder {
    /// The bits of `A|B|0x40`, in the engine's numbering.
    func flags(_ text: ByteSlice, _ place: ArgumentPlace) throws(Problem) -> UInt64 {
        var bits: UInt64 = 0
        var start = 0
        while start <= text.count {
            let end = text.firstIndex(of: UInt8(ascii: "|"), from: start) ?? text.count
            bits |= try flag(trimmed(text[start..<end]), place)
            start = end + 1
        }
        return try engineFlags(bits, place)
    }

    /// The bits of `["A", "B"]`.
    func flagList(_ list: JSONValue) throws(Problem) -> UInt64 {
        var bits: UInt64 = 0
        for name in list.children {
            guard name.kind == .string else { throw wrongType(.json(name)) }
            bits |= try flag(trimmed(name.text), .json(name))
        }
        return try engineFlags(bits, .json(list))
    }

    private func engineFlags(_ bits: UInt64, _ place: ArgumentPlace) throws(Problem) -> UInt64 {
        guard parameter.type == .gfp else { return bits }
        guard bits >> UInt64(max(tables.profile.gfp.bitCount, 0)) == 0 else {
            throw Problem(
                .outOfRange,
                "\(place.shown) has bits that this machine's gfp_t does not have",
                at: place.pointer
            )
        }
        let number = UInt32(truncatingIfNeeded: bits)
        return UInt64(tables.profile.gfp.flags(number: number).rawValue)
    }

    private func flag(_ name: ByteSlice, _ place: ArgumentPlace) throws(Problem) -> UInt64 {
        if case .names(let set) = parameter.type {
            if let position = parameter.flagNames?.position(of: name) {
                return set.names[position].bits
            }
        } else if let number = tables.gfpNumber(named: name) {
            return UInt64(number)
        }
        if let number = IntegerText(name).unsigned { return number }
        let names = parameter.flagNames?.names ?? tables.gfpNames.names
        throw Problem(
            .unknownName,
            "no flag \"\(shortened(name))\" on this machine",
            at: place.pointer
        ).suggesting(name, from: names)
    }

    private func trimmed(_ text: ByteSlice) -> ByteSlice {
        var lower = 0
        var upper = text.count
        while lower < upper, text[lower] == UInt8(ascii: " ") { lower += 1 }
        while lower < upper, text[upper - 1] == UInt8(ascii: " ") { upper -= 1 }
        return text[lower..<upper]
    }

    /// `true`, `false`, 1 or 0.
    static func boolean(_ place: ArgumentPlace) throws(Problem) -> Bool {
        switch place {
        case .json(let value):
            switch value.kind {
            case .yes: return true
            case .no: return false
            case .unsigned where value.number <= 1: return value.number == 1
            case .string: if let truth = boolean(value.text) { return truth }
            default: break
            }
        case .field(_, let text):
            if let truth = boolean(text) { return truth }
        }
        var problem = Problem(.wrongType, "\(place.shown) is no boolean", at: place.pointer)
        problem.valid = ["true", "false"]
        throw problem
    }

    private static func boolean(_ text: ByteSlice) -> Bool? {
        if text == "true" || text == "1" { return true }
        if text == "false" || text == "0" { return false }
        return nil
    }

    /// A whole number in 0 ..< `limit`.
    static func number(_ place: ArgumentPlace, below limit: Int) throws(Problem) -> Int {
        let number: UInt64? =
            switch place {
            case .json(let value):
                switch value.kind {
                case .unsigned: value.number
                case .string: IntegerText(value.text).unsigned
                default: nil
                }
            case .field(_, let text): IntegerText(text).unsigned
            }
        guard let number, number < UInt64(max(limit, 0)) else {
            throw Problem(
                .outOfRange,
                "\(place.shown) is not a whole number in 0…\(limit - 1)",
                at: place.pointer
            )
        }
        return Int(number)
    }

    /// The kind of context a call runs in.
    static func contextKind(_ place: ArgumentPlace) throws(Problem) -> CallContext.Kind {
        let text: ByteSlice =
            switch place {
            case .json(let value): value.kind == .string ? value.text : ByteSlice()
            case .field(_, let text): text
            }
        if let kind = CallContext.Kind(rawValue: String(text[0..<16])) { return kind }
        throw Problem(
            .unknownName,
            "no context \(place.shown)",
            at: place.pointer
        ).suggesting(text, from: CallContext.Kind.allCases.map(\.rawValue))
    }
}
