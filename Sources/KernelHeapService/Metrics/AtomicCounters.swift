internal import Synchronization

/// A fixed number of counters that any thread may raise.
@safe
final class AtomicCounters: Sendable {
    // The counters live as long as the table and are touched through atomics only.
    private nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>
    let count: Int

    init(count: Int) {
        self.count = count
        unsafe counters = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (counters + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe counters.deinitialize(count: count)
        unsafe counters.deallocate()
    }

    /// Raises a counter; an index outside the table counts nothing.
    @inline(__always)
    func add(_ index: Int, _ amount: UInt64 = 1) {
        guard index >= 0, index < count else { return }
        unsafe counters[index].wrappingAdd(amount, ordering: .relaxed)
    }

    func value(_ index: Int) -> UInt64 {
        guard index >= 0, index < count else { return 0 }
        return unsafe counters[index].load(ordering: .relaxed)
    }
}
