extension PageAllocator {
    /// Allocates single pages in one go: `__alloc_pages_bulk()`, 6.1.
    ///
    /// - Parameters:
    ///   - count: pages still wanted.
    ///   - request: of order 0.
    /// - Returns: the frames in the order in which they were taken; possibly fewer than wanted.
    ///   A zone is chosen once, with `count` pages above its low mark; when no zone has them, or
    ///   only one page is wanted, a single allocation is made.
    mutating func allocateBulk(_ count: Int, _ request: AllocationRequest) -> [UInt32] {
        guard count > 0 else { return [] }
        if count > 1, faults.isArmed, injectsFault(request) { return [] }
        if count > 1, let zone = bulkZone(count, request) {
            let frames = takeBulk(count, zone: zone, request)
            if !frames.isEmpty { return frames }
        }
        return allocate(request).map { [$0] } ?? []
    }

    private func bulkZone(_ count: Int, _ request: AllocationRequest) -> Int? {
        let list = zonelist(of: request)
        for position in 0..<list.count {
            let zone = list[position]
            let marks = zones[zone].watermarks
            let reserve = zones[zone].lowmemReserve[Int(request.highestZone.rawValue)]
            let usable = zones[zone].free - zones[zone].highAtomicReserved
            // Subtracted, not added: the count is a client's and may be any number.
            if usable - marks.low - marks.boost - reserve > count { return zone }
        }
        return nil
    }

    private mutating func takeBulk(
        _ count: Int,
        zone: Int,
        _ request: AllocationRequest
    ) -> [UInt32] {
        let preferred = zonelist(of: request)[0]
        var frames: [UInt32] = []
        while frames.count < count,
            let pfn = takeFromList(
                zone: zone,
                cpu: request.cpu,
                order: 0,
                type: request.migrateType,
                flags: .low
            )
        {
            let type = request.migrateType
            map[Int(pfn)].handOut(order: 0, migrateType: type, zone: zone, call: call)
            if isAlwaysWatched { noteHandedOut(pfn, order: 0, request.flags) }
            self.count(zone: zone, preferred: preferred, node: request.node)
            frames.append(pfn)
        }
        return frames
    }

    /// Makes each page of an allocated block a page of its own: `split_page()`.
    mutating func splitAllocated(_ pfn: UInt32) {
        let page = map[Int(pfn)]
        guard page.order > 0 else { return }
        for offset in 0..<UInt32(1 << page.order) {
            map[Int(pfn + offset)].handOut(
                order: 0,
                migrateType: page.migrateType,
                zone: page.zone,
                call: page.call
            )
        }
        if owners.isOn { owners.split(pfn, order: page.order) }
    }

    /// Gives back the pages of a split block beyond the first `kept`: `make_alloc_exact()`.
    ///
    /// They bypass the per-CPU lists and queue at the tails, so that they merge again soon.
    mutating func releaseSurplus(_ pfn: UInt32, order: Int, kept: Int, cpu: Int) {
        for offset in kept..<(1 << order) {
            let frame = pfn + UInt32(offset)
            let zone = map[Int(frame)].zone
            map[Int(frame)].word = 0
            if isAlwaysWatched { noteReleased(frame, order: 0) }
            freeBlock(
                frame,
                zone: zone,
                cpu: cpu,
                order: 0,
                type: pageblockType(of: frame),
                forceTail: true
            )
        }
    }
}
