internal import CHTTPBridge
internal import Synchronization

/// What all connections of a server share: the handler, the limits, the counters.
///
/// The library's callbacks receive it as their context. Everything that changes is atomic or behind
/// a lock; the rest is constant, and constants of a class cost no exclusivity check.
final class ServerCore: Sendable {
    let handler: any RequestHandler
    let problems: any ProblemSource
    let configuration: HTTPServerConfiguration
    let hostNames: HostNames
    let origins: OriginPolicy

    /// Half seconds since the start; moved by the watchdog.
    let tick = Atomic<UInt32>(0)
    let isStopping = Atomic(false)
    let connectionCount = Atomic(0)
    /// Bytes that bodies hold beyond what every connection may keep.
    let bufferedBodyBytes = Atomic(0)
    let connections = Mutex(ConnectionList())
    /// Suspended or streaming connections, by the address of their record.
    private let sleepers = Mutex<[UInt: Sleeper]>([:])

    struct Sleeper {
        enum Kind {
            case stream(StreamConnection)
            case deferred(DeferredResponse)
        }
        let kind: Kind
        let socket: Int32
    }

    init(
        configuration: HTTPServerConfiguration,
        handler: any RequestHandler,
        problems: any ProblemSource
    ) {
        self.configuration = configuration
        self.handler = handler
        self.problems = problems
        hostNames = HostNames(bindHost: configuration.host, allowed: configuration.allowedHosts)
        origins = OriginPolicy(allowed: configuration.allowedOrigins)
    }

    var currentTick: UInt32 { tick.load(ordering: .relaxed) }

    func problem(_ reason: ServerRefusal) -> Response {
        problems.problem(status: reason.status, reason: reason)
    }

    /// Remembers a connection that may sleep; false when the server stops and nothing may sleep.
    func register(_ sleeper: Sleeper, for key: UInt) -> Bool {
        sleepers.withLock { sleepers in
            guard !isStopping.load(ordering: .relaxed) else { return false }
            sleepers[key] = sleeper
            return true
        }
    }

    func unregister(_ key: UInt) {
        _ = sleepers.withLock { $0.removeValue(forKey: key) }
    }

    /// Begins the stop: streams end, deferred answers become refusals, nothing sleeps any more.
    func wakeEverybody() {
        let sleeping = sleepers.withLock { sleepers in
            isStopping.store(true, ordering: .relaxed)
            return Array(sleepers.values)
        }
        for sleeper in sleeping {
            switch sleeper.kind {
            case .stream(let stream): stream.end()
            case .deferred(let deferred): deferred.complete(with: problem(.stopping))
            }
        }
    }

    /// Ends streams whose clients are gone: a suspended connection is not watched by the library.
    func reapAbandonedStreams() {
        // Under the lock a socket cannot be closed and its number used again.
        sleepers.withLock { sleepers in
            for sleeper in sleepers.values {
                guard case .stream(let stream) = sleeper.kind else { continue }
                stream.endIfPeerHasLeft(socket: sleeper.socket)
            }
        }
    }
}

/// The open connections of a server, linked through their records.
@safe
struct ConnectionList: ~Copyable, @unchecked Sendable {
    // Unchecked: the links are touched under the lock that holds the list.
    private var head: UnsafeMutablePointer<ConnectionRecord>?

    mutating func insert(_ record: UnsafeMutablePointer<ConnectionRecord>) {
        unsafe record.pointee.next = unsafe head
        unsafe head?.pointee.previous = unsafe record
        unsafe head = unsafe record
    }

    mutating func remove(_ record: UnsafeMutablePointer<ConnectionRecord>) {
        let next = unsafe record.pointee.next
        let previous = unsafe record.pointee.previous
        unsafe next?.pointee.previous = unsafe previous
        if let previous = unsafe previous {
            unsafe previous.pointee.next = unsafe next
        } else {
            unsafe head = unsafe next
        }
    }

    /// Visits each connection's socket and the progress of its request.
    func forEach(_ body: (_ socket: Int32, _ progress: Progress) -> Void) {
        var current = unsafe head
        while let record = unsafe current {
            let progress = unsafe record.pointee.progress.load(ordering: .relaxed)
            unsafe body(record.pointee.socket, Progress(rawValue: progress))
            unsafe current = record.pointee.next
        }
    }
}
