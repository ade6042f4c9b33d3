/// Freed objects that wait before they may be allocated again, so that stale pointers meet nobody
/// else's memory.
///
///     kfree → the CPU's queue, up to 1 MiB → batches: oldest … newest → freelists
///
/// The batches hold a part in 32 of memory, less what the CPUs' queues may; when they hold more, the
/// oldest goes at the next allocation that may block. Follows `mm/kasan/quarantine.c`, 6.1. Host
/// memory: eight bytes an object.
struct Quarantine: Sendable {
    /// Bytes that a CPU's queue may hold: `QUARANTINE_PERCPU_SIZE`.
    static let queueBytes: UInt64 = 1 << 20
    /// Of memory, what the quarantine may hold: `QUARANTINE_FRACTION`.
    static let fraction: UInt64 = 32
    /// `QUARANTINE_BATCHES`.
    static let batchLimit = 1_024

    /// Objects by their addresses, oldest first.
    private struct Batch: Sendable {
        var objects: [UInt64] = []
        /// Of their slots.
        var bytes: UInt64 = 0

        mutating func take(_ other: inout Batch) {
            objects += other.objects
            bytes &+= other.bytes
            other = Batch()
        }
    }

    private var queues: [Batch]
    /// Oldest first; never empty.
    private var batches = [Batch()]
    /// Bytes of the batches.
    private(set) var bytes: UInt64 = 0
    /// How many bytes the batches may have, and how many make one full; known from the first look on.
    private var maximum: UInt64 = 0
    private var batchBytes = Quarantine.queueBytes

    init(cpus: Int) { queues = Array(repeating: Batch(), count: cpus) }

    /// Objects that wait.
    var count: Int {
        queues.reduce(0) { $0 + $1.objects.count } + batches.reduce(0) { $0 + $1.objects.count }
    }

    var heldBytes: Int {
        let objects = queues.reduce(0) { $0 + $1.objects.capacity }
        return (batches.reduce(objects) { $0 + $1.objects.capacity } + batches.count * 3) * 8
    }

    /// Takes a freed object: `kasan_quarantine_put()`.
    ///
    /// - Parameters:
    ///   - object: its address.
    ///   - size: of its slot in bytes.
    ///   - cpu: which frees it.
    @inline(__always)
    mutating func put(_ object: UInt64, size: UInt64, cpu: Int) {
        guard queues.indices.contains(cpu) else { return }
        queues[cpu].objects.append(object)
        queues[cpu].bytes &+= size
        if queues[cpu].bytes > Self.queueBytes { moveQueue(of: cpu) }
    }

    @inline(never)
    private mutating func moveQueue(of cpu: Int) {
        let newest = batches.count - 1
        bytes &+= queues[cpu].bytes
        batches[newest].take(&queues[cpu])
        if batches[newest].bytes >= batchBytes, batches.count < Self.batchLimit {
            batches.append(Batch())
        }
    }

    /// Whether the oldest batch must go; the limit is worked out anew by `reduce`.
    @inline(__always)
    var isFull: Bool { bytes > maximum }

    /// Gives the oldest batch back where there is too much: `kasan_quarantine_reduce()`.
    ///
    /// - Parameter memory: of the machine, in bytes.
    /// - Returns: objects to be freed, oldest first.
    mutating func reduce(memory: UInt64) -> [UInt64] {
        guard isFull else { return [] }
        let total = memory / Self.fraction
        let queued = Self.queueBytes &* UInt64(queues.count)
        maximum = total > queued ? total - queued : 0
        batchBytes = max(Self.queueBytes, 2 * total / UInt64(Self.batchLimit))
        guard isFull, let oldest = batches.first else { return [] }
        bytes -= min(bytes, oldest.bytes)
        batches.removeFirst()
        if batches.isEmpty { batches.append(Batch()) }
        return oldest.objects
    }

    /// Takes objects out wherever they wait: `kasan_quarantine_remove_cache()`.
    ///
    /// - Parameters:
    ///   - size: of the slot of each of them.
    ///   - isWanted: of an object's address.
    /// - Returns: the objects, oldest first on each CPU, behind them those of the batches.
    mutating func remove(size: UInt64, where isWanted: (UInt64) -> Bool) -> [UInt64] {
        var removed: [UInt64] = []
        for cpu in queues.indices {
            queues[cpu].bytes -= Self.extract(from: &queues[cpu], size, &removed, isWanted)
        }
        for place in batches.indices {
            let gone = Self.extract(from: &batches[place], size, &removed, isWanted)
            batches[place].bytes -= gone
            bytes -= min(bytes, gone)
        }
        return removed
    }

    private static func extract(
        from batch: inout Batch,
        _ size: UInt64,
        _ removed: inout [UInt64],
        _ isWanted: (UInt64) -> Bool
    ) -> UInt64 {
        let before = removed.count
        var kept: [UInt64] = []
        for object in batch.objects {
            if isWanted(object) { removed.append(object) } else { kept.append(object) }
        }
        guard removed.count > before else { return 0 }
        batch.objects = kept
        return min(batch.bytes, UInt64(removed.count - before) &* size)
    }
}
