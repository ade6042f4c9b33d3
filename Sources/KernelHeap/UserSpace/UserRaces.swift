/// Stores of another thread of a process, made between two fetches of the kernel's.
///
///     kernel   fetch length ───────────────── fetch length again: a double fetch, warned about
///     thread                 store length
///
/// A client registers the store; the machine makes it after the next fetch that touches the bytes,
/// and remembers what changed until the kernel fetches the same bytes once more.
struct UserRaces: Sendable {
    /// Stores that wait, and changes that are remembered, at most.
    static let limit = 64
    /// Bytes of one store.
    static let maximumBytes = 4_096

    struct Store: Sendable {
        var process: Int
        var address: UInt64
        var bytes: [UInt8]

        func touches(_ process: Int, _ address: UInt64, _ count: UInt64) -> Bool {
            self.process == process && self.address < address &+ count
                && address < self.address &+ UInt64(bytes.count)
        }
    }

    /// A store that was made, and the call that had fetched the bytes before.
    struct Change: Sendable {
        var store: Store
        var before: [UInt8]
        var call: UInt64
    }

    private(set) var waiting: [Store] = []
    private var changes: [Change] = []

    var isEmpty: Bool { waiting.isEmpty && changes.isEmpty }

    /// Registers a store; false where there is no room.
    mutating func add(_ store: Store) -> Bool {
        guard waiting.count < Self.limit else { return false }
        waiting.append(store)
        return true
    }

    mutating func remember(_ change: Change) {
        if changes.count == Self.limit { changes.removeFirst() }
        changes.append(change)
    }

    /// Takes the stores that a fetch lets go.
    mutating func takeStores(_ process: Int, _ address: UInt64, _ count: UInt64) -> [Store] {
        let due = waiting.filter { $0.touches(process, address, count) }
        waiting.removeAll { $0.touches(process, address, count) }
        return due
    }

    /// Takes the changes that a fetch sees.
    mutating func takeChanges(_ process: Int, _ address: UInt64, _ count: UInt64) -> [Change] {
        let seen = changes.filter { $0.store.touches(process, address, count) }
        changes.removeAll { $0.store.touches(process, address, count) }
        return seen
    }

    /// Forgets what an exited process had.
    mutating func forget(_ process: Int) {
        waiting.removeAll { $0.process == process }
        changes.removeAll { $0.store.process == process }
    }
}

/// Bytes that the kernel fetched twice, and that were not the same.
public struct DoubleFetch: Hashable, Sendable {
    public var address: LinearAddress
    /// What stood there at the first fetch, and what the second one found.
    public var before: [UInt8]
    public var after: [UInt8]
    /// The call that fetched first.
    public var firstCall: UInt64
}

extension Kernel {
    /// Notes that the kernel has fetched user bytes: a race is run, or seen to have been lost.
    mutating func noteFetch(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) {
        guard !races.isEmpty, count > 0 else { return }
        for change in races.takeChanges(process, address, count) where change.call != sequence {
            misuse.add(
                .doubleFetch(
                    DoubleFetch(
                        address: LinearAddress(rawValue: change.store.address),
                        before: change.before,
                        after: change.store.bytes,
                        firstCall: change.call
                    )
                )
            )
        }
        for store in races.takeStores(process, address, count) { run(store, in: context) }
    }

    /// Makes another thread's store, as far as its rights go.
    private mutating func run(_ store: UserRaces.Store, in context: CallContext) {
        var before: [UInt8] = []
        var made = store
        var rest = store.bytes[...]
        let length = UInt64(store.bytes.count)
        let (done, _) = walkUser(
            store.process,
            store.address,
            length,
            for: .store,
            cpu: context.cpu
        ) { kernel, pfn, offset, count in
            if let pfn {
                kernel.readFrame(pfn, offset: offset, count: count, into: &before)
                kernel.writeFrame(pfn, offset: offset, rest.prefix(count))
            }
            rest = rest.dropFirst(count)
        }
        made.bytes = Array(store.bytes.prefix(Int(clamping: done)))
        guard before != made.bytes, before.count == made.bytes.count else { return }
        races.remember(UserRaces.Change(store: made, before: before, call: sequence))
    }
}
