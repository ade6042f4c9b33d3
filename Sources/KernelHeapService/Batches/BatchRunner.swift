internal import HTTPServer
internal import KernelHeap

/// Runs the items of a batch on one session, one after the other.
///
/// An item is `{"call": "kmalloc", "as": "p", "args": {…}}`, or has the arguments beside `call`.
/// What an item returns is kept under its `as` for the items behind it.
struct BatchRunner {
    /// Calls in one slice at most: bounds how long others wait for the session.
    static let sliceCalls = 256
    /// Nanoseconds of one slice at most.
    static let sliceNanoseconds: UInt64 = 200_000

    let service: Service
    let session: Session
    /// Whether the first item that cannot be run ends the batch.
    let stopsOnError: Bool
    /// What every answer carries beyond its own wishes.
    let extras: AnswerExtras
    /// Failed requests of memory whose explanation may still fork the machine.
    private var searchesLeft = 16
    /// What `If-Match` demands before the first item.
    var expectedSequence: UInt64?
    /// What the calls did, where somebody compares runs on forks: those are in no metrics and no
    /// stream of events.
    var observed: [ObservedCall]?
    private var references = CallReferences()
    /// Names of results that are failures which were forced.
    private var failedNames: Set<String> = []
    private(set) var itemCount = 0
    /// The problem of the last item that could not be run.
    private(set) var problem: Problem?

    init(
        service: Service,
        session: Session,
        stopsOnError: Bool,
        extras: AnswerExtras,
        expectedSequence: UInt64?
    ) {
        self.service = service
        self.session = session
        self.stopsOnError = stopsOnError
        self.extras = extras
        self.expectedSequence = expectedSequence
    }

    /// Runs one item and writes its answer or its problem; false where the batch must end.
    ///
    /// `line` is the item's line in an NDJSON body, for its problem; `parse` gives the item.
    mutating func run(
        line: Int?,
        on kernel: inout Kernel,
        into json: inout JSONWriter,
        _ parse: () throws(Problem) -> JSONValue
    ) -> Bool {
        itemCount += 1
        var item: JSONValue?
        do throws(Problem) {
            guard itemCount <= service.configuration.maximumBatchCalls else {
                throw Problem(
                    .batchTooLong,
                    "a batch has at most \(service.configuration.maximumBatchCalls) calls"
                )
            }
            try service.checkAlive(kernel, session)
            let parsed = try parse()
            item = parsed
            try run(parsed, on: &kernel, into: &json)
            return true
        } catch {
            var problem = item.map { error.inside($0) } ?? error
            problem.line = line
            problem.write(to: &json)
            self.problem = problem
            switch error.type {
            case .batchTooLong, .unknownSession, .sequenceMismatch: return false
            default: return !stopsOnError
            }
        }
    }

    private mutating func run(
        _ item: JSONValue,
        on kernel: inout Kernel,
        into json: inout JSONWriter
    ) throws(Problem) {
        guard item.kind == .object else {
            throw Problem(.wrongType, "an item must be an object, not \(item.kind.name)", at: item)
        }
        guard let name = item.member("call") else {
            throw Problem(.missingField, "an item needs \"call\"", at: item.pointer + "/call")
        }
        guard name.kind == .string else {
            throw Problem(.wrongType, "\"call\" is \(name.shown), no string", at: name)
        }
        guard let position = service.calls.names.position(of: name.text) else {
            // Looked up again for the pointer and the nearest names.
            _ = try service.calls.find(name.text, at: name.pointer)
            return
        }
        let call = service.calls.calls[position]
        let decoded = try decode(item, call)
        try service.checkProcess(kernel, decoded.context)
        let extras = extras.union(decoded.extras)
        let outcome = kernel.apply(
            call.descriptor,
            decoded.arguments,
            in: decoded.context,
            explaining: extras.contains(.explanation),
            tryingAlternatives: searchesLeft > 0
        )
        if outcome.hasTriedAlternatives { searchesLeft -= 1 }
        observe(outcome, of: call, item, on: &kernel)
        if let name = item.member("as") { keep(outcome.result.value, as: name) }
        let parts = json.outcome(
            outcome,
            of: call,
            with: extras,
            on: kernel
        )
        guard observed == nil else { return }
        service.metrics.countCall(call.descriptor.index)
        session.publish(parts, of: json)
    }

    /// Notes failures that were forced, who passes them on, and the calls of a run that is compared
    /// with others.
    private mutating func observe(
        _ outcome: CallOutcome,
        of call: PreparedCall,
        _ item: JSONValue,
        on kernel: inout Kernel
    ) {
        let hasFailed = !outcome.injected.isEmpty
        guard observed != nil || hasFailed || !failedNames.isEmpty else { return }
        let observation = ObservedCall(outcome, of: call, item: itemCount - 1)
        let names = failedNames.isEmpty ? [] : ObservedCall.references(in: item)
        let unlooked = call.descriptor.signature.takesNull ? [] : names.filter(failedNames.contains)
        if observed == nil {
            let function = call.descriptor.signature.name
            for name in unlooked { kernel.noteUnlooked("$" + name, by: function) }
        } else {
            observed?.append(observation.using(unlooked))
        }
        guard let name = item.member("as") else { return }
        if observation.isForcedFailure {
            failedNames.insert(String(name.text))
        } else {
            failedNames.remove(String(name.text))
        }
    }

    private func decode(_ item: JSONValue, _ call: PreparedCall) throws(Problem) -> DecodedCall {
        if let name = item.member("as"), name.kind != .string || name.text.count > 64 {
            throw Problem(
                .wrongType,
                "\"as\" must be a name of at most 64 bytes",
                at: name
            )
        }
        if references.isFull, let name = item.member("as"),
            !references.contains(String(name.text))
        {
            throw Problem(
                .outOfRange,
                "a batch keeps at most \(CallReferences.maximumCount) names",
                at: name
            )
        }
        var decoder = CallDecoder(
            call,
            tables: session.tables,
            cpuCount: session.cpuCount,
            references: references
        )
        try decoder.read(item, isEnvelope: true)
        if let arguments = item.member("args") { try decoder.read(arguments) }
        return try decoder.finish()
    }

    private mutating func keep(_ value: ReturnValue, as name: JSONValue) {
        let name = String(name.text)
        switch value {
        case .void: references.remove(name)
        case .integer(let number): references.set(name, to: UInt64(bitPattern: number))
        case .unsigned(let number), .pointer(let number): references.set(name, to: number)
        case .boolean(let truth): references.set(name, to: truth ? 1 : 0)
        }
    }
}

extension Problem {
    /// The same problem where its pointer begins at the document rather than at an item of it: who
    /// checks a call by itself does not know where it stands.
    fileprivate func inside(_ item: JSONValue) -> Problem {
        let place = item.pointer
        guard !place.isEmpty, let pointer, pointer != place, !pointer.hasPrefix(place + "/") else {
            return self
        }
        var problem = self
        problem.pointer = place + pointer
        return problem
    }
}
