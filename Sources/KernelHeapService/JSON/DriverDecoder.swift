internal import KernelHeap

/// Reads a driver: for each method a list of steps.
///
///     {"probe": [{"call": "kzalloc", "size": 64, "flags": "GFP_KERNEL", "as": "data"},
///                {"return": "-ENOMEM", "if": "!$data"}],
///      "read":  [{"call": "simple_read_from_buffer", "to": "$buf", …, "as": "n"}, {"return": "$n"}]}
///
/// `$name` is a variable: what the method was called with, or what a step `as` that name returned.
struct DriverDecoder {
    private let tables: MachineTables
    private let calls: CallTable
    private var script = DriverScript()
    /// Bytes that the steps' arguments have so far beside words.
    private var payloadBytes = 0
    /// A callback's steps, rather than a driver's methods.
    private var isAction = false

    /// Most bytes of all steps' arguments together, as of one call's.
    private static let maximumPayloadBytes = PayloadDecoder.maximumBytes

    private init(tables: MachineTables, calls: CallTable) {
        self.tables = tables
        self.calls = calls
    }

    /// The driver at a place.
    ///
    /// - Parameters:
    ///   - place: an object, or in a form the text of one.
    ///   - tables: of the machine.
    ///   - calls: that steps may name.
    /// - Returns: its methods, decoded by the signatures of the functions.
    /// - Throws: a `Problem` with the pointer of the first member that is wrong.
    static func driver(
        _ place: ArgumentPlace,
        tables: MachineTables,
        calls: CallTable = .shared
    ) throws(Problem) -> DriverScript {
        var decoder = DriverDecoder(tables: tables, calls: calls)
        switch place {
        case .json(let value): try decoder.read(value)
        case .field(_, let text):
            guard let parser = JSONParser() else {
                throw Problem(.wrongType, "no memory to read it", at: place.pointer)
            }
            // The document's values end with their parser.
            defer { withExtendedLifetime(parser) {} }
            try decoder.read(try parser.parse(text))
        }
        return decoder.script
    }

    /// What a callback does, at a place.
    ///
    /// - Parameters:
    ///   - place: a list of steps, or in a form the text of one.
    ///   - tables: of the machine.
    ///   - calls: that steps may name.
    /// - Returns: a script with one method, `action`. Its steps take no callbacks of their own.
    /// - Throws: a `Problem` with the pointer of the first member that is wrong.
    static func action(
        _ place: ArgumentPlace,
        tables: MachineTables,
        calls: CallTable = .shared
    ) throws(Problem) -> DriverScript {
        var decoder = DriverDecoder(tables: tables, calls: calls)
        decoder.isAction = true
        switch place {
        case .json(let value): try decoder.readAction(value)
        case .field(_, let text):
            guard let parser = JSONParser() else {
                throw Problem(.wrongType, "no memory to read it", at: place.pointer)
            }
            // The document's values end with their parser.
            defer { withExtendedLifetime(parser) {} }
            try decoder.readAction(try parser.parse(text))
        }
        return decoder.script
    }

    private mutating func readAction(_ list: JSONValue) throws(Problem) {
        guard list.kind == .array else {
            throw Problem(.wrongType, "a callback must be a list of steps", at: list)
        }
        try checkLength(list)
        try read([(.action, list)])
    }

    private func checkLength(_ list: JSONValue) throws(Problem) {
        guard list.count <= DriverScript.maximumSteps else {
            throw Problem(
                .outOfRange,
                "a method has at most \(DriverScript.maximumSteps) steps",
                at: list
            )
        }
    }

    private mutating func read(_ driver: JSONValue) throws(Problem) {
        guard driver.kind == .object else {
            throw Problem(.wrongType, "a driver must be an object of methods", at: driver)
        }
        var methods: [(DeviceMethod, JSONValue)] = []
        let names = DeviceMethod.ofDriver.map(\.name)
        for member in driver.children {
            guard
                let method = DeviceMethod.ofDriver.first(where: {
                    member.key == Array($0.name.utf8)
                })
            else {
                throw Problem(
                    .unknownField,
                    "a driver has no method \"\(shortened(member.key))\"",
                    at: member
                ).suggesting(member.key, from: names)
            }
            guard !methods.contains(where: { $0.0 == method }) else {
                throw Problem(.duplicateField, "\"\(method.name)\" is given twice", at: member)
            }
            guard member.kind == .array else {
                throw Problem(.wrongType, "a method must be a list of steps", at: member)
            }
            try checkLength(member)
            methods.append((method, member))
        }
        try read(methods)
    }

    private mutating func read(_ methods: [(DeviceMethod, JSONValue)]) throws(Problem) {
        // A method may use what another one sets, whichever stands first.
        for (_, list) in methods {
            for step in list.children { try declare(step) }
        }
        for (method, list) in methods {
            for child in list.children {
                let step = try step(child, of: method)
                script[method].append(step)
            }
        }
    }

    /// Makes room for the variable that a step sets.
    private mutating func declare(_ step: JSONValue) throws(Problem) {
        guard step.kind == .object, let name = step.member("as") else { return }
        guard name.kind == .string, Self.isName(name.text) else {
            throw Problem(.invalidValue, "a variable's name has letters, digits and _", at: name)
        }
        let text = String(name.text)
        guard !MethodParameter.allCases.contains(where: { $0.name == text }) else {
            throw Problem(.invalidValue, "\"\(text)\" is what methods are called with", at: name)
        }
        guard !script.variables.contains(text) else { return }
        let own = script.variables.count - MethodParameter.allCases.count
        guard own < DriverScript.maximumVariables else {
            throw Problem(
                .outOfRange,
                "a driver has at most \(DriverScript.maximumVariables) variables",
                at: name
            )
        }
        script.variables.append(text)
    }

    private mutating func step(
        _ step: JSONValue,
        of method: DeviceMethod
    ) throws(Problem) -> MethodStep {
        guard step.kind == .object else {
            throw Problem(.wrongType, "a step must be an object", at: step)
        }
        for (index, member) in step.children.enumerated()
        where Self.isOfStep(member.key) || member.key == "args" {
            let key = [UInt8](member.key)
            guard !step.children.prefix(index).contains(where: { $0.key == key }) else {
                throw Problem(
                    .duplicateField,
                    "\(shortened(member.key)) is given twice",
                    at: member
                )
            }
        }
        let expressions = MethodExpressions(method, script.variables)
        var condition: MethodCondition?
        if let member = step.member("if") { condition = try expressions.condition(member) }
        if let value = step.member("return") {
            for member in step.children where !(member.key == "return" || member.key == "if") {
                throw Problem(
                    .unknownField,
                    "a return step has no \"\(shortened(member.key))\"",
                    at: member
                ).suggesting(member.key, from: ["return", "if"])
            }
            return MethodStep(.leave(try expressions.value(value)), when: condition)
        }
        return MethodStep(try call(step, expressions), when: condition)
    }

    private mutating func call(
        _ step: JSONValue,
        _ expressions: MethodExpressions
    ) throws(Problem) -> MethodStep.Action {
        guard let name = step.member("call") else {
            throw Problem(.missingField, "a step needs \"call\" or \"return\"", at: step)
        }
        guard name.kind == .string else {
            throw Problem(.wrongType, "the name of a function must be a string", at: name)
        }
        let call = try calls.find(name.text, at: name.pointer)
        guard !call.descriptor.signature.runsMethods else {
            throw Problem(
                .invalidValue,
                "a method cannot call \(call.name)(), which runs methods",
                at: name
            )
        }
        guard !isAction || !call.parameters.contains(where: { $0.type == .steps }) else {
            throw Problem(
                .invalidValue,
                "a callback cannot call \(call.name)(), which takes another one",
                at: name
            )
        }
        var reader = StepArguments(call, tables, expressions)
        for member in step.children {
            if member.key == "args" {
                guard member.kind == .object else {
                    throw Problem(.wrongType, "\"args\" must be an object", at: member)
                }
                for argument in member.children {
                    try countPayload(argument)
                    try reader.read(argument)
                }
            } else if !Self.isOfStep(member.key) {
                try countPayload(member)
                try reader.read(member)
            }
        }
        try reader.checkComplete(at: step)
        let result = step.member("as").flatMap { script.variables.firstIndex(of: String($0.text)) }
        return .call(call.descriptor.index, reader.arguments, reader.bindings, result: result)
    }

    /// Adds what an argument would take as a payload, before it is made.
    ///
    /// `{"fill": 0, "length": 1048576}` makes much out of little, in each of many steps.
    private mutating func countPayload(_ argument: JSONValue) throws(Problem) {
        switch argument.kind {
        case .string: payloadBytes += argument.text.count
        case .array: payloadBytes += argument.count * 8
        case .object:
            for member in argument.children {
                let isLength = member.key == "length" && member.kind == .unsigned
                // A larger one is refused where it is read.
                let length = min(member.number, UInt64(Self.maximumPayloadBytes))
                payloadBytes += isLength ? Int(length) : member.text.count
            }
        default: break
        }
        guard payloadBytes <= Self.maximumPayloadBytes else {
            throw Problem(
                .outOfRange,
                "the arguments of all steps have more than \(Self.maximumPayloadBytes) bytes",
                at: argument
            )
        }
    }

    /// Whether a member of a step is no argument of a function.
    private static func isOfStep(_ key: ByteSlice) -> Bool {
        key == "call" || key == "as" || key == "if" || key == "return"
    }

    /// Whether a text is an identifier of at most 64 bytes.
    private static func isName(_ text: ByteSlice) -> Bool {
        guard (1...64).contains(text.count), !(48...57).contains(text[0..<1].first ?? 48) else {
            return false
        }
        return [UInt8](text).allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
        }
    }
}

/// Reads the arguments of one step; variables become bindings.
private struct StepArguments {
    private let call: PreparedCall
    private let tables: MachineTables
    private let expressions: MethodExpressions
    private(set) var arguments = CallArguments()
    private(set) var bindings: [MethodBinding] = []
    private var given: UInt8 = 0

    init(_ call: PreparedCall, _ tables: MachineTables, _ expressions: MethodExpressions) {
        self.call = call
        self.tables = tables
        self.expressions = expressions
    }

    mutating func read(_ member: JSONValue) throws(Problem) {
        guard let index = call.position(of: member.key) else {
            throw Problem(
                .unknownField,
                "\(call.name)() has no parameter \"\(shortened(member.key))\"",
                at: member
            ).suggesting(member.key, from: call.parameterNames + ["as", "if"])
        }
        let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: index)
        guard given & bit == 0 else {
            throw Problem(
                .duplicateField,
                "\"\(call.parameters[index].name)\" is given twice",
                at: member
            )
        }
        given |= bit
        let decoder = ArgumentDecoder(
            parameter: call.parameters[index],
            tables: tables,
            references: nil
        )
        let address = decoder.addressOfString(member)
        let named = address ?? member
        if named.kind == .string, named.text.first == UInt8(ascii: "$"),
            address != nil || decoder.takesReference
        {
            let value = try expressions.value(named)
            bindings.append(MethodBinding(argument: index, value: value))
            arguments.set(index, word: 0)
            return
        }
        switch try decoder.decode(.json(member)) {
        case .word(let word): arguments.set(index, word: word)
        case .payload(let payload): arguments.set(index, payload: payload)
        }
    }

    func checkComplete(at step: JSONValue) throws(Problem) {
        let missing = call.requiredMask & ~given
        guard missing != 0 else { return }
        let names = call.parameters.indices
            .filter { missing & (1 << UInt8(truncatingIfNeeded: $0)) != 0 }
            .map { "\"\(call.parameters[$0].name)\"" }
        throw Problem(
            .missingField,
            "\(call.name)() needs " + names.joined(separator: ", "),
            at: step
        )
    }
}
