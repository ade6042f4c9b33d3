/// What a compaction came to: `enum compact_result`.
enum CompactResult {
    /// Not tried: there are too few free pages, or a block is there already.
    case skipped
    /// A block of the wished order is there.
    case success
    /// Looked at everything that it may move.
    case complete
}

/// Free pages are brought side by side: `mm/compaction.c`, 6.1.
extension Kernel {
    /// `__alloc_pages_direct_compact()`.
    mutating func directCompact(_ request: AllocationRequest, isThorough: Bool) -> CompactResult {
        .skipped
    }

    /// Whether reclaim may stop, for compaction could make the block now: `compaction_ready()`.
    func mayCompact(_ request: AllocationRequest) -> Bool { false }
}
