internal import CHTTPBridge
internal import Glibc
internal import Synchronization

/// One request and its answer on a connection, as the library calls it forth: headers first, then
/// pieces of the body, then the end of the request.
///
/// The library takes an answer with the headers (and closes, since a body may follow unread) or
/// at the end, never while it hands over a piece of the body. Each step returns false to have the
/// connection closed at once.
@safe
struct Exchange {
    let connection: OpaquePointer
    let record: UnsafeMutablePointer<ConnectionRecord>

    var core: ServerCore { unsafe record.pointee.core }

    /// The headers are complete: refuses, or lets the handler decide about the body.
    func takeHeaders(method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?) -> Bool {
        let core = core
        if let refusal = unsafe checkRequestLine(method: method, version: version) {
            return refuse(refusal)
        }
        guard let method = unsafe method, let version = unsafe version else { return false }
        let scan = unsafe HeaderScan(
            connection,
            from: version + 8,
            to: method + chttp_header_bytes(connection)
        )
        if let refusal = checkHeaders(scan) { return refuse(refusal) }
        if core.isStopping.load(ordering: .relaxed) { return refuse(.stopping) }
        if unsafe record.pointee.method == .options && scan.isPreflight {
            return answerEarly(preflight(scan), hasBody: scan.hasBody)
        }
        switch core.handler.admit(request()) {
        case .body(let limit):
            if let length = scan.contentLength, length > UInt64(max(0, limit)) {
                return refuse(.bodyTooLarge)
            }
            unsafe record.pointee.bodyLimit = max(0, limit)
            unsafe record.pointee.phase = .body
            return true
        case .refuse(let response):
            return answerEarly(response, hasBody: scan.hasBody)
        }
    }

    /// A piece of the body is here.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let total = unsafe record.pointee.body.count + bytes.count
        guard unsafe total <= record.pointee.bodyLimit else { return cutOff(.bodyTooLarge) }
        guard unsafe record.pointee.charge(bodyBytes: total) else {
            return cutOff(.bodyMemoryExhausted)
        }
        let since = unsafe Progress(
            rawValue: record.pointee.progress.load(ordering: .relaxed)
        ).start
        guard core.currentTick &- since <= Watchdog.ticks(core.configuration.requestTimeoutSeconds)
        else { return cutOff(.requestTimeout) }
        unsafe record.pointee.body.append(
            start,
            count: bytes.count,
            padding: ConnectionRecord.bodyPadding
        )
        return true
    }

    /// The request is complete: asks the handler, or sends what was decided with the headers.
    func answer() -> Bool {
        if let prepared = unsafe record.pointee.prepared.take() {
            return queue(prepared)
        }
        if unsafe record.pointee.body.count > 0 {
            unsafe record.pointee.body.pad(ConnectionRecord.bodyPadding)
        }
        return send(core.handler.respond(to: request()))
    }

    /// A deferred answer may be there.
    func answerDeferred() -> Bool {
        guard let deferred = unsafe record.pointee.deferred else { return false }
        guard var response = unsafe deferred.takeOrSuspend(connection) else { return true }
        unsafe core.unregister(record.pointee.key)
        deferred.detach()
        unsafe record.pointee.deferred = nil
        if let nested = response.body.deferredResponse {
            nested.detach()
            response = core.problem(.handlerFailed)
        }
        unsafe record.pointee.mark(.busy(since: core.currentTick))
        return send(response)
    }

    // MARK: Answers

    private func send(_ response: consuming Response) -> Bool {
        if let deferred = response.body.deferredResponse {
            return wait(for: deferred)
        }
        guard let prepared = prepare(response) else { return false }
        return queue(prepared)
    }

    private func wait(for deferred: DeferredResponse) -> Bool {
        let core = core
        unsafe record.pointee.deferred = deferred
        unsafe record.pointee.phase = .deferred
        unsafe record.pointee.mark(.unlimited(since: core.currentTick))
        let sleeper = unsafe ServerCore.Sleeper(
            kind: .deferred(deferred),
            socket: record.pointee.socket
        )
        if unsafe !core.register(sleeper, for: record.pointee.key) {
            deferred.complete(with: core.problem(.stopping))
        }
        return answerDeferred()
    }

    private func queue(_ prepared: borrowing PreparedResponse) -> Bool {
        let core = core
        unsafe record.pointee.phase = .answering
        if let stream = prepared.stream {
            unsafe record.pointee.stream = stream
            unsafe record.pointee.mark(.unlimited(since: core.currentTick))
            boundSendBuffer()
            if unsafe !record.pointee.isHTTP10 {
                unsafe stream.connection.allowPushing(
                    to: record.pointee.socket,
                    sendBufferBytes: core.configuration.streamSendBufferBytes
                )
            }
            let sleeper = unsafe ServerCore.Sleeper(
                kind: .stream(stream.connection),
                socket: record.pointee.socket
            )
            if unsafe !core.register(sleeper, for: record.pointee.key) { stream.connection.end() }
        }
        return unsafe MHD_queue_response(connection, prepared.status, prepared.handle) == .YES
    }

    /// Answers with the headers alone seen.
    ///
    /// Without a body to skip, the connection stays usable.
    private func answerEarly(_ response: consuming Response, hasBody: Bool) -> Bool {
        if let deferred = response.body.deferredResponse {
            deferred.detach()
            return refuse(.handlerFailed)
        }
        guard let prepared = prepare(response) else { return false }
        if hasBody { return queue(prepared) }
        unsafe record.pointee.prepared = consume prepared
        unsafe record.pointee.phase = .body
        return true
    }

    /// Answers a request that breaks a rule, and closes.
    private func refuse(_ reason: ServerRefusal) -> Bool {
        guard let prepared = prepare(core.problem(reason)) else { return false }
        return queue(prepared)
    }

    private func prepare(_ response: consuming Response) -> PreparedResponse? {
        guard let prepared = unsafe PreparedResponse(response, for: connection) else { return nil }
        if core.origins.isConfigured {
            unsafe addCrossOriginHeaders { unsafe prepared.add(header: $0, $1) }
        }
        return prepared
    }

    private func boundSendBuffer() {
        var bytes = Int32(clamping: core.configuration.streamSendBufferBytes)
        _ = unsafe setsockopt(
            record.pointee.socket,
            SOL_SOCKET,
            SO_SNDBUF,
            &bytes,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    func request() -> Request {
        let (path, query) = unsafe record.pointee.pathAndQuery
        return unsafe Request(
            method: record.pointee.method,
            path: path,
            query: query,
            body: record.pointee.body.bytes,
            headers: ConnectionHeaders(connection: connection)
        )
    }
}
