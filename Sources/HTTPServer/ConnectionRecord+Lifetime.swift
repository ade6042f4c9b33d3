internal import Glibc
internal import Synchronization

extension ConnectionRecord {
    /// Memory that a connection keeps between requests.
    static let keptBodyBytes = 16 * 1_024
    /// Bodies up to here are not counted in the server's total.
    static let uncountedBodyBytes = 4 * 1_024
    /// Readable bytes behind a body.
    static let bodyPadding = 64

    var core: ServerCore { unsafe server._withUnsafeGuaranteedRef { $0 } }

    /// A request line is here; the library cuts the target at `?` later, so it is copied.
    mutating func begin(target start: UnsafePointer<CChar>) {
        let count = unsafe strlen(start)
        unsafe targetStart = unsafe start
        if unsafe !target.equals(UnsafeRawPointer(start), count: count) {
            isTargetChecked = false
            unsafe target.assign(UnsafeRawPointer(start), count: count)
            if let mark = unsafe memchr(start, 0x3F, count) {
                pathCount = unsafe UnsafeRawPointer(mark) - UnsafeRawPointer(start)
            } else {
                pathCount = count
            }
        }
        phase = .headers
        body.removeAll(keepingCapacity: Self.keptBodyBytes)
        bodyLimit = 0
        isHTTP10 = false
        mark(.busy(since: core.currentTick))
    }

    /// The request is over: lets go of everything that belonged to it.
    ///
    /// Safe to repeat.
    mutating func end() {
        if stream != nil || deferred != nil {
            core.unregister(key)
            stream?.close()
            stream = nil
            deferred?.detach()
            deferred = nil
        }
        prepared = nil
        unsafe allowedOrigin = nil
        unsafe targetStart = nil
        body.removeAll(keepingCapacity: Self.keptBodyBytes)
        if chargedBodyBytes > 0 {
            core.bufferedBodyBytes.subtract(chargedBodyBytes, ordering: .relaxed)
            chargedBodyBytes = 0
        }
        phase = .idle
        mark(.idle(since: core.currentTick))
    }

    /// Counts body bytes in the server's total before they are stored; false when it is full.
    mutating func charge(bodyBytes total: Int) -> Bool {
        guard total > Self.uncountedBodyBytes, total > chargedBodyBytes else { return true }
        // Memory doubles as it grows, so does the count.
        let wanted = max(total, min(chargedBodyBytes * 2, bodyLimit))
        let added = wanted - chargedBodyBytes
        let sum = core.bufferedBodyBytes.add(added, ordering: .relaxed).newValue
        guard sum <= core.configuration.maximumBufferedBodyBytes else {
            core.bufferedBodyBytes.subtract(added, ordering: .relaxed)
            return false
        }
        chargedBodyBytes = wanted
        return true
    }

    func mark(_ progress: Progress) {
        self.progress.store(progress.rawValue, ordering: .relaxed)
    }

    /// Names the connection in the table of sleepers: its socket is unique while it is open.
    var key: UInt { UInt(bitPattern: Int(socket)) }
}
