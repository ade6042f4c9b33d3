internal import KernelHeap

/// An argument as `CallArguments` keeps it.
enum DecodedArgument {
    case word(UInt64)
    case payload(ArgumentPayload)
}

/// Reads one argument by its parameter's type.
struct ArgumentDecoder {
    let parameter: PreparedParameter
    let tables: MachineTables
    let references: CallReferences?

    /// The argument at `place`.
    ///
    /// - Throws: `wrong-type`, `out-of-range`, `unknown-name`, `unknown-reference` or
    ///   `invalid-value`, with the place and what would be valid there.
    func decode(_ place: ArgumentPlace) throws(Problem) -> DecodedArgument {
        switch parameter.type {
        case .bytes:
            let bytes = try PayloadDecoder.bytes(place)
            try checkLength(bytes.count, "bytes", place)
            return .payload(.bytes(bytes))
        case .text:
            let text = try PayloadDecoder.text(place)
            try checkLength(text.utf8.count, "bytes", place)
            return .payload(.text(text))
        case .cString: return try string(place)
        case .driver:
            return .payload(.driver(try DriverDecoder.driver(place, tables: tables)))
        case .steps:
            return .payload(.driver(try DriverDecoder.action(place, tables: tables)))
        case .addresses:
            let words = try addresses(place)
            try checkLength(words.count, "addresses", place)
            return .payload(.words(words))
        default: break
        }
        switch place {
        case .json(let value): return try decode(value, place)
        case .field(_, let text): return try decode(text, place)
        }
    }

    private func decode(
        _ value: JSONValue,
        _ place: ArgumentPlace
    ) throws(Problem) -> DecodedArgument {
        switch value.kind {
        case .unsigned:
            return .word(try word(value.number, isNegative: false, isFrame: true, place))
        case .negative:
            let magnitude = Int64(bitPattern: value.number).magnitude
            return .word(try word(magnitude, isNegative: true, isFrame: true, place))
        case .string: return try decode(value.text, place)
        case .big: throw beyond64Bits(place)
        case .null where isPointer: return .word(0)
        case .yes where parameter.type == .boolean: return .word(1)
        case .no where parameter.type == .boolean: return .word(0)
        case .array:
            switch parameter.type {
            case .gfp, .names: return .word(try flagList(value))
            default: throw wrongType(place)
            }
        default: throw wrongType(place)
        }
    }

    private func decode(
        _ text: ByteSlice,
        _ place: ArgumentPlace
    ) throws(Problem) -> DecodedArgument {
        if text.first == UInt8(ascii: "$"), let references, takesReference {
            let value = try references.value(of: text, at: place)
            return .word(try word(value, isNegative: false, isFrame: false, place))
        }
        switch parameter.type {
        case .gfp, .names: return .word(try flags(text, place))
        case .boolean: return .word(try ArgumentDecoder.boolean(place) ? 1 : 0)
        default: break
        }
        switch IntegerText(text) {
        case .value(let magnitude, let isNegative, let isHexadecimal):
            return .word(
                try word(magnitude, isNegative: isNegative, isFrame: !isHexadecimal, place)
            )
        case .tooLarge: throw beyond64Bits(place)
        case .notANumber:
            if hasNames, !text.isEmpty {
                return .payload(.text(String(text)))
            }
            throw wrongType(place)
        }
    }

    /// Checks a number against the parameter's range and gives the word that the engine takes.
    ///
    /// A `struct page *` is a PFN where `isFrame` says that it was written as a plain number.
    private func word(
        _ magnitude: UInt64,
        isNegative: Bool,
        isFrame: Bool,
        _ place: ArgumentPlace
    ) throws(Problem) -> UInt64 {
        let isNegative = isNegative && magnitude != 0
        switch parameter.type {
        case .signed(let bits):
            let limit: UInt64 = 1 << UInt64(min(max(bits, 1), 64) - 1)
            guard magnitude < limit || (isNegative && magnitude == limit) else {
                throw outOfRange(place, "-\(limit)…\(limit - 1)")
            }
            if let maximum = parameter.maximum, !isNegative, magnitude > maximum {
                throw outOfRange(place, "-\(limit)…\(maximum)")
            }
            return isNegative ? 0 &- magnitude : magnitude
        case .unsigned(let declared):
            // A `size_t` has the machine's word.
            let isNarrow = tables.layout.is32Bit && !parameter.isFixedWidth
            let bits = isNarrow ? min(declared, 32) : declared
            let width = bits >= 64 ? UInt64.max : (1 << UInt64(max(bits, 1))) - 1
            let limit = min(width, parameter.maximum ?? width)
            guard !isNegative, magnitude <= limit else { throw outOfRange(place, "0…\(limit)") }
            return magnitude
        case .gfp:
            let limit: UInt64 = 1 << UInt64(min(max(tables.profile.gfp.bitCount, 1), 32))
            guard !isNegative, magnitude < limit else {
                throw outOfRange(place, "0…0x" + String(limit - 1, radix: 16))
            }
            let number = UInt32(truncatingIfNeeded: magnitude)
            return UInt64(tables.profile.gfp.flags(number: number).rawValue)
        case .page where isFrame && !isNegative:
            guard let address = tables.pageAddress(ofFrame: magnitude) else {
                throw outOfRange(place, "a PFN whose struct page lies in the address space")
            }
            return address
        case .boolean:
            guard !isNegative, magnitude <= 1 else { throw outOfRange(place, "0…1") }
            return magnitude
        default:
            let isNarrow = isPointer && !parameter.isFixedWidth
            let mask = isNarrow ? tables.layout.addressMask : .max
            guard !isNegative, magnitude <= mask else {
                throw outOfRange(place, "0…0x" + String(mask, radix: 16))
            }
            return magnitude
        }
    }

    /// A C string: text as it is, `{"address": …}` for one in kernel memory, null for none.
    private func string(_ place: ArgumentPlace) throws(Problem) -> DecodedArgument {
        if case .json(let value) = place, value.kind != .string {
            if value.kind == .null { return .word(0) }
            guard let address = addressOfString(value) else { throw wrongType(place) }
            return try pointerDecoder.decode(.json(address))
        }
        let text = try PayloadDecoder.text(place)
        try checkLength(text.utf8.count, "bytes", place)
        return .payload(.text(text))
    }

    /// What stands for the address of a C string; nil where it is not given by its address.
    func addressOfString(_ value: JSONValue) -> JSONValue? {
        guard parameter.type == .cString, value.kind == .object, value.count == 1 else {
            return nil
        }
        return value.member("address")
    }

    /// Reads a pointer that is a part of the argument.
    private var pointerDecoder: ArgumentDecoder {
        ArgumentDecoder(
            parameter: PreparedParameter(Parameter(parameter.name, .address, "")),
            tables: tables,
            references: references
        )
    }

    private func addresses(_ place: ArgumentPlace) throws(Problem) -> [UInt64] {
        let element = pointerDecoder
        var words: [UInt64] = []
        switch place {
        case .json(let list):
            guard list.kind == .array else { throw wrongType(place) }
            words.reserveCapacity(list.count)
            for child in list.children {
                if case .word(let word) = try element.decode(.json(child)) { words.append(word) }
            }
        case .field(let name, let text):
            var start = 0
            while start < text.count {
                let end = text.firstIndex(of: UInt8(ascii: ","), from: start) ?? text.count
                let part = ArgumentPlace.field(name: name, text: text[start..<end])
                if case .word(let word) = try element.decode(part) { words.append(word) }
                start = end + 1
            }
        }
        return words
    }

    private func checkLength(_ count: Int, _ unit: String, _ place: ArgumentPlace) throws(Problem) {
        guard let maximum = parameter.maximum, UInt64(count) > maximum else { return }
        throw outOfRange(place, "0…\(maximum) \(unit)")
    }

    private var isPointer: Bool {
        switch parameter.type {
        case .address, .page, .cache, .lock, .device: true
        default: false
        }
    }

    /// Whether a name may stand for the pointer.
    private var hasNames: Bool {
        switch parameter.type {
        case .cache, .lock, .device: true
        default: false
        }
    }

    /// Whether a name that begins with `$` may stand for the argument.
    var takesReference: Bool {
        switch parameter.type {
        case .unsigned, .signed, .address, .page, .cache, .lock, .device: true
        default: false
        }
    }

    func wrongType(_ place: ArgumentPlace) -> Problem {
        var problem = Problem(
            .wrongType,
            "\"\(parameter.name)\" cannot be \(place.shown)",
            at: place.pointer
        )
        problem.valid = parameter.type.forms
        return problem
    }

    private func outOfRange(_ place: ArgumentPlace, _ range: String) -> Problem {
        var problem = Problem(
            .outOfRange,
            "\"\(parameter.name)\" is \(place.shown), outside \(range)",
            at: place.pointer
        )
        problem.valid = [range]
        return problem
    }

    private func beyond64Bits(_ place: ArgumentPlace) -> Problem {
        Problem(
            .outOfRange,
            "\"\(parameter.name)\" is \(place.shown), which does not fit 64 bits",
            at: place.pointer
        )
    }
}

extension ParameterType {
    /// How a value of this type may be written.
    var forms: [String] {
        switch self {
        case .unsigned, .signed: ["a whole number", "\"0x…\"", "\"$name+offset\" in a batch"]
        case .gfp: ["\"GFP_KERNEL|__GFP_ZERO\"", "a list of flag names", "a number"]
        case .address: ["\"0x…\"", "a whole number", "null", "\"$name+offset\" in a batch"]
        case .page: ["\"0x…\", the address of a struct page", "a PFN as a plain number"]
        case .cache: ["\"0x…\"", "the name of a cache"]
        case .lock: ["a name", "\"0x…\", the address of a spinlock_t"]
        case .device: ["the name of a device", "\"0x…\", the address of a struct device"]
        case .names(let set): set.names.map(\.name)
        case .boolean: ["true", "false"]
        case .bytes:
            [
                "{\"hex\": \"…\"}", "{\"text\": \"…\"}", "{\"base64\": \"…\"}",
                "{\"fill\": \"0xa5\", \"length\": 64}",
            ]
        case .text: ["a string"]
        case .cString: ["a string", "{\"address\": \"0x…\"}", "null"]
        case .addresses: ["a list of addresses"]
        case .steps: ["[{\"call\": …, \"as\": …}, …]"]
        case .driver: ["{\"read\": [{\"call\": …, \"as\": …}, {\"return\": …}], …}"]
        }
    }
}
