/// Memory that a caller holds: a slab object, or a block of pages that is no slab.
public struct AllocationView: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// `requested` is what `kmalloc` was asked for; nil in caches of one size.
        case object(cache: String, index: Int, slab: PFN, requested: UInt64?)
        case pages(order: Int, references: UInt64, isOnLRU: Bool)
    }

    /// The address in the direct map.
    public var address: LinearAddress
    /// Usable bytes.
    public var allocated: UInt64
    public var pfn: PFN
    public var zone: ZoneType
    public var node: Int
    /// The call that allocated it; nil for what the boot allocated.
    public var call: UInt64?
    public var kind: Kind
}

/// What one cache has handed out.
public struct AllocationTotal: Hashable, Sendable {
    public var cache: String
    public var objects: UInt64
    /// Usable bytes of those objects.
    public var bytes: UInt64
}

extension Kernel {
    /// Places that one call of `allocations` looks at before it gives what it found.
    static let allocationSteps = 1 << 18
    /// Cursors from here on name a frame; below, a slab and an object in it.
    private static let firstPageCursor: UInt64 = 1 << 63

    /// Live allocations: slab objects by slab, then blocks of pages by frame.
    ///
    /// Costs what it passes on the way, with an upper limit; a page may therefore hold fewer
    /// allocations than asked for, even none, and still name a next one.
    ///
    /// - Parameters:
    ///   - cursor: 0, or what an earlier answer gave as next.
    ///   - limit: most allocations to give.
    ///   - cache: only objects of this cache; nil for everything.
    /// - Returns: the allocations, and the cursor to go on with, nil at the end.
    public func allocations(
        from cursor: UInt64,
        limit: Int,
        cache: CacheID? = nil
    ) -> (found: [AllocationView], next: UInt64?) {
        var found: [AllocationView] = []
        var steps = Self.allocationSteps
        if cursor < Self.firstPageCursor {
            var number = cursor >> 16
            var index = Int(cursor & 0xffff)
            while number < UInt64(slab.slabLimit) {
                let live = slab.slabs[Int(number)]
                let isWanted = live.isLive && cache.map { $0.rawValue == live.cache } ?? true
                while isWanted, index < Int(live.objects) {
                    guard found.count < limit, steps > 0 else {
                        return (found, number << 16 | UInt64(index))
                    }
                    steps -= 1
                    if let view = objectView(live, index) { found.append(view) }
                    index += 1
                }
                guard steps > 0 else { return (found, (number + 1) << 16) }
                steps -= 1
                index = 0
                number += 1
            }
        }
        guard cache == nil else { return (found, nil) }
        let first = cursor >= Self.firstPageCursor ? cursor - Self.firstPageCursor : 0
        let next = appendBlocks(to: &found, from: first, limit: limit, steps: steps)
        return (found, next.map { Self.firstPageCursor + $0 })
    }

    private func objectView(_ live: Slab, _ index: Int) -> AllocationView? {
        let state = slab.states[Int(live.states) + index]
        guard slab.isOwned(Int(live.states) + index) else { return nil }
        let shape = slab.caches[Int(live.cache)]
        let offset = UInt64(index) * UInt64(shape.size) + UInt64(shape.redLeftPad)
        let zone = pages.zones[pages.map[Int(live.pfn)].zone]
        return AllocationView(
            address: LinearAddress(rawValue: layout.virtual(live.pfn) &+ offset),
            allocated: UInt64(shape.objectSize),
            pfn: PFN(rawValue: UInt64(live.pfn) + offset >> 12),
            zone: zone.type,
            node: zone.node,
            call: call(state.call),
            kind: .object(
                cache: slab.catalog.name(CacheID(rawValue: live.cache)),
                index: index,
                slab: PFN(rawValue: UInt64(live.pfn)),
                requested: state.requested == 0 ? nil : state.requested
            )
        )
    }

    /// A call's whole number from its low half: the last call that ended so.
    func call(_ low: UInt32) -> UInt64? {
        var number = sequence & ~0xffff_ffff | UInt64(low)
        if number > sequence, number > 0xffff_ffff { number -= 1 << 32 }
        return number == 0 ? nil : number
    }

    private func appendBlocks(
        to found: inout [AllocationView],
        from first: UInt64,
        limit: Int,
        steps: Int
    ) -> UInt64? {
        let end = pages.endPFN
        var steps = steps
        var pfn = first
        while pfn < end {
            guard found.count < limit, steps > 0 else { return pfn }
            steps -= 1
            let run = frameRun(at: pfn, limit: end)
            if case .block(let page) = run.use, page.kind == .allocated, let place = run.zone {
                let zone = pages.zones[place]
                found.append(
                    AllocationView(
                        address: LinearAddress(
                            rawValue: layout.virtual(UInt32(truncatingIfNeeded: run.start))
                        ),
                        allocated: (run.end - run.start) << 12,
                        pfn: PFN(rawValue: run.start),
                        zone: zone.type,
                        node: zone.node,
                        call: call(page.call),
                        kind: .pages(
                            order: page.order,
                            references: UInt64(page.word),
                            isOnLRU: page.isOnLRU
                        )
                    )
                )
            }
            pfn = max(run.end, pfn + 1)
        }
        return nil
    }

    /// Live objects by cache, in order of creation; caches without any are left out.
    ///
    /// Costs the partial slabs and the CPUs' slabs.
    public func allocationTotals() -> [AllocationTotal] {
        slab.catalog.order.compactMap { cache in
            let objects = slab.liveObjects(of: cache)
            guard objects > 0 else { return nil }
            return AllocationTotal(
                cache: slab.catalog.names[cache],
                objects: objects,
                bytes: objects * UInt64(slab.caches[cache].objectSize)
            )
        }
    }

    /// Pages in use that are neither slabs nor kept at boot.
    public func allocatedPages() -> UInt64 {
        var pages: UInt64 = 0
        for zone in zoneViews() {
            let held = zone.free + zone.pageSets.reduce(0) { $0 + $1.count }
            pages += zone.managed - min(held, zone.managed)
        }
        var slabs: UInt64 = 0
        for node in nodeViews() {
            slabs += node.stats[.slabReclaimable] + node.stats[.slabUnreclaimable]
        }
        return pages - min(slabs, pages)
    }
}

extension SlabAllocator {
    /// Objects of a cache that callers hold.
    func liveObjects(of cache: Int) -> UInt64 {
        // What `view` counts as active, without the free objects of the CPUs' slabs.
        var live = Int(clamping: view(cache).activeObjects)
        for cpu in 0..<cpuCount {
            let own = cpuSlab(cache, cpu)
            if own.slab != Slab.none { live -= freeObjects(of: slabs[Int(own.slab)]) }
            var number = own.partial
            while number != Slab.none {
                live -= freeObjects(of: slabs[Int(number)])
                number = slabs[Int(number)].next
            }
        }
        return UInt64(max(live, 0))
    }

    private func freeObjects(of slab: Slab) -> Int { Int(slab.objects) - objectsInUse(of: slab) }
}
