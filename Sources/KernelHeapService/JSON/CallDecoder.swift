internal import KernelHeap

/// A call as the engine takes it.
struct DecodedCall {
    var arguments = CallArguments()
    var context = CallContext.standard
    var extras: AnswerExtras = []

    /// Bytes that a call may work on while the server's thread waits for it.
    static let shortWork: UInt64 = 1 << 20

    /// Whether the call may take so long that other sessions' requests must not wait behind it.
    @inline(__always)
    func isLong(_ call: PreparedCall) -> Bool {
        let signature = call.descriptor.signature
        if signature.runsMethods || signature.takesLong { return true }
        guard call.workMask != 0 else { return false }
        return call.parameters.indices.contains { index in
            call.workMask & 1 << UInt8(truncatingIfNeeded: index) != 0
                && arguments.word(index) > Self.shortWork
        }
    }
}

/// Reads the arguments of one kernel call by its signature.
///
/// Fields may come from a JSON object, from a form and from the query, in any mix; each may be
/// given once. `finish()` says what is missing.
struct CallDecoder {
    let call: PreparedCall
    let tables: MachineTables
    let cpuCount: Int
    let references: CallReferences?
    private(set) var decoded = DecodedCall()
    private var given: UInt8 = 0
    private var isContextGiven = false
    private var envelope: UInt8 = 0

    init(
        _ call: PreparedCall,
        tables: MachineTables,
        cpuCount: Int,
        references: CallReferences? = nil
    ) {
        self.call = call
        self.tables = tables
        self.cpuCount = cpuCount
        self.references = references
    }

    /// Reads the members of a JSON object.
    ///
    /// - Parameters:
    ///   - object: the call's arguments, perhaps with `context`, `explain` and `contiguity` beside them.
    ///   - isEnvelope: whether `call`, `as` and `args` of a batch item are among the members and
    ///     were read already.
    /// - Throws: a `Problem` with the pointer of the first member that is wrong.
    mutating func read(_ object: JSONValue, isEnvelope: Bool = false) throws(Problem) {
        guard object.kind == .object else {
            throw Problem(
                .wrongType,
                "the arguments must be an object, not \(object.kind.name)",
                at: object
            )
        }
        for member in object.children {
            if let index = call.position(of: member.key) {
                try take(index, .json(member))
            } else if member.key == "context" {
                try readContext(member)
            } else if member.key == "explain" {
                want(.explanation, try boolean(.json(member)))
            } else if member.key == "contiguity" {
                want(.contiguity, try boolean(.json(member)))
            } else if isEnvelope, let bit = CallDecoder.envelopeBit(member.key) {
                guard envelope & bit == 0 else {
                    throw Problem(.duplicateField, "\(member.shown) is the second", at: member)
                }
                envelope |= bit
            } else {
                throw unknown(member.key, at: member.pointer)
            }
        }
    }

    /// Reads one field of a form or query.
    ///
    /// `context.cpu` and its like reach into the context.
    mutating func read(field name: ByteSlice, _ text: ByteSlice) throws(Problem) {
        let place = ArgumentPlace.field(name: name, text: text)
        if let index = call.position(of: name) {
            try take(index, place)
        } else if name == "explain" {
            want(.explanation, try boolean(place))
        } else if name == "contiguity" {
            want(.contiguity, try boolean(place))
        } else if name[0..<8] == "context." {
            try readContext(name.dropFirst(8), place)
        } else if let dot = name.firstIndex(of: UInt8(ascii: ".")),
            let index = call.position(of: name[0..<dot]),
            call.parameters[index].type == .bytes
        {
            try markGiven(index, place)
            let bytes = try PayloadDecoder.bytes(form: name.dropFirst(dot + 1), text, place)
            decoded.arguments.set(index, payload: .bytes(bytes))
        } else {
            throw unknown(name, at: place.pointer)
        }
    }

    private mutating func want(_ extra: AnswerExtras, _ isWanted: Bool) {
        if isWanted { decoded.extras.insert(extra) } else { decoded.extras.remove(extra) }
    }

    /// The call, when every required parameter was given.
    ///
    /// - Throws: `missing-field` with the C declaration of what is missing.
    func finish() throws(Problem) -> DecodedCall {
        let missing = call.requiredMask & ~given
        guard missing == 0 else {
            let names = call.parameters.indices
                .filter { missing & (1 << UInt8(truncatingIfNeeded: $0)) != 0 }
                .map { call.parameters[$0].name }
            throw Problem(
                .missingField,
                "\(call.name)() needs " + names.map { "\"\($0)\"" }.joined(separator: ", "),
                at: "/" + (names.first ?? "")
            )
        }
        return decoded
    }

    /// One bit for each member of an item that is no argument.
    private static func envelopeBit(_ key: ByteSlice) -> UInt8? {
        if key == "call" { return 1 }
        if key == "as" { return 2 }
        return key == "args" ? 4 : nil
    }

    private func unknown(_ name: ByteSlice, at pointer: String) -> Problem {
        Problem(
            .unknownField,
            "\(call.name)() has no parameter \"\(shortened(name))\"",
            at: pointer
        ).suggesting(name, from: call.parameterNames + ["context", "explain", "contiguity"])
    }

    private mutating func markGiven(_ index: Int, _ place: ArgumentPlace) throws(Problem) {
        let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: index)
        guard given & bit == 0 else {
            throw Problem(
                .duplicateField,
                "\"\(call.parameters[index].name)\" is given twice",
                at: place.pointer
            )
        }
        given |= bit
    }

    private mutating func take(_ index: Int, _ place: ArgumentPlace) throws(Problem) {
        try markGiven(index, place)
        let argument = ArgumentDecoder(
            parameter: call.parameters[index],
            tables: tables,
            references: references
        )
        switch try argument.decode(place) {
        case .word(let word): decoded.arguments.set(index, word: word)
        case .payload(let payload): decoded.arguments.set(index, payload: payload)
        }
    }

    private func boolean(_ place: ArgumentPlace) throws(Problem) -> Bool {
        try ArgumentDecoder.boolean(place)
    }

    private mutating func readContext(_ object: JSONValue) throws(Problem) {
        guard object.kind == .object else {
            throw Problem(.wrongType, "\"context\" must be an object", at: object)
        }
        guard !isContextGiven else {
            throw Problem(.duplicateField, "\"context\" is given twice", at: object)
        }
        isContextGiven = true
        for member in object.children { try readContext(member.key, .json(member)) }
    }

    private mutating func readContext(
        _ name: ByteSlice,
        _ place: ArgumentPlace
    ) throws(Problem) {
        if name == "cpu" {
            decoded.context.cpu = try ArgumentDecoder.number(place, below: max(cpuCount, 1))
        } else if name == "pid" {
            decoded.context.pid = try ArgumentDecoder.number(place, below: 1 << 22)
            decoded.context.isTaskNamed = true
        } else if name == "atomic" {
            decoded.context.isAtomic = try boolean(place)
        } else if name == "in" {
            decoded.context.kind = try ArgumentDecoder.contextKind(place)
        } else {
            throw Problem(
                .unknownField,
                "a context has no \"\(shortened(name))\"",
                at: place.pointer
            ).suggesting(name, from: ["cpu", "in", "atomic", "pid"])
        }
    }
}
