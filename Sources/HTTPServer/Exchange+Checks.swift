internal import CHTTPBridge
internal import Glibc

/// What the server decides before a handler is asked.
extension Exchange {
    /// Method, target and version; fills the record's fields for them.
    ///
    /// The three are C strings that follow each other in one line: a byte between or behind them,
    /// such as NUL, shows in the distances.
    func checkRequestLine(
        method: UnsafePointer<CChar>?,
        version: UnsafePointer<CChar>?
    ) -> ServerRefusal? {
        guard let method = unsafe method, let version = unsafe version,
            let target = unsafe record.pointee.targetStart
        else { return .malformedRequestLine }
        let bytes = unsafe record.pointee.target.bytes
        let methodCount = unsafe strlen(method)
        guard unsafe method + methodCount + 1 == target, unsafe target + bytes.count + 1 == version,
            unsafe strlen(version) == 8
        else { return .malformedRequestLine }
        unsafe record.pointee.isHTTP10 = unsafe version[5] == 0x31 && version[7] == 0x30
        guard
            let known = unsafe Self.method(
                UnsafeRawBufferPointer(start: method, count: methodCount)
            )
        else { return .methodNotImplemented }
        unsafe record.pointee.method = known
        if bytes.count > core.configuration.maximumTargetBytes { return .targetTooLong }
        if unsafe record.pointee.isTargetChecked { return nil }
        guard bytes.count > 0, unsafe bytes[0] == UInt8(ascii: "/"), unsafe Self.isTarget(bytes)
        else {
            return .malformedTarget
        }
        unsafe record.pointee.isTargetChecked = true
        return nil
    }

    /// Framing, `Host` and `Origin`.
    func checkHeaders(_ scan: HeaderScan) -> ServerRefusal? {
        let core = core
        if let refusal = unsafe scan.refusal(isHTTP10: record.pointee.isHTTP10) { return refusal }
        if unsafe chttp_header_bytes(connection) > core.configuration.maximumHeaderBytes {
            return .headersTooLarge
        }
        if unsafe scan.hostCount > 0 && !isOurs(host: scan.host) { return .hostNotAllowed }
        switch unsafe core.origins.verdict(origin: scan.origin, host: scan.host) {
        case .sameOrigin:
            return nil
        case .allowed:
            let origin = unsafe scan.origin?.baseAddress
            unsafe record.pointee.allowedOrigin = unsafe origin?.assumingMemoryBound(to: CChar.self)
            return nil
        case .refused:
            // A page elsewhere may not read the answer without our headers; it may not act either.
            let isPreflight = unsafe record.pointee.method == .options && scan.isPreflight
            return unsafe record.pointee.method.changesState || isPreflight
                ? .originNotAllowed : nil
        }
    }

    /// Tells a browser what a page on an allowed origin may send.
    func preflight(_ scan: HeaderScan) -> Response {
        var headers: [(name: String, value: String)] = [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("Access-Control-Max-Age", "600"),
        ]
        if let requested = unsafe scan.requestedHeaders, requested.count <= 1_024,
            unsafe requested.allSatisfy({ ASCIISet.headerList.contains($0) })
        {
            let names = unsafe String(decoding: requested, as: UTF8.self)
            headers.append(("Access-Control-Allow-Headers", names))
        }
        return Response(status: 204, headers: headers)
    }

    /// Passes the headers that let pages on allowed origins read the answer.
    func addCrossOriginHeaders(
        _ add: (_ name: StaticString, _ value: UnsafePointer<CChar>) -> Void
    ) {
        let core = core
        if !core.origins.allowsAny { unsafe Self.with("Origin") { unsafe add("Vary", $0) } }
        guard let origin = unsafe record.pointee.allowedOrigin else { return }
        if core.origins.allowsAny {
            unsafe Self.with("*") { unsafe add("Access-Control-Allow-Origin", $0) }
        } else {
            unsafe add("Access-Control-Allow-Origin", origin)
        }
        let exposed: StaticString =
            "ETag, Location, Idempotency-Key, Idempotency-Replayed, Link, Retry-After"
        unsafe Self.with(exposed) { unsafe add("Access-Control-Expose-Headers", $0) }
    }

    /// Compares with the host accepted last, which is nearly always the same.
    private func isOurs(host: UnsafeRawBufferPointer) -> Bool {
        guard let start = host.baseAddress, host.count > 0, host.count <= 512 else { return false }
        let accepted = unsafe record.pointee.acceptedHost.bytes
        if let known = accepted.baseAddress, accepted.count == host.count,
            unsafe memcmp(known, start, host.count) == 0
        {
            return true
        }
        guard unsafe core.hostNames.accepts(host) else { return false }
        unsafe record.pointee.acceptedHost.assign(start, count: host.count)
        return true
    }

    private static func method(_ name: UnsafeRawBufferPointer) -> Method? {
        func spells(_ expected: StaticString) -> Bool {
            guard let start = name.baseAddress else { return false }
            return unsafe memcmp(start, expected.utf8Start, name.count) == 0
        }
        switch name.count {
        case 3: return spells("GET") ? .get : spells("PUT") ? .put : nil
        case 4: return spells("POST") ? .post : spells("HEAD") ? .head : nil
        case 5: return spells("PATCH") ? .patch : nil
        case 6: return spells("DELETE") ? .delete : nil
        case 7: return spells("OPTIONS") ? .options : nil
        default: return nil
        }
    }

    /// Whether all bytes may stand in a target and every `%` begins an escape.
    private static func isTarget(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard unsafe ASCIISet.target.containsAll(bytes), let start = bytes.baseAddress else {
            return false
        }
        guard unsafe memchr(start, 0x25, bytes.count) != nil else { return true }
        for index in 0..<bytes.count where unsafe bytes[index] == 0x25 {
            guard index + 2 < bytes.count, unsafe ASCII.isHexDigit(bytes[index + 1]),
                unsafe ASCII.isHexDigit(bytes[index + 2])
            else { return false }
        }
        return true
    }

    private static func with(_ text: StaticString, _ body: (UnsafePointer<CChar>) -> Void) {
        unsafe body(UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self))
    }
}
