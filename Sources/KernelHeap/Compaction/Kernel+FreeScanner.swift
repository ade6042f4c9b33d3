/// The scanner that goes downwards and takes free pages: `isolate_freepages()`,
/// `mm/compaction.c`, 6.1.
extension Kernel {
    /// The next free page to move to; nil where the scanners would meet: `compaction_alloc()`.
    mutating func takeTarget(_ control: inout CompactControl) -> UInt32? {
        if control.freePages.isEmpty { isolateFreePages(&control) }
        return control.freePages.popLast()
    }

    /// Takes free blocks until there is a page for each that is to be moved.
    private mutating func isolateFreePages(_ control: inout CompactControl) {
        let size = pages.pageblockPages
        let zoneEnd = Int(clamping: pages.zones[control.zone].endPFN)
        let low = (control.migratePFN | (size - 1)) + 1
        var place = control.freePFN
        var block = place & ~(size - 1)
        while block >= low {
            let end = min(block + size, zoneEnd)
            if isTarget(block, control) {
                place = isolateFreeBlocks(&control, from: place, to: end)
                if place >= end {
                    changeCompaction(control.zone) { $0.freePFN = min($0.freePFN, block) }
                }
                if control.freePages.count >= control.migratePages.count {
                    if place >= end { place = block - size }
                    break
                }
                // So little is free that the rest is not to be touched.
                if place < end { break }
            }
            block = pageblock(below: block, zone: control.zone)
            place = block
        }
        control.freePFN = place
        events[.compactIsolated] &+= UInt64(control.freePages.count)
    }

    /// The next pageblock below; the untouched run of free blocks is passed over at once.
    private func pageblock(below block: Int, zone: Int) -> Int {
        let next = block - pages.pageblockPages
        let run = pages.zones[zone].run
        guard run.contains(UInt32(clamping: next)), next >= 0 else { return next }
        return Int(run.lowerBound) - pages.pageblockPages
    }

    /// Whether pages may be moved into a pageblock: `suitable_migration_target()`.
    ///
    /// Whole free pageblocks are kept whole.
    private func isTarget(_ block: Int, _ control: CompactControl) -> Bool {
        let page = pages.map.elementOrZero(block)
        if page.kind == .buddy, page.order >= pages.pageblockOrder { return false }
        let frame = UInt32(truncatingIfNeeded: block)
        if pages.zones[control.zone].run.contains(frame) { return false }
        return control.ignoresPageblocks || pages.pageblockType(of: frame) == .movable
    }

    /// `isolate_freepages_block()`.
    ///
    /// - Returns: where to go on.
    private mutating func isolateFreeBlocks(
        _ control: inout CompactControl,
        from start: Int,
        to end: Int
    ) -> Int {
        var pfn = start
        while pfn < end {
            control.freeScanned += 1
            let page = pages.map.elementOrZero(pfn)
            if page.kind == .allocated, page.isCompound {
                pfn += 1 << page.order
                continue
            }
            guard page.kind == .buddy, page.zone == control.zone, isPlain(pfn, page.order) else {
                pfn += 1
                continue
            }
            guard isolateFreeBlock(pfn, page.order, control) else { return pfn }
            let count = 1 << page.order
            control.freeScanned += count - 1
            for frame in pfn..<pfn + count {
                control.freePages.append(UInt32(truncatingIfNeeded: frame))
            }
            pfn += count
            if control.migratePages.count <= control.freePages.count { break }
        }
        return min(pfn, end)
    }

    /// Whether no page of a free block has fields that a free page may not have: such pages are
    /// reported when the page allocator hands them out, and stay where they are until then.
    private func isPlain(_ pfn: Int, _ order: Int) -> Bool {
        if pages.strayReferences.isEmpty, pages.oddPages.isEmpty { return true }
        let range = pfn..<pfn + 1 << order
        return range.allSatisfy { frame in
            let frame = UInt32(truncatingIfNeeded: frame)
            return pages.strayReferences[frame] == 0 && pages.oddPages[frame].isPlain
        }
    }

    /// Takes a free block off its list, as single pages: `__isolate_free_page()`.
    ///
    /// - Returns: false where the zone would have too little left.
    private mutating func isolateFreeBlock(
        _ pfn: Int,
        _ order: Int,
        _ control: CompactControl
    ) -> Bool {
        let zone = control.zone
        let first = UInt32(truncatingIfNeeded: pfn)
        let mark = pages.zones[zone].watermarks.min + 1 << order
        guard pages.hasBlock(zone: zone, order: 0, above: mark, highest: .dma) else { return false }
        let count = 1 << order
        pages.removeFromFreeList(first, zone: zone, order: order)
        pages.changeFreeCount(zone: zone, cpu: control.cpu, by: -count)
        // What is taken counts as neither allocated nor freed by it.
        events[.pgfree] &+= UInt64(count)
        if order >= pages.pageblockOrder - 1, pages.pageblockType(of: first).rawValue < 3 {
            pages.setPageblockType(of: first, to: .movable)
        }
        for frame in first..<first + UInt32(count) {
            pages.map[Int(frame)].handOut(
                order: 0,
                migrateType: .movable,
                zone: zone,
                call: pages.call
            )
        }
        if pages.owners.isOn {
            pages.owners.noteAllocation(of: first, order: order, .movable)
            pages.owners.split(first, order: order)
        }
        return true
    }

    /// Gives free pages back that were not needed: `release_freepages()`.
    mutating func releaseFreePages(_ control: inout CompactControl) {
        guard let highest = control.freePages.max() else { return }
        let context = CallContext(cpu: control.cpu)
        for pfn in control.freePages.reversed() {
            freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: context)
        }
        control.freePages = []
        let block = Int(highest) & ~(pages.pageblockPages - 1)
        changeCompaction(control.zone) { $0.freePFN = max($0.freePFN, block) }
    }
}
