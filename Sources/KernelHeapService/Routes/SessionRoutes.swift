internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// `/v1/sessions` and `/v1/sessions/{id}`.
extension Service {
    /// Boots a machine: the body's, or the default one.
    func postSession(_ request: borrowing Request) throws(Problem) -> Response {
        let (description, settings) = try readSession(request)
        let session = try sessions.boot(description, settings)
        var writer = JSONWriter(capacity: 1_024)
        // What boots is known already, and the zones are worked out where somebody reads them.
        session.kernel.withLock { kernel in
            var machine = kernel.machine
            machine.zones = nil
            record(session, kernel, machine, into: &writer)
        }
        let path = "/v1/sessions/\(session.id.text)"
        return json(writer, status: 201, headers: [("Location", path), ("ETag", "\"0\"")])
    }

    private func readSession(
        _ request: borrowing Request
    ) throws(Problem) -> (MachineDescription, Session.Settings) {
        var description = MachineDescription()
        var settings = Session.Settings(name: "", idleTimeout: configuration.idleTimeout)
        let body = request.bodySlice
        guard let first = firstCharacter(of: body) else { return (description, settings) }
        if first != UInt8(ascii: "{") { try refuseEncodedBody(request) }
        // Descriptions with zone tables are long, so their memory goes back at once.
        guard let parser = JSONParser() else { throw Problem(.outOfMemory) }
        defer { withExtendedLifetime(parser) {} }
        var object = try ObjectReader(try parser.parse(body), "a session")
        if let machine = try object.optional("machine") {
            let reader = MachineReader(maximumMemoryBytes: configuration.maximumMachineBytes)
            description = try reader.read(machine)
        }
        try readSettings(&object, &settings)
        try object.finish()
        return (description, settings)
    }

    /// Sessions in the order of their creation, a page at a time.
    func getSessions(_ request: borrowing Request) throws(Problem) -> Response {
        let page = try Page(request.querySlice)
        let found = sessions.list(after: page.cursor, limit: page.limit + 1)
        var writer = JSONWriter(capacity: 4_096)
        writer.raw("{\"sessions\":")
        writer.list(found.prefix(page.limit)) { (json, session) in
            json.raw("{")
            summary(session, into: &json)
            json.raw("}")
        }
        writer.raw(",\"next_cursor\":")
        if found.count > page.limit, let last = found.prefix(page.limit).last {
            writer.string(String(last.ordinal))
        } else {
            writer.raw("null")
        }
        writer.raw("}")
        return json(writer)
    }

    /// `GET`, `PATCH` and `DELETE` of one session.
    func session(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let expected = try expectedSequence(request)
        switch request.method {
        case .delete:
            // Without a condition nobody waits, not even for a batch.
            if expected == nil {
                sessions.remove(session.id)
                return Response(status: 204)
            }
            return try withKernel(of: session, completion) { (kernel) throws(Problem) in
                try completion.service.check(kernel, expects: expected)
                completion.service.sessions.remove(session.id)
                return Response(status: 204)
            }
        case .patch:
            let change = try readChange(request, of: session)
            return try withKernel(of: session, completion) { (kernel) throws(Problem) in
                try completion.service.check(kernel, expects: expected)
                session.settings.withLock { $0 = change }
                return completion.service.show(session, kernel)
            }
        default:
            return try withKernel(of: session, completion) { (kernel) throws(Problem) in
                completion.service.show(session, kernel)
            }
        }
    }

    private func show(_ session: Session, _ kernel: borrowing Kernel) -> Response {
        sessions.recordGrowth(session.measure(kernel))
        var writer = JSONWriter(capacity: 1_024)
        record(session, kernel, kernel.resolvedMachine(), into: &writer)
        return json(writer, headers: [("ETag", "\"\(kernel.sequence)\"")])
    }

    private func readChange(
        _ request: borrowing Request,
        of session: Session
    ) throws(Problem) -> Session.Settings {
        try refuseEncodedBody(request)
        var settings = session.settings.withLock { $0 }
        var object = try ObjectReader(JSONParser.parseOnThread(request.bodySlice), "a change")
        try readSettings(&object, &settings)
        try object.finish()
        return settings
    }

    func readSettings(
        _ object: inout ObjectReader,
        _ settings: inout Session.Settings
    ) throws(Problem) {
        try object.text("name", &settings.name, limit: 256)
        guard let timeout = try object.optional("idle_timeout") else { return }
        let seconds = try timeout.wholeNumber()
        guard seconds >= 1, seconds <= configuration.maximumIdleTimeout else {
            throw Problem(
                .outOfRange,
                "idle_timeout must be 1…\(configuration.maximumIdleTimeout) seconds",
                at: timeout
            )
        }
        settings.idleTimeout = seconds
    }

    /// The whole record of a session, with its machine.
    func record(
        _ session: Session,
        _ kernel: borrowing Kernel,
        _ machine: MachineDescription,
        into json: inout JSONWriter
    ) {
        json.raw("{")
        summary(session, into: &json)
        json.raw(",\"seq\":")
        json.number(kernel.sequence)
        json.raw(",\"panicked\":")
        json.boolean(kernel.isPanicked)
        json.raw(",\"hung\":")
        json.boolean(kernel.hangReason != nil)
        json.raw(",\"nanoseconds\":")
        json.number(kernel.clock.nanoseconds)
        json.raw(",\"kernel\":")
        json.string(kernel.profile.kernelRelease)
        json.raw(",\"machine\":")
        json.machine(machine)
        json.raw("}")
    }

    /// What can be said without waiting for the kernel.
    private func summary(_ session: Session, into json: inout JSONWriter) {
        let settings = session.settings.withLock { $0 }
        json.raw("\"id\":")
        json.string(session.id.text)
        json.raw(",\"name\":")
        json.string(settings.name)
        json.raw(",\"created\":")
        json.string(Clock.text(wallSeconds: session.createdAt))
        json.raw(",\"idle_timeout\":")
        json.number(settings.idleTimeout)
        json.raw(",\"idle_seconds\":")
        json.number(session.idleSeconds(at: Clock.monotonic()))
        json.raw(",\"held_bytes\":")
        json.number(session.heldBytes)
    }
}

/// A part of a list: `?cursor=…&limit=…`.
struct Page {
    static let maximumLimit = 1_000

    private(set) var cursor: UInt64 = 0
    private(set) var limit = 100

    init(_ query: ByteSlice) throws(Problem) {
        try FormFields.forEach(query) { (name, text) throws(Problem) in
            let place = ArgumentPlace.field(name: name, text: text)
            if name == "limit" {
                limit = try ArgumentDecoder.number(place, below: Page.maximumLimit + 1)
                guard limit > 0 else {
                    throw Problem(.outOfRange, "limit must be at least 1", at: place.pointer)
                }
            } else if name == "cursor" {
                guard let number = IntegerText(text).unsigned else {
                    throw Problem(
                        .invalidValue,
                        "the cursor must come from next_cursor",
                        at: place.pointer
                    )
                }
                cursor = number
            } else {
                throw Problem(
                    .unknownField,
                    "a list has no \"\(shortened(name))\"",
                    at: place.pointer
                ).suggesting(name, from: ["cursor", "limit"])
            }
        }
    }
}
