internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// `POST /v1/sessions/{id}/calls/{function}`: one kernel call.
extension Service {
    func postCall(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match, at: completion.start)
        let call = try calls.find(match.name)
        let decoded = try decode(request, call, session)
        let expected = try expectedSequence(request)
        if !decoded.isLong(call) {
            let now = try session.kernel.withLockIfAvailable {
                (kernel) throws(Problem) -> Response? in
                if isLongToExplain(decoded, call, on: kernel)
                    || kernel.freesLargeArea(
                        call.descriptor,
                        decoded.arguments,
                        in: decoded.context
                    )
                {
                    return nil
                }
                return try run(call, decoded, expected, on: &kernel, of: session)
            }
            if let now, let response = now { return response }
        }
        return try deferred(session, completion) { (kernel) throws(Problem) in
            try completion.service.run(call, decoded, expected, on: &kernel, of: session)
        }
    }

    /// Whether an explanation of the call's failure would hold up other sessions' requests.
    ///
    /// Its forks cost what the machine holds: some 5 ms at 3 MiB, 85 ms at 250 MiB.
    private func isLongToExplain(
        _ decoded: DecodedCall,
        _ call: PreparedCall,
        on kernel: borrowing Kernel
    ) -> Bool {
        decoded.extras.contains(.explanation) && call.descriptor.triesAlternatives
            && kernel.heldBytes > 1 << 20
    }

    /// Runs a call on a kernel whose lock is held, and writes the answer.
    private func run(
        _ call: PreparedCall,
        _ decoded: DecodedCall,
        _ expected: UInt64?,
        on kernel: inout Kernel,
        of session: Session
    ) throws(Problem) -> Response {
        try check(kernel, expects: expected)
        try checkAlive(kernel, session)
        try checkProcess(kernel, decoded.context)
        let outcome = kernel.apply(
            call.descriptor,
            decoded.arguments,
            in: decoded.context,
            explaining: decoded.extras.contains(.explanation)
        )
        metrics.countCall(call.descriptor.index)
        // Measuring walks the kernel's parts, so it is done now and then, and where one call may
        // have added much.
        if kernel.sequence & 63 == 0 || decoded.isLong(call) {
            sessions.recordGrowth(session.measure(kernel))
        }
        var writer = JSONWriter()
        let parts = writer.outcome(
            outcome,
            of: call,
            with: decoded.extras,
            on: kernel
        )
        session.publish(parts, of: writer)
        return json(writer)
    }

    /// Refuses calls on a machine that has panicked, hangs or has grown too large.
    @inline(__always)
    func checkAlive(_ kernel: borrowing Kernel, _ session: Session) throws(Problem) {
        guard !session.isDropped else {
            throw Problem(.unknownSession, "the session was dropped meanwhile")
        }
        guard !kernel.isPanicked else {
            throw Problem(.sessionPanicked, "its state can be read; its last lines are in /dmesg")
        }
        if let hang = kernel.hangReason { throw Problem(.sessionHung, hang.text) }
        guard sessions.mayGrow(session, limit: configuration.maximumSessionBytes) else {
            throw Problem(
                .memoryLimit,
                "the session holds \(session.heldBytes) bytes of the host; it can be read and deleted"
            )
        }
    }

    /// Refuses calls of a process that has exited or never was.
    @inline(__always)
    func checkProcess(_ kernel: borrowing Kernel, _ context: CallContext) throws(Problem) {
        guard !kernel.hasProcess(context.pid) else { return }
        var problem = Problem(.unknownName, "no process \(context.pid)", at: "/context/pid")
        problem.valid = kernel.pids.prefix(16).map(String.init)
        throw problem
    }

    /// Reads the call from a JSON or form body and from the query.
    @inline(__always)
    private func decode(
        _ request: borrowing Request,
        _ call: PreparedCall,
        _ session: Session
    ) throws(Problem) -> DecodedCall {
        var decoder = CallDecoder(call, tables: session.tables, cpuCount: session.cpuCount)
        let body = request.bodySlice
        let first = firstCharacter(of: body)
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            try decoder.read(JSONParser.parseOnThread(body))
        } else if !body.isEmpty {
            try refuseForeignBody(request, body)
            try FormFields.forEach(withoutLineEnd(body)) { (name, text) throws(Problem) in
                try decoder.read(field: name, text)
            }
        }
        try FormFields.forEach(request.querySlice) { (name, text) throws(Problem) in
            try decoder.read(field: name, text)
        }
        return try decoder.finish()
    }

    /// Refuses a body that is neither JSON nor a form, by its first byte and its declared type.
    private func refuseForeignBody(
        _ request: borrowing Request,
        _ body: ByteSlice
    ) throws(Problem) {
        try refuseEncodedBody(request)
        let type = request.header("Content-Type") ?? ""
        if type.hasPrefix("application/json") {
            throw Problem(.wrongType, "the body of a call must be a JSON object", at: "")
        }
    }

    /// Refuses content encodings and types that no route reads.
    func refuseEncodedBody(_ request: borrowing Request) throws(Problem) {
        if let encoding = request.header("Content-Encoding"), encoding != "identity" {
            throw Problem(.unsupportedMediaType, "Content-Encoding \(encoding.prefix(32))")
        }
        let type = request.header("Content-Type") ?? ""
        guard !type.hasPrefix("multipart/"), !type.hasPrefix("application/octet-stream"),
            !type.hasPrefix("application/xml"), !type.hasPrefix("text/xml")
        else {
            var problem = Problem(.unsupportedMediaType, "Content-Type \(type.prefix(64))")
            problem.valid = ["application/json", "application/x-www-form-urlencoded"]
            throw problem
        }
    }

    // `curl --data-binary @file` sends the file's last line end along.
    private func withoutLineEnd(_ body: ByteSlice) -> ByteSlice {
        var end = body.count
        while end > 0, body[end - 1] == UInt8(ascii: "\n") || body[end - 1] == UInt8(ascii: "\r") {
            end -= 1
        }
        return body[0..<end]
    }
}

/// The first byte that is no white space.
@inline(__always)
func firstCharacter(of body: ByteSlice) -> UInt8? {
    var index = 0
    while index < body.count {
        switch body[index] {
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
            index += 1
        default: return body[index]
        }
    }
    return nil
}
