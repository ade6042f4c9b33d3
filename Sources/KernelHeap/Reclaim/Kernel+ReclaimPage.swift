/// One inactive page on its way out: `shrink_folio_list()`, `mm/vmscan.c`, 6.1.
extension Kernel {
    /// What became of a page that reclaim looked at.
    enum ReclaimedPage {
        case freed
        /// Stays inactive, with a round more.
        case kept
        /// Is taken for one in use.
        case activated
    }

    /// Whether a page was used: `folio_check_references()`.
    private enum Usage {
        case activate, keep, reclaim
        /// Only if it needs no writing.
        case reclaimClean
    }

    /// Frees a page if nobody uses it, its content can be found again, and the request allows what
    /// that takes.
    mutating func reclaim(_ pfn: UInt32, _ scan: inout ScanControl) -> ReclaimedPage {
        let outcome = tryToReclaim(pfn, &scan)
        switch outcome {
        case .freed: break
        case .kept: rotate(pfn, toTail: false)
        case .activated:
            if !pages.map[Int(pfn)].aging.contains(.unevictable) {
                age(pfn, .active)
                events[.pgactivate] &+= 1
            }
        }
        return outcome
    }

    private mutating func tryToReclaim(_ pfn: UInt32, _ scan: inout ScanControl) -> ReclaimedPage {
        let aging = pages.map[Int(pfn)].aging
        if !scan.mayUnmap, pages.map[Int(pfn)].mapCount > 0 { return .kept }
        count(aging, &scan)
        if aging.contains(.writeback) {
            age(pfn, .reclaim)
            return .activated
        }
        let usage = usage(of: pfn, &scan)
        switch usage {
        case .activate: return .activated
        case .keep: return .kept
        case .reclaim, .reclaimClean: break
        }
        let isAnonymous = !pages.map[Int(pfn)].isOfFile
        if aging.contains(.lazyFree), isWrittenAgain(pfn, &scan.work) {
            unage(pfn, .lazyFree)
            return .activated
        }
        // Nothing keeps what was given up, and so nobody may hold it besides.
        if aging.contains(.lazyFree), pages.map[Int(pfn)].word > pages.map[Int(pfn)].mapCount {
            return .kept
        }
        if isAnonymous, aging.isDisjoint(with: [.swapCache, .lazyFree]) {
            guard scan.flags.contains(.io) else { return .kept }
            guard addToSwap(pfn) else { return .activated }
        }
        if isMemoryFilePage(pfn), swap.freePages == 0 { return .activated }
        if pages.map[Int(pfn)].mapCount > 0 {
            let isLazy = aging.contains(.lazyFree)
            let slot = isAnonymous && !isLazy ? swapSlot(of: pfn) : nil
            guard unmapEverywhere(pfn, to: slot, &scan.work, cpu: scan.cpu) else {
                return .activated
            }
        }
        if let outcome = write(pfn, usage == .reclaimClean, &scan) { return outcome }
        return free(pfn, &scan)
    }

    private func count(_ aging: Page.Aging, _ scan: inout ScanControl) {
        guard aging.contains(.onDisk) else { return }
        if !aging.isDisjoint(with: [.dirty, .writeback]) { scan.counts.dirty += 1 }
        if aging.contains(.dirty), !aging.contains(.writeback) { scan.counts.unqueued += 1 }
        if aging.contains(.writeback) {
            if aging.contains(.reclaim) {
                scan.counts.immediate += 1
            } else {
                scan.counts.writeback += 1
            }
        }
    }

    private mutating func usage(of pfn: UInt32, _ scan: inout ScanControl) -> Usage {
        guard let references = takeReferences(of: pfn, &scan.work) else { return .keep }
        let wasReferenced = pages.map[Int(pfn)].aging.contains(.referenced)
        unage(pfn, .referenced)
        if references.isLocked { return .activate }
        let isOnDisk = pages.map[Int(pfn)].aging.contains(.onDisk)
        if references.count > 0 {
            age(pfn, .referenced)
            if wasReferenced || references.count > 1 { return .activate }
            return references.isExecutable && isOnDisk ? .activate : .keep
        }
        return wasReferenced && isOnDisk ? .reclaimClean : .reclaim
    }

    /// Writes what must not be lost.
    ///
    /// Pages of a disk's files are left to the flusher, by a direct reclaim always, and by kswapd
    /// until it meets nothing else. Kernels before 3.2 wrote them from direct reclaim, too, where
    /// the request allowed the filesystem.
    ///
    /// - Returns: nil where the page is clean now.
    private mutating func write(
        _ pfn: UInt32,
        _ mustBeClean: Bool,
        _ scan: inout ScanControl
    ) -> ReclaimedPage? {
        let aging = pages.map[Int(pfn)].aging
        if isMemoryFilePage(pfn) { return writeMemoryFilePage(pfn, mustBeClean, scan) }
        guard aging.contains(.dirty) else { return nil }
        if aging.contains(.onDisk) {
            let state = reclaimState(node(of: pfn))
            let mayPageOut =
                profile.platform == .classicI386
                || (scan.isKswapd && aging.contains(.reclaim) && state.isDirty)
            guard mayPageOut else {
                diskCounts.markedByReclaim &+= 1
                age(pfn, .reclaim)
                return .activated
            }
            guard !mustBeClean, scan.mayWrite, scan.flags.contains(.fs) else { return .kept }
            diskCounts.writtenByReclaim &+= 1
            age(pfn, .reclaim)
            _ = startWriteback(of: pfn)
            return .kept
        }
        guard scan.mayWrite, scan.flags.contains(.io) else { return .kept }
        diskCounts.writtenByReclaim &+= 1
        writeToSwap(pfn)
        return nil
    }

    /// Whether a page that was given up by `MADV_FREE` has been written to since.
    private mutating func isWrittenAgain(_ pfn: UInt32, _ work: inout Int) -> Bool {
        if pages.map[Int(pfn)].aging.contains(.dirty) { return true }
        guard let mappings = mappings(of: pfn, &work) else { return true }
        return mappings.contains { $0.leaf.entry.flags.contains(.dirty) }
    }

    /// Whether it is a page of a file that lives in memory.
    private func isMemoryFilePage(_ pfn: UInt32) -> Bool {
        let page = pages.map[Int(pfn)]
        return page.isOfFile && !page.aging.contains(.onDisk)
    }

    /// `shmem_writepage()`: the file remembers the slot in place of the page.
    private mutating func writeMemoryFilePage(
        _ pfn: UInt32,
        _ mustBeClean: Bool,
        _ scan: ScanControl
    ) -> ReclaimedPage? {
        let link = lru.links[Int(pfn)]
        guard let file = link.file, scan.mayWrite, scan.flags.contains(.io),
            pages.map[Int(pfn)].word == 1, let slot = swap.take(for: pfn)
        else { return .kept }
        swap.use(slot)
        swap.store(trimmedBytes(of: pfn), at: slot)
        swap.uncache(slot)
        files[file]?.setSwapped(link.index, slot)
        events[.pswpout] &+= 1
        events[.pgpgout] &+= 4
        return nil
    }

    /// The page leaves its file or the swap cache and is free: `__remove_mapping()`.
    private mutating func free(_ pfn: UInt32, _ scan: inout ScanControl) -> ReclaimedPage {
        let page = pages.map[Int(pfn)]
        // One reference is the file's or the swap cache's; with more somebody else holds the page.
        guard page.word == 1, page.mapCount == 0 else { return .kept }
        let link = lru.links[Int(pfn)]
        if let file = link.file {
            files[file]?.forget(link.index)
            dropFilePage(pfn, cpu: scan.cpu)
            return .freed
        }
        if let slot = swapSlot(of: pfn) {
            swap.uncache(slot)
        } else {
            events[.pglazyfreed] &+= 1
        }
        leaveLRU(pfn)
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: scan.cpu))
        return .freed
    }
}
