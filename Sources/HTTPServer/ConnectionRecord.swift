internal import Glibc
internal import Synchronization

/// Where the request of a connection stands.
enum RequestPhase: UInt8 {
    /// Between requests, or while a request line and headers arrive.
    case idle
    /// The headers are here, the handler has not seen them.
    case headers
    /// The body arrives.
    case body
    /// A deferred answer is awaited.
    case deferred
    /// An answer is on its way.
    case answering
}

/// What the server keeps for one connection, reused by each of its requests.
///
/// Lives in raw memory that the library hands back with every callback: a class would pay for
/// exclusivity checks at each access. Only the connection's own thread touches it, except for the
/// atomic `progress`, the socket and the list links, which the list's lock guards.
@safe
struct ConnectionRecord: ~Copyable {
    let server: Unmanaged<ServerCore>
    let socket: Int32
    /// Links of `ConnectionList`.
    var next: UnsafeMutablePointer<ConnectionRecord>?
    var previous: UnsafeMutablePointer<ConnectionRecord>?

    /// The tick since which the present phase lasts, and whether it has a time limit.
    let progress: Atomic<UInt64>

    var phase = RequestPhase.idle
    var method = Method.get
    var isHTTP10 = false
    /// The request line's target in the library's memory; its distance to method and version
    /// shows bytes that a C string hides.
    var targetStart: UnsafePointer<CChar>?
    /// Target of the request as it came, path and query.
    var target = GrowingMemory()
    /// The characters of `target` have been checked.
    ///
    /// Clients repeat themselves: a target equal to the last one on the connection keeps its verdict.
    var isTargetChecked = false
    var pathCount = 0
    /// The `Host` value that was accepted last on this connection.
    var acceptedHost = GrowingMemory()
    /// `Origin` where the answer must name it; in the library's memory.
    var allowedOrigin: UnsafePointer<CChar>?

    var body = GrowingMemory()
    var bodyLimit = 0
    /// Bytes of `body` counted in the server's total.
    var chargedBodyBytes = 0

    /// An answer that is ready before the request is complete.
    var prepared: PreparedResponse?
    var stream: StreamBody?
    var deferred: DeferredResponse?

    init(server: Unmanaged<ServerCore>, socket: Int32, tick: UInt32) {
        unsafe self.server = unsafe server
        self.socket = socket
        progress = Atomic(Progress.idle(since: tick).rawValue)
    }

    /// Path and query, without the question mark.
    var pathAndQuery: (path: UnsafeRawBufferPointer, query: UnsafeRawBufferPointer) {
        let bytes = unsafe target.bytes
        let path = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<pathCount])
        guard pathCount < bytes.count else {
            return unsafe (path, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return unsafe (path, UnsafeRawBufferPointer(rebasing: bytes[(pathCount + 1)...]))
    }
}

/// A phase and its beginning, packed so that the watchdog reads both at once.
struct Progress: RawRepresentable {
    let rawValue: UInt64

    static func idle(since tick: UInt32) -> Progress { Progress(rawValue: UInt64(tick)) }
    static func busy(since tick: UInt32) -> Progress { Progress(rawValue: 1 << 32 | UInt64(tick)) }
    /// Streams and deferred answers: no time limit.
    static func unlimited(since tick: UInt32) -> Progress {
        Progress(rawValue: 3 << 32 | UInt64(tick))
    }

    var isBusy: Bool { rawValue & 1 << 32 != 0 }
    var hasTimeLimit: Bool { rawValue & 2 << 32 == 0 }
    var start: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

/// Bytes that grow and keep their memory until told otherwise.
@safe
struct GrowingMemory: ~Copyable {
    private(set) var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private(set) var count = 0

    deinit { unsafe base?.deallocate() }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// Whether the content is this.
    func equals(_ other: UnsafeRawPointer, count: Int) -> Bool {
        guard count == self.count, let base = unsafe base else { return false }
        return unsafe memcmp(base, other, count) == 0
    }

    /// Replaces the content.
    mutating func assign(_ source: UnsafeRawPointer, count: Int) {
        self.count = 0
        unsafe append(source, count: count, padding: 0)
    }

    mutating func append(_ source: UnsafeRawPointer, count added: Int, padding: Int) {
        reserve(count + added + padding)
        guard let base = unsafe base else { return }
        unsafe (base + count).copyMemory(from: source, byteCount: added)
        count += added
    }

    /// Makes `padding` bytes behind the content readable, and zero.
    mutating func pad(_ padding: Int) {
        reserve(count + padding)
        guard let base = unsafe base else { return }
        unsafe (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: padding)
    }

    mutating func removeAll(keepingCapacity kept: Int) {
        count = 0
        if capacity > kept {
            unsafe base?.deallocate()
            unsafe base = nil
            capacity = 0
        }
    }

    private mutating func reserve(_ needed: Int) {
        guard needed > capacity else { return }
        let larger = max(needed, capacity * 2, 256)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        if let base = unsafe base {
            unsafe memory.copyMemory(from: base, byteCount: count)
            unsafe base.deallocate()
        }
        unsafe base = memory
        capacity = larger
    }
}
