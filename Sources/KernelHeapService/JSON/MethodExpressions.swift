internal import KernelHeap

/// Reads the values and conditions of a method's steps: `$count-$left`, `!$p`, `$cmd == 3`.
struct MethodExpressions {
    private let method: DeviceMethod
    /// The driver's variables in the order of their numbers.
    private let variables: [String]

    init(_ method: DeviceMethod, _ variables: [String]) {
        self.method = method
        self.variables = variables
    }

    /// A number, `-ENOMEM`, a variable, or a variable plus or minus one of these.
    func value(_ value: JSONValue) throws(Problem) -> MethodValue {
        switch value.kind {
        case .unsigned, .negative: return MethodValue(.constant(value.number))
        case .string: return try self.value(value.text, at: value)
        default:
            throw Problem(.wrongType, "a value cannot be \(value.shown)", at: value)
        }
    }

    /// `$p` holds when it is not 0, `!$p` when it is; else two values with a comparison between.
    func condition(_ value: JSONValue) throws(Problem) -> MethodCondition {
        guard value.kind == .string else {
            throw Problem(.wrongType, "a condition must be a string", at: value)
        }
        let words = split(value.text)
        let zero = MethodValue(.constant(0))
        switch words.count {
        case 1:
            let isNegated = words[0].first == UInt8(ascii: "!")
            let operand = isNegated ? words[0].dropFirst(1) : words[0]
            let left = try self.value(operand, at: value)
            return MethodCondition(left, isNegated ? .equal : .notEqual, zero)
        case 3:
            let relations = MethodCondition.Relation.allCases
            guard let relation = relations.first(where: { words[1] == Array($0.rawValue.utf8) })
            else {
                throw Problem(
                    .invalidValue,
                    "\"\(shortened(words[1]))\" compares nothing",
                    at: value
                ).suggesting(words[1], from: relations.map(\.rawValue))
            }
            return MethodCondition(
                try self.value(words[0], at: value),
                relation,
                try self.value(words[2], at: value)
            )
        default:
            throw Problem(
                .invalidValue,
                "a condition is \"$p\", \"!$p\" or \"$a == 1\", with spaces",
                at: value
            )
        }
    }

    private func split(_ text: ByteSlice) -> [ByteSlice] {
        var words: [ByteSlice] = []
        var rest = text
        while let space = rest.firstIndex(of: UInt8(ascii: " ")) {
            if space > 0 { words.append(rest[0..<space]) }
            rest = rest.dropFirst(space + 1)
        }
        if !rest.isEmpty { words.append(rest) }
        return words
    }

    private func value(_ text: ByteSlice, at place: JSONValue) throws(Problem) -> MethodValue {
        guard text.first == UInt8(ascii: "$") else {
            return MethodValue(try operand(text, at: place))
        }
        let plus = text.firstIndex(of: UInt8(ascii: "+"))
        let minus = text.firstIndex(of: UInt8(ascii: "-"))
        guard let sign = [plus, minus].compactMap(\.self).min() else {
            return MethodValue(try operand(text, at: place))
        }
        return MethodValue(
            try operand(text[0..<sign], at: place),
            try operand(text.dropFirst(sign + 1), at: place),
            isDifference: sign == minus
        )
    }

    private func operand(
        _ text: ByteSlice,
        at place: JSONValue
    ) throws(Problem) -> MethodValue.Operand {
        if text.first == UInt8(ascii: "$") { return try variable(text.dropFirst(1), at: place) }
        if text[0..<2] == "-E" {
            let name = String(text.dropFirst(1))
            guard let errno = Errno.allCases.first(where: { $0.name == name }) else {
                throw Problem(.unknownName, "no error \"\(shortened(text))\"", at: place)
                    .suggesting(text.dropFirst(1), from: Errno.allCases.map(\.name))
            }
            return .constant(UInt64(bitPattern: -Int64(errno.rawValue)))
        }
        switch IntegerText(text) {
        case .value(let magnitude, let isNegative, _):
            return .constant(isNegative ? 0 &- magnitude : magnitude)
        case .tooLarge:
            throw Problem(.outOfRange, "\(place.shown) does not fit 64 bits", at: place)
        case .notANumber:
            throw Problem(.invalidValue, "\(place.shown) is no value", at: place)
        }
    }

    private func variable(
        _ name: ByteSlice,
        at place: JSONValue
    ) throws(Problem) -> MethodValue.Operand {
        let hidden = MethodParameter.allCases.filter { !method.parameters.contains($0) }
            .map(\.name)
        let known = variables.filter { !hidden.contains($0) }
        let text = String(name)
        guard known.contains(text), let number = variables.firstIndex(of: text) else {
            throw Problem(
                .unknownReference,
                "\(method.name) has no \"$\(shortened(name))\"",
                at: place
            ).suggesting(name, from: known)
        }
        return .variable(number)
    }
}
