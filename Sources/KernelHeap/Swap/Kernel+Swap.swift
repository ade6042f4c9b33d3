/// Anonymous pages go to a swap area and come back: `mm/swap_state.c`, `mm/memory.c`, 6.1.
///
///     in memory ── addToSwap ─→ swap cache, dirty ── unmapped, written ─→ swap cache, clean ── freed
///         ↑                                                                                     │
///         └──────────── swapIn: a fault reads it, or finds it in the swap cache ←───────────────┘
extension Kernel {
    /// Gives an anonymous page a slot: `add_to_swap()`.
    ///
    /// - Returns: whether there was one.
    mutating func addToSwap(_ pfn: UInt32) -> Bool {
        guard let slot = swap.take(for: pfn) else { return false }
        if pages.map[Int(pfn)].isCharged { swap.own(slot, cgroups.charge(of: pfn).group) }
        pages.map[Int(pfn)].word &+= 1
        lru.name(pfn, swap: slot.packed)
        age(pfn, [.swapCache, .dirty])
        return true
    }

    /// The slot of a page in the swap cache.
    func swapSlot(of pfn: UInt32) -> SwapSlot? {
        guard pages.map[Int(pfn)].aging.contains(.swapCache) else { return nil }
        return SwapSlot(packed: lru.links[Int(pfn)].swap)
    }

    /// Writes a page to its slot: `swap_writepage()`.
    mutating func writeToSwap(_ pfn: UInt32) {
        guard let slot = swapSlot(of: pfn) else { return }
        swap.store(trimmedBytes(of: pfn), at: slot)
        unage(pfn, .dirty)
        events[.pswpout] &+= 1
        events[.pgpgout] &+= 4
    }

    /// The page has no slot any more: `delete_from_swap_cache()`.
    mutating func removeFromSwapCache(_ pfn: UInt32) {
        guard let slot = swapSlot(of: pfn) else { return }
        swap.uncache(slot)
        lru.name(pfn, swap: 0)
        // What is in memory alone must be written before it may go.
        setAging(pfn, pages.map[Int(pfn)].aging.subtracting(.swapCache).union(.dirty))
        if pages.map[Int(pfn)].word > 1 { pages.map[Int(pfn)].word -= 1 }
    }

    /// Gives a page's slot back where no entry names it: `folio_free_swap()`.
    mutating func freeFromSwapCache(_ pfn: UInt32, cpu: Int) {
        guard let slot = swapSlot(of: pfn), swap.uses(slot) == 0 else { return }
        removeFromSwapCache(pfn)
    }

    /// An entry that names a slot goes: `free_swap_and_cache()`.
    mutating func dropSwapEntry(_ process: Int, _ entry: PageTableEntry, cpu: Int) {
        let (slot, _) = paging.format.swapSlot(of: entry)
        let count = processes[process].space.swapEntries
        processes[process].space.swapEntries = count - min(count, 1)
        releaseSlot(slot, cpu: cpu)
    }

    /// One use of a slot less; a page that is in the swap cache for nobody goes with the last.
    mutating func releaseSlot(_ slot: SwapSlot, cpu: Int) {
        swap.free(slot)
        guard swap.uses(slot) == 0, let pfn = swap.cachedPage(slot),
            pages.map[Int(pfn)].mapCount == 0, swapSlot(of: pfn) == slot
        else { return }
        dropSwapCachePage(pfn, cpu: cpu)
    }

    /// Frees a page that only the swap cache has.
    private mutating func dropSwapCachePage(_ pfn: UInt32, cpu: Int) {
        guard let slot = swapSlot(of: pfn) else { return }
        swap.uncache(slot)
        leaveLRU(pfn)
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }

    /// Brings a page back that an entry names: `do_swap_page()`; without reading ahead.
    ///
    /// - Returns: why not, or nil.
    mutating func swapIn(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        for access: UserAccess,
        cpu: Int
    ) -> UserFault.Stop? {
        let (slot, isAlone) = paging.format.swapSlot(of: leaf.entry)
        guard swap.uses(slot) > 0 else { return UserFault.Stop(.badPageTable) }
        guard let pfn = swapCachePage(slot, index: area.filePage(leaf.address), cpu: cpu) else {
            return UserFault.Stop(.outOfMemory)
        }
        // Others may have run while memory was made: then the access is tried again.
        guard isUnchanged(leaf), swap.uses(slot) > 0 else { return nil }
        swap.free(slot)
        let count = processes[process].space.swapEntries
        processes[process].space.swapEntries = count - min(count, 1)
        let isLocked = area.flags.contains(.locked)
        if isLocked { age(pfn, .unevictable) }
        mapAnonymousPage(pfn)
        if swap.isFull || isLocked || access == .store {
            if pages.map[Int(pfn)].mapCount == 1 { freeFromSwapCache(pfn, cpu: cpu) }
        }
        countResident(process, isOfFile: false, by: 1)
        var flags = protection(area)
        if isAlone || pages.map[Int(pfn)].word == 1 {
            pages.map[Int(pfn)].isExclusive = true
            if access == .store { flags.formUnion([.writable, .dirty]) }
        }
        setTableEntry(leaf.table, leaf.index, paging.format.entry(frame: UInt64(pfn), flags))
        paging.buffer.flush(page: leaf.address)
        notePage(leaf.address, UInt64(pfn))
        return nil
    }

    /// The page of a slot, read where it is not in memory: `swapin_readahead()` for one page.
    mutating func swapCachePage(_ slot: SwapSlot, index: UInt64, cpu: Int) -> UInt32? {
        if let pfn = swap.cachedPage(slot), swapSlot(of: pfn) == slot { return pfn }
        guard let pfn = allocateUserPage(owner: swap.owner(slot), cpu: cpu) else { return nil }
        load(swap.bytes(slot), into: pfn)
        pages.map[Int(pfn)].becomeSwapCachePage()
        joinLRU(pfn, file: nil, index: index, .swapCache)
        lru.name(pfn, swap: slot.packed)
        swap.cache(slot, pfn)
        events[.pswpin] &+= 1
        events[.pgpgin] &+= 4
        events[.pgmajfault] &+= 1
        return pfn
    }

    /// A page's bytes without the zeros at the end.
    func trimmedBytes(of pfn: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(PageContents.pageBytes)
        readFrame(pfn, offset: 0, count: PageContents.pageBytes, into: &bytes)
        let length = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        return Array(bytes[..<length])
    }

    /// Gives a page bytes that were stored, and zeros behind them.
    mutating func load(_ bytes: [UInt8], into pfn: UInt32) {
        pages.contents.clear(pfn, pages: 1)
        if !bytes.isEmpty { writeFrame(pfn, offset: 0, bytes[...]) }
    }
}
