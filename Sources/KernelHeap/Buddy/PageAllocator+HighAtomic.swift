/// The high-atomic reserve: pageblocks kept for requests above order 0 that may neither wait nor
/// fail lightly.
///
/// A pageblock is set aside when such a request was served from below the low mark, and given back
/// before a request that can wait gives up. The reserve counts whole pageblocks, however much of
/// them is free, as `nr_reserved_highatomic` does; see `fallback/` of the recordings.
extension PageAllocator {
    /// Sets the pageblock of a page just served aside: `reserve_highatomic_pageblock()`, 6.1.
    ///
    /// A zone sets about a hundredth of its pages aside, and a pageblock more.
    @inline(never)
    mutating func reserveHighAtomic(_ pfn: UInt32, zone: Int) {
        let limit = Int(clamping: zones[zone].managed / 100) + pageblockPages
        let type = pageblockType(of: pfn)
        guard zones[zone].highAtomicReserved < limit, type.rawValue < 3 else { return }
        zones[zone].highAtomicReserved += pageblockPages
        setPageblockType(of: pfn, to: .highAtomic)
        let first = pfn & ~UInt32(pageblockPages - 1)
        _ = moveFreeBlocks(pageblock: first, containing: pfn, zone: zone, to: .highAtomic)
        guard decisions.isOn else { return }
        decisions.add(
            .highAtomicReserved(
                zone: zones[zone].type,
                pageblock: PFN(rawValue: UInt64(first)),
                reserved: zones[zone].highAtomicReserved
            )
        )
    }

    /// Gives one reserved pageblock with free pages to a class: `unreserve_highatomic_pageblock()`,
    /// 6.1, with memory so short that the last one goes too.
    ///
    /// - Returns: whether pages moved, so that another attempt may succeed.
    mutating func unreserveHighAtomic(_ request: AllocationRequest, _ list: Zonelist) -> Bool {
        for position in 0..<list.count {
            let zone = list[position]
            guard zones[zone].unlisted.isEmpty else { continue }
            for order in 0...Zone.maxOrder {
                guard let pfn = firstFree(zone: zone, order: order, type: .highAtomic) else {
                    continue
                }
                if pageblockType(of: pfn) == .highAtomic {
                    let reserved = zones[zone].highAtomicReserved
                    zones[zone].highAtomicReserved -= min(pageblockPages, reserved)
                }
                setPageblockType(of: pfn, to: request.migrateType)
                let first = pfn & ~UInt32(pageblockPages - 1)
                let moved = moveFreeBlocks(
                    pageblock: first,
                    containing: pfn,
                    zone: zone,
                    to: request.migrateType
                )
                guard moved > 0 else { continue }
                if decisions.isOn {
                    decisions.add(
                        .highAtomicReturned(
                            zone: zones[zone].type,
                            pageblock: PFN(rawValue: UInt64(first)),
                            reserved: zones[zone].highAtomicReserved
                        )
                    )
                }
                return true
            }
        }
        return false
    }

    /// A free block of the reserve, for requests that may have it.
    mutating func takeHighAtomic(zone: Int, order: Int) -> UInt32? {
        guard zones[zone].highAtomicReserved > 0 else { return nil }
        return takeSmallest(zone: zone, order: order, type: .highAtomic)
    }
}
