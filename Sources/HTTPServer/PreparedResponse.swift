internal import CHTTPBridge

/// A response in the library's form, ready to be queued; dropping it lets go of the library's.
@safe
struct PreparedResponse: ~Copyable {
    let handle: OpaquePointer
    let status: UInt32
    /// Where the body is a stream, its state; the library's object owns it as well.
    let stream: StreamBody?

    /// Converts a response; nil when the library has no memory left.
    ///
    /// A deferred body must have been resolved before; it becomes an empty one here.
    init?(_ response: consuming Response, for connection: OpaquePointer) {
        let status = response.status
        let contentType = response.contentType
        let headers = response.headers
        self.status = (200...599).contains(status) ? UInt32(truncatingIfNeeded: status) : 500
        let created: OpaquePointer?
        switch consume response.body {
        case .bytes(let buffer):
            stream = nil
            unsafe created = Self.fixedBody(buffer)
        case .stream(let source):
            let body = unsafe StreamBody(source: source, connection: StreamConnection(connection))
            stream = body
            unsafe created = Self.streamedBody(body)
        default:
            stream = nil
            unsafe created = MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        }
        guard let created = unsafe created else { return nil }
        unsafe handle = unsafe created
        if contentType.utf8CodeUnitCount > 0 {
            let value = unsafe UnsafeRawPointer(contentType.utf8Start)
            unsafe add(header: "Content-Type", unsafe value.assumingMemoryBound(to: CChar.self))
        }
        // A name or value that would break the message (CR, LF) is left out by the library.
        for (name, value) in headers {
            unsafe MHD_add_response_header(handle, name, value)
        }
    }

    deinit { unsafe MHD_destroy_response(handle) }

    /// Adds a header whose value is a C string; the library copies both.
    borrowing func add(header name: StaticString, _ value: UnsafePointer<CChar>) {
        let key = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        unsafe MHD_add_response_header(handle, key, value)
    }

    private static func fixedBody(_ buffer: consuming ByteBuffer) -> OpaquePointer? {
        let memory = unsafe buffer.release()
        return unsafe MHD_create_response_from_buffer_with_free_callback(
            memory.count,
            memory.base,
            { unsafe $0?.deallocate() }
        )
    }

    private static func streamedBody(_ body: StreamBody) -> OpaquePointer? {
        let retained = unsafe Unmanaged.passRetained(body)
        let created = unsafe MHD_create_response_from_callback(
            chttp_size_unknown(),
            4_096,
            { context, _, buffer, size in
                guard let context = unsafe context, let buffer = unsafe buffer else {
                    return chttp_end_with_error()
                }
                let body = unsafe Unmanaged<StreamBody>.fromOpaque(context)
                return unsafe body._withUnsafeGuaranteedRef {
                    unsafe $0.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
                }
            },
            unsafe retained.toOpaque(),
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<StreamBody>.fromOpaque(context).takeRetainedValue().close()
            }
        )
        if unsafe created == nil {
            unsafe retained.release()
            body.close()
        }
        return unsafe created
    }
}
