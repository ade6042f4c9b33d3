/// A lock that somebody has, in the order in which they were taken: what lockdep keeps.
struct HeldLock: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable { case spinlock, mutex }

    var name: LockName
    var kind: Kind
    var cpu: Int
    var pid: Int
    /// The call that took it, and its function.
    var call: UInt64
    var function: String
}

/// A CPU that spins for a lock, or a task that sleeps for a mutex.
struct LockWait: Hashable, Sendable {
    var lock: HeldLock
}

/// Who has which lock, and who waits: the first to come is the first served.
struct LockTable: Hashable, Sendable {
    /// Locks that are held or waited for at one time.
    static let limit = 1_024

    var held: [HeldLock] = []
    var waits: [LockWait] = []

    var isFull: Bool { held.count + waits.count >= Self.limit }
    var isEmpty: Bool { held.isEmpty && waits.isEmpty }
    var heldBytes: Int { (held.count + waits.count) * (MemoryLayout<HeldLock>.stride + 64) }

    func holder(_ name: LockName, _ kind: HeldLock.Kind) -> HeldLock? {
        held.last { $0.name == name && $0.kind == kind }
    }

    /// What a CPU spins for.
    func spin(ofCPU cpu: Int) -> LockWait? {
        waits.first { $0.lock.kind == .spinlock && $0.lock.cpu == cpu }
    }

    /// What a task sleeps for.
    func sleep(ofTask pid: Int) -> LockWait? {
        waits.first { $0.lock.kind == .mutex && $0.lock.pid == pid }
    }

    /// Takes a lock from who has it; the one who gives it up comes first.
    mutating func remove(_ name: LockName, _ kind: HeldLock.Kind, cpu: Int, pid: Int) -> HeldLock? {
        let place =
            held.lastIndex {
                $0.name == name && $0.kind == kind
                    && (kind == .mutex ? $0.pid == pid : $0.cpu == cpu)
            } ?? held.lastIndex { $0.name == name && $0.kind == kind }
        return place.map { held.remove(at: $0) }
    }

    /// The first who waits for a lock gets it.
    mutating func handOver(_ name: LockName, _ kind: HeldLock.Kind) -> HeldLock? {
        guard let place = waits.firstIndex(where: { $0.lock.name == name && $0.lock.kind == kind })
        else { return nil }
        let lock = waits.remove(at: place).lock
        held.append(lock)
        return lock
    }

    /// Whether a wish can never be granted: the holder waits for the one who wishes, in the end.
    func isDeadlock(_ wish: HeldLock) -> Bool {
        var wanted = wish
        for _ in 0...waits.count {
            guard let holder = holder(wanted.name, wanted.kind) else { return false }
            let isSelf = wish.kind == .spinlock ? holder.cpu == wish.cpu : holder.pid == wish.pid
            if isSelf { return true }
            let next = wish.kind == .spinlock ? spin(ofCPU: holder.cpu) : sleep(ofTask: holder.pid)
            guard let next else { return false }
            wanted = next.lock
        }
        return false
    }
}
