/// What a zone remembers between its compactions: the `compact_*` fields of `struct zone`.
struct ZoneCompaction: Sendable {
    /// Where the search for movable pages goes on; a frame outside the zone means its start.
    var asyncMigratePFN = 0
    var syncMigratePFN = 0
    /// Where the search for free pages goes on; a frame outside the zone means its end.
    var freePFN = 0
    /// Requests since the last compaction that was in vain.
    private(set) var considered = 0
    /// One in 2^shift requests is tried.
    private(set) var deferShift = 0
    /// The lowest order that failed.
    private(set) var failedOrder = 0

    /// `COMPACT_MAX_DEFER_SHIFT`.
    private static let mostShift = 6

    /// The one in how many requests that is tried.
    var deferLimit: Int { 1 << deferShift }

    /// Whether a compaction is not tried this time: `compaction_deferred()`.
    mutating func defers(order: Int) -> Bool {
        guard order >= failedOrder else { return false }
        considered = min(considered + 1, deferLimit)
        return considered < deferLimit
    }

    /// A compaction was in vain: `defer_compaction()`.
    mutating func noteFailure(order: Int) {
        considered = 0
        deferShift = min(deferShift + 1, Self.mostShift)
        failedOrder = min(failedOrder, order)
    }

    /// A block of the order is there, or was even handed out: `compaction_defer_reset()`.
    mutating func noteSuccess(order: Int, isServed: Bool) {
        if isServed {
            considered = 0
            deferShift = 0
        }
        failedOrder = max(failedOrder, order + 1)
    }

    /// The next compaction begins at both ends: `reset_cached_positions()`.
    mutating func forgetPositions() {
        asyncMigratePFN = 0
        syncMigratePFN = 0
        freePFN = 0
    }

    /// The search for movable pages need not look below a frame again:
    /// `update_cached_migrate()`.
    mutating func noteMigrate(_ pfn: Int, isSync: Bool) {
        asyncMigratePFN = max(asyncMigratePFN, pfn)
        if isSync { syncMigratePFN = max(syncMigratePFN, pfn) }
    }
}
