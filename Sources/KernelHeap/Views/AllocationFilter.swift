/// What of the outstanding allocations is wanted.
public struct AllocationFilter: Hashable, Sendable {
    public var since: UInt64 = 0
    public var cache: String?
    public var function: String?
    public var kind: OutstandingAllocation.Kind?
    /// Where the memory lies; areas lie in no one zone.
    public var zone: ZoneType?
    /// Bytes of one.
    public var sizes: ClosedRange<UInt64> = 0...UInt64.max
    /// Calls since the allocation; what has no call passes only where this is everything.
    public var ages: ClosedRange<UInt64> = 0...UInt64.max

    public init() {}
}

/// Which allocations come first.
public enum AllocationOrder: String, CaseIterable, Hashable, Sendable {
    /// The largest.
    case size
    /// The oldest; those without a call come last.
    case age
}

extension Kernel {
    /// The kind of the zone that a frame lies in; nil for a hole or beyond memory.
    public func zoneType(of pfn: PFN) -> ZoneType? {
        pages.zoneIndex(of: pfn.rawValue).map { pages.zones[$0].type }
    }

    /// The largest or oldest of the outstanding allocations.
    ///
    /// - Parameters:
    ///   - filter: which allocations.
    ///   - order: what comes first; equal ones come in the order of the walk.
    ///   - limit: most to give.
    /// - Returns: the allocations, and how many pass the filter with how many bytes.
    public func topAllocations(
        _ filter: AllocationFilter,
        by order: AllocationOrder,
        limit: Int
    ) -> (found: [OutstandingAllocation], count: UInt64, bytes: UInt64) {
        let all = outstandingAllocations(since: filter.since).filter { passes($0, filter) }
        let ranked = all.enumerated().map { ($0.offset, rank(of: $0.element, order)) }
        let first = ranked.sorted { $0.1 == $1.1 ? $0.0 < $1.0 : $0.1 > $1.1 }.prefix(max(limit, 0))
        let bytes = all.reduce(0) { $0 &+ $1.size }
        return (first.map { all[$0.0] }, UInt64(all.count), bytes)
    }

    private func rank(of allocation: OutstandingAllocation, _ order: AllocationOrder) -> UInt64 {
        switch order {
        case .size: allocation.size
        // One up, so that what has no call is behind the newest.
        case .age: allocation.call.map { sequence - min($0, sequence) &+ 1 } ?? 0
        }
    }

    /// Whether an allocation is wanted, but for `since`.
    func passes(_ allocation: OutstandingAllocation, _ filter: AllocationFilter) -> Bool {
        guard filter.sizes.contains(allocation.size),
            filter.kind.map({ $0 == allocation.kind }) ?? true,
            filter.cache.map({ $0 == allocation.cache }) ?? true
        else { return false }
        if let function = filter.function {
            guard let call = allocation.call, self.function(ofCall: call) == function else {
                return false
            }
        }
        if let wanted = filter.zone {
            guard let pfn = allocation.pfn, let zone = pages.zoneIndex(of: pfn),
                pages.zones[zone].type == wanted
            else { return false }
        }
        guard filter.ages != 0...UInt64.max else { return true }
        return allocation.call.map { filter.ages.contains(sequence - min($0, sequence)) } ?? false
    }
}
