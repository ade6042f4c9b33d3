/// The scanner that goes upwards and takes pages that can be moved: `isolate_migratepages()`,
/// `mm/compaction.c`, 6.1.
extension Kernel {
    /// What the scanner finds at a frame.
    private enum Candidate {
        /// Frames from here that are free, or one frame that nothing can be done about.
        case free(Int)
        case stuck(Int)
        case movable
    }

    /// Takes the pages of the next pageblock that has any: at most 32, or all to its end.
    mutating func isolateMigratePages(_ control: inout CompactControl) {
        let size = pages.pageblockPages
        var low = control.migratePFN
        var end = (low | (size - 1)) + 1
        defer {
            control.migratePFN = low
            events[.compactIsolated] &+= UInt64(control.migratePages.count)
        }
        while end <= control.freePFN {
            if isSource(low, control) {
                low = isolatePageblock(&control, from: low, to: end)
                return
            }
            changeCompaction(control.zone) { $0.noteMigrate(end, isSync: control.isSync) }
            low = end
            end += size
        }
    }

    /// Whether pages of a pageblock may be moved: `suitable_migration_source()`.
    ///
    /// Who does not wait moves pages only out of blocks of the class that is wanted.
    private func isSource(_ pfn: Int, _ control: CompactControl) -> Bool {
        guard pages.lruPages.elementOrZero(pfn / pages.pageblockPages) > 0 else { return false }
        guard control.skipsOnFailure else { return true }
        return pages.pageblockType(of: UInt32(truncatingIfNeeded: pfn)) == control.migrateType
    }

    /// `isolate_migratepages_block()`.
    ///
    /// - Returns: where to go on.
    private mutating func isolatePageblock(
        _ control: inout CompactControl,
        from start: Int,
        to end: Int
    ) -> Int {
        var low = start
        var nextSkip = control.blockEnd(low)
        while low < end {
            if control.skipsOnFailure, low >= nextSkip {
                // A whole block was gathered: it is moved before the next is looked at.
                if !control.migratePages.isEmpty { break }
                nextSkip = control.blockEnd(low)
            }
            control.migrateScanned += 1
            switch candidate(low, &control) {
            case .free(let count): low += count
            case .movable:
                control.migratePages.append(UInt32(truncatingIfNeeded: low))
                low += 1
                let isFull = control.migratePages.count >= CompactControl.clusterPages
                if isFull, !control.finishesPageblock { return low }
            case .stuck(let count):
                low += count
                guard control.skipsOnFailure else { continue }
                putBack(control.migratePages)
                control.migratePages = []
                if low < nextSkip { low = nextSkip }
                nextSkip = control.blockEnd(low)
            }
        }
        low = min(low, end)
        if low == end, control.migratePages.isEmpty {
            changeCompaction(control.zone) { $0.noteMigrate(end, isSync: control.isSync) }
        }
        return low
    }

    private func candidate(_ pfn: Int, _ control: inout CompactControl) -> Candidate {
        let page = pages.map.elementOrZero(pfn)
        switch page.kind {
        case .buddy: return page.zone == control.zone ? .free(1 << page.order) : .stuck(1)
        case .allocated where page.isCompound: return .stuck(1 << page.order)
        case .inner, .perCPU, .slab, .allocated: break
        }
        guard page.kind == .allocated, page.isOnLRU, page.order == 0, page.zone == control.zone,
            !page.isReserved
        else { return .stuck(1) }
        return mayIsolate(UInt32(truncatingIfNeeded: pfn), page, &control) ? .movable : .stuck(1)
    }

    /// Whether a page on an LRU list may be taken off it to be moved.
    private func mayIsolate(_ pfn: UInt32, _ page: Page, _ control: inout CompactControl) -> Bool {
        let aging = page.aging
        let hasMapping = page.isOfFile || aging.contains(.swapCache)
        if !hasMapping, page.word > page.mapCount {
            control.pinned += 1
            return false
        }
        // Without __GFP_FS only anonymous pages are moved, which need no file's lock.
        let isForbidden =
            (hasMapping && !control.flags.contains(.fs))
            || (aging.contains(.unevictable) && tuning.compactUnevictableAllowed == 0)
            || (aging.contains(.writeback) && control.mode == .async)
        if isForbidden { control.unmovable += 1 }
        return !isForbidden
    }

    /// Pages that were taken in vain come to the heads of their lists: `putback_movable_pages()`.
    mutating func putBack(_ frames: [UInt32]) {
        for pfn in frames.reversed() { rotate(pfn, toTail: false) }
    }
}
