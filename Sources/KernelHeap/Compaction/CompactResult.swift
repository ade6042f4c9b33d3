/// What a compaction came to: `enum compact_result`, in the kernel's order.
///
/// The higher one of two zones' results is the one that counts.
public enum CompactResult: Int, Comparable, Hashable, Sendable {
    /// Not tried: there are too few free pages, or enough large blocks, or the flags forbid it.
    case skipped
    /// Not tried, because it was in vain of late.
    case deferred
    /// Looked at everything that it may move.
    case complete
    /// Looked at what was left from the time before, up to the end.
    case partialSkipped
    /// Ended early: there was no free page to move to.
    case contended
    /// A block of the wished order is there.
    case success

    public static func < (left: CompactResult, right: CompactResult) -> Bool {
        left.rawValue < right.rawValue
    }

    /// Lower-case words, for JSON.
    public var name: String {
        switch self {
        case .skipped: "skipped"
        case .deferred: "deferred"
        case .complete: "complete"
        case .partialSkipped: "partial_skipped"
        case .contended: "contended"
        case .success: "success"
        }
    }
}

/// How hard a request tries to compact: `enum compact_priority`.
enum CompactPriority: Int {
    /// Also where other kinds of pages live, and from the ends of the zone.
    case syncFull
    case syncLight
    /// Only where whole blocks may come free.
    case async
}

/// What a request remembers of its compactions between its rounds: `should_compact_retry()`.
struct CompactRetry {
    /// `MAX_COMPACT_RETRIES`.
    private static let mostRetries = 16

    var priority = CompactPriority.syncLight
    /// Of the last compaction.
    var result = CompactResult.skipped
    private var retries = 0

    /// Whether another round of reclaim and compaction is worth it.
    ///
    /// - Parameters:
    ///   - order: of the wanted block.
    ///   - mayBecomeSuitable: whether there would be enough free pages if all were reclaimed.
    /// - Returns: whether it is.
    mutating func isWorthAnotherRound(order: Int, _ mayBecomeSuitable: () -> Bool) -> Bool {
        guard order > 0 else { return false }
        let isCostly = order > GFPFlags.costlyOrder
        switch result {
        case .skipped:
            retries += 1
            return retries <= Self.mostRetries && mayBecomeSuitable()
        case .success:
            retries += 1
            if retries <= (isCostly ? Self.mostRetries / 4 : Self.mostRetries) { return true }
        case .deferred, .complete, .partialSkipped, .contended: break
        }
        guard let harder = CompactPriority(rawValue: priority.rawValue - 1),
            !isCostly || priority == .async
        else { return false }
        priority = harder
        retries = 0
        return true
    }
}
