internal import CHTTPBridge
internal import Synchronization

/// A running daemon of the library.
///
/// `stop()` joins its threads; nothing may sleep then.
@safe
struct MicroHTTPDaemon: ~Copyable, @unchecked Sendable {
    // Unchecked: the library allows these calls from any thread, one at a time.
    private let handle: OpaquePointer
    private let core: Unmanaged<ServerCore>

    init(core: ServerCore, listenSocket: Int32, connectionLimit: Int) throws(ListenError) {
        let configuration = core.configuration
        let retained = unsafe Unmanaged.passRetained(core)
        let threads = max(1, min(configuration.threads, 64))
        var settings = unsafe chttp_settings()
        unsafe settings.listen_socket = listenSocket
        unsafe settings.threads = UInt32(threads)
        // The accept callback keeps the limit; the library's own, which would leave clients
        // waiting, is divided between threads and only a backstop.
        unsafe settings.connection_limit = UInt32(
            clamping: connectionLimit * threads + 64 * threads
        )
        unsafe settings.per_ip_connection_limit = UInt32(
            clamping: configuration.perIPConnectionLimit
        )
        unsafe settings.idle_timeout_seconds = UInt32(
            clamping: max(1, configuration.idleTimeoutSeconds)
        )
        unsafe settings.connection_memory_limit = max(4_096, configuration.connectionMemoryLimit)
        unsafe settings.context = unsafe retained.toOpaque()
        unsafe settings.accept = unsafe acceptConnection
        unsafe settings.handle = unsafe handleRequest
        unsafe settings.completed = unsafe completeRequest
        unsafe settings.connection_changed = unsafe changeConnection
        unsafe settings.request_line = unsafe beginRequest
        guard let handle = unsafe chttp_daemon_start(&settings) else {
            unsafe retained.release()
            throw .cannotStart
        }
        unsafe self.handle = unsafe handle
        unsafe self.core = unsafe retained
    }

    /// Stops accepting; the listening socket is the caller's again.
    borrowing func quiesce() {
        _ = unsafe MHD_quiesce_daemon(handle)
    }

    consuming func stop() {
        unsafe MHD_stop_daemon(handle)
        unsafe core.release()
    }
}

// The library's callbacks, on its threads. They find their state and leave the work to methods.

private func core(_ context: UnsafeMutableRawPointer?) -> ServerCore? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
}

private func acceptConnection(
    _ context: UnsafeMutableRawPointer?,
    _: UnsafePointer<sockaddr>?,
    _: socklen_t
) -> MHD_Result {
    guard let core = unsafe core(context) else { return .NO }
    let isFull =
        core.connectionCount.load(ordering: .relaxed) >= core.configuration.connectionLimit
    return isFull || core.isStopping.load(ordering: .relaxed) ? .NO : .YES
}

private func changeConnection(
    _ context: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ change: MHD_ConnectionNotificationCode
) {
    guard let core = unsafe core(context), let connection = unsafe connection,
        let slot = unsafe slot
    else { return }
    switch change {
    case .CONNECTION_NOTIFY_STARTED:
        let record = UnsafeMutablePointer<ConnectionRecord>.allocate(capacity: 1)
        unsafe record.initialize(
            to: ConnectionRecord(
                server: Unmanaged.passUnretained(core),
                socket: chttp_socket(connection),
                tick: core.currentTick
            )
        )
        unsafe slot.pointee = UnsafeMutableRawPointer(record)
        core.connectionCount.add(1, ordering: .relaxed)
        core.connections.withLock { unsafe $0.insert(record) }
    case .CONNECTION_NOTIFY_CLOSED:
        guard let record = unsafe slot.pointee?.assumingMemoryBound(to: ConnectionRecord.self)
        else {
            return
        }
        unsafe slot.pointee = nil
        core.connections.withLock { unsafe $0.remove(record) }
        core.connectionCount.subtract(1, ordering: .relaxed)
        unsafe record.deinitialize(count: 1)
        unsafe record.deallocate()
    @unknown default:
        break
    }
}

/// The request line is complete: the library keeps what is returned as the request's state.
private func beginRequest(
    _ context: UnsafeMutableRawPointer?,
    _ target: UnsafePointer<CChar>?,
    _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let target = unsafe target, let connection = unsafe connection,
        let record = unsafe chttp_socket_context(connection)
    else { return nil }
    unsafe record.assumingMemoryBound(to: ConnectionRecord.self).pointee.begin(target: target)
    return unsafe record
}

private func handleRequest(
    _: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?,
    _ upload: UnsafePointer<CChar>?,
    _ uploadCount: UnsafeMutablePointer<Int>?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection = unsafe connection, let uploadCount = unsafe uploadCount,
        let record = unsafe slot?.pointee?.assumingMemoryBound(to: ConnectionRecord.self)
    else { return .NO }
    let exchange = unsafe Exchange(connection: connection, record: record)
    switch unsafe record.pointee.phase {
    case .headers:
        return unsafe exchange.takeHeaders(method: method, version: version) ? .YES : .NO
    case .body where unsafe uploadCount.pointee > 0:
        let bytes = unsafe UnsafeRawBufferPointer(start: upload, count: uploadCount.pointee)
        unsafe uploadCount.pointee = 0
        return unsafe exchange.takeBody(bytes) ? .YES : .NO
    case .body:
        return exchange.answer() ? .YES : .NO
    case .deferred:
        return exchange.answerDeferred() ? .YES : .NO
    case .idle, .answering:
        return .NO
    }
}

/// The request ended: answered, or aborted wherever it was.
private func completeRequest(
    _: UnsafeMutableRawPointer?,
    _: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _: MHD_RequestTerminationCode
) {
    guard let record = unsafe slot?.pointee?.assumingMemoryBound(to: ConnectionRecord.self) else {
        return
    }
    unsafe slot?.pointee = nil
    unsafe record.pointee.end()
}
