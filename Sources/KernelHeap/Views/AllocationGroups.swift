/// Outstanding allocations that have something in common.
public struct AllocationGroup: Hashable, Sendable {
    /// What the allocations of a group share.
    public enum Key: String, CaseIterable, Hashable, Sendable {
        /// The call that allocated them.
        case call
        /// That call's function.
        case function
        /// The cache; `null` for pages and areas.
        case cache
        /// Bytes of one.
        case size
        /// Calls since then, to the next power of two.
        case age
    }

    /// How groups are ordered; the largest come first.
    public enum Order: String, CaseIterable, Hashable, Sendable {
        case count, bytes, age
    }

    public var key: FactValue
    public var count: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Calls since the oldest of them; nil where no call is known.
    public var oldestAge: UInt64?
    /// The oldest and the newest call among them.
    public var oldestCall: UInt64?
    public var newestCall: UInt64?
}

extension Kernel {
    /// Outstanding allocations by what they share.
    ///
    /// - Parameters:
    ///   - filter: which allocations.
    ///   - key: what makes a group.
    ///   - order: which groups come first; equal ones come in the order of their oldest allocation.
    /// - Returns: every group.
    public func allocationGroups(
        _ filter: AllocationFilter,
        by key: AllocationGroup.Key,
        order: AllocationGroup.Order
    ) -> [AllocationGroup] {
        var places: [FactValue: Int] = [:]
        var groups: [AllocationGroup] = []
        for allocation in outstandingAllocations(since: filter.since)
        where passes(allocation, filter) {
            let value = value(of: key, of: allocation)
            let place = places[value] ?? groups.count
            if place == groups.count {
                groups.append(AllocationGroup(key: value))
                places[value] = place
            }
            groups[place].count += 1
            groups[place].bytes &+= allocation.size
            guard let call = allocation.call else { continue }
            groups[place].oldestCall = min(groups[place].oldestCall ?? call, call)
            groups[place].newestCall = max(groups[place].newestCall ?? call, call)
            groups[place].oldestAge = sequence - min(groups[place].oldestCall ?? sequence, sequence)
        }
        return groups.enumerated().sorted { left, right in
            let (a, b) = (Self.rank(left.element, order), Self.rank(right.element, order))
            return a == b ? left.offset < right.offset : a > b
        }.map(\.element)
    }

    private func value(
        of key: AllocationGroup.Key,
        of allocation: OutstandingAllocation
    ) -> FactValue {
        switch key {
        case .call: return allocation.call.map { .count($0) } ?? .null
        case .function:
            return allocation.call.flatMap { function(ofCall: $0) }.map { .text($0) } ?? .null
        case .cache: return allocation.cache.map { .text($0) } ?? .null
        case .size: return .count(allocation.size)
        case .age:
            guard let call = allocation.call else { return .null }
            let age = sequence - min(call, sequence)
            guard age > 1 else { return .count(age) }
            let bits = UInt64.bitWidth - (age - 1).leadingZeroBitCount
            return .count(bits < 64 ? 1 << UInt64(bits) : UInt64.max)
        }
    }

    private static func rank(_ group: AllocationGroup, _ order: AllocationGroup.Order) -> UInt64 {
        switch order {
        case .count: group.count
        case .bytes: group.bytes
        case .age: group.oldestAge ?? 0
        }
    }
}
