internal import CHTTPBridge

/// The methods that the server lets through; any other is refused before a handler sees it.
public enum Method: UInt8, CaseIterable, Hashable, Sendable {
    case get, head, post, put, patch, delete, options

    /// Whether a browser on another origin must not cause it unasked.
    var changesState: Bool {
        switch self {
        case .post, .put, .patch, .delete: true
        case .get, .head, .options: false
        }
    }
}

/// A request, valid while the handler runs.
///
/// Path and query are the raw bytes of the request line: nothing is percent-decoded.
@safe
public struct Request: ~Copyable {
    public let method: Method
    let path: UnsafeRawBufferPointer
    let query: UnsafeRawBufferPointer
    let body: UnsafeRawBufferPointer
    let headers: any HeaderLookup

    public borrowing func withPath<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe body(path)
    }

    /// The bytes behind `?`; empty where there is none.
    public borrowing func withQuery<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe body(query)
    }

    /// The whole body.
    ///
    /// At least 64 readable bytes of padding follow it, as simdjson wants.
    public borrowing func withBody<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe body(self.body)
    }

    /// The first value of a header, or nil.
    ///
    /// Names compare without case.
    public borrowing func header(_ name: StaticString) -> String? { headers.header(name) }
}

/// Where a request's headers are found.
protocol HeaderLookup {
    func header(_ name: StaticString) -> String?
}

/// The headers of the request that a connection is at.
@safe
struct ConnectionHeaders: HeaderLookup {
    let connection: OpaquePointer

    func header(_ name: StaticString) -> String? {
        guard name.hasPointerRepresentation else { return nil }
        let key = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard
            let value = unsafe MHD_lookup_connection_value(connection, .HEADER_KIND, key)
        else { return nil }
        var text = unsafe String(cString: value)
        while text.utf8.last == 0x20 || text.utf8.last == 0x09 { text.removeLast() }
        return text
    }
}
