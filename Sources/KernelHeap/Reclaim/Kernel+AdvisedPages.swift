/// Pages that a process says it needs no more, or must keep: `mm/madvise.c`, `mm/mlock.c`, 6.1.
extension Kernel {
    /// `MADV_FREE`, `MADV_COLD`, `MADV_PAGEOUT` on a part of an area.
    mutating func advisePages(_ process: Int, _ area: VMArea, _ advice: MemoryAdvice, cpu: Int) {
        var scan = ScanControl(flags: .kernel, highestZone: .device, cpu: cpu)
        changeLeaves(process, area.start..<area.end) { kernel, leaf in
            if kernel.paging.format.isSwapEntry(leaf.entry) {
                guard advice == .free else { return }
                let empty = PageTableEntry(rawValue: 0)
                kernel.setTableEntry(leaf.table, leaf.index, empty)
                return kernel.dropSwapEntry(process, leaf.entry, cpu: cpu)
            }
            guard !leaf.entry.flags.contains(.special),
                let pfn = kernel.memoryFrame(kernel.paging.format.storedFrame(of: leaf.entry)),
                kernel.pages.map[Int(pfn)].isOnLRU, kernel.pages.map[Int(pfn)].mapCount == 1
            else { return }
            kernel.advise(pfn, leaf, advice, &scan)
        }
        paging.flushUser()
    }

    private mutating func advise(
        _ pfn: UInt32,
        _ leaf: UserLeaf,
        _ advice: MemoryAdvice,
        _ scan: inout ScanControl
    ) {
        var flags = leaf.entry.flags.subtracting(.accessed)
        if advice == .free {
            guard !pages.map[Int(pfn)].isOfFile else { return }
            freeFromSwapCache(pfn, cpu: scan.cpu)
            // While its slot is another's too, the page cannot be given up.
            guard !pages.map[Int(pfn)].aging.contains(.swapCache) else { return }
            flags.remove(.dirty)
        }
        let entry = paging.format.entry(leaf.entry, with: flags)
        setTableEntry(leaf.table, leaf.index, entry)
        let aging = pages.map[Int(pfn)].aging
        if advice == .free {
            setAging(pfn, aging.subtracting([.active, .referenced, .dirty]).union(.lazyFree))
            events[.pglazyfree] &+= 1
            return
        }
        if aging.contains(.active) { events[.pgdeactivate] &+= 1 }
        setAging(pfn, aging.subtracting([.active, .referenced]))
        if advice == .pageOut { _ = reclaim(pfn, &scan) }
    }

    /// The pages of a locked range stay in memory, those of an unlocked one need not:
    /// `mlock_vma_pages_range()`.
    mutating func lockPages(_ process: Int, _ range: Range<UInt64>, _ isLocked: Bool) {
        changeLeaves(process, range) { kernel, leaf in
            guard !leaf.entry.flags.contains(.special),
                !kernel.paging.format.isSwapEntry(leaf.entry),
                let pfn = kernel.memoryFrame(kernel.paging.format.storedFrame(of: leaf.entry)),
                kernel.pages.map[Int(pfn)].isOnLRU
            else { return }
            if isLocked { kernel.age(pfn, .unevictable) } else { kernel.unlockPage(pfn) }
        }
    }

    /// A page leaves the unevictable list when no area that shows it is locked any more:
    /// `munlock_folio()`.
    mutating func unlockPage(_ pfn: UInt32) {
        guard pages.map[Int(pfn)].aging.contains(.unevictable) else { return }
        // What cannot be found out leaves the page where it is.
        guard let mappings = searchMappings(of: pfn) ?? (searchLeft > 0 ? [] : nil) else { return }
        guard !mappings.contains(where: { $0.area.flags.contains(.locked) }) else { return }
        unage(pfn, .unevictable)
    }
}
