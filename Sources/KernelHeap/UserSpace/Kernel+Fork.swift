/// Copying an address space without its pages: `dup_mmap()` and `copy_page_range()`, 6.1.
///
///     parent  PTE ─ RW ─→ page            parent  PTE ─ RO ─→ page, shared by two
///                                  fork()                     ↑
///                                        child   PTE ─ RO ────┘  and not accessed yet
///
/// Only areas with an `anon_vma`, which may hold pages of the parent's own, get tables now. What
/// others show comes from the zero page or from a file again, at the child's first touch.
extension Kernel {
    /// Gives a child the areas of its parent, and entries for the parent's own pages.
    ///
    /// - Returns: false where there is no memory; the child has a part.
    mutating func copySpace(_ parent: Int, to child: Int, cpu: Int) -> Bool {
        processes[child].space.end = processes[parent].space.end
        processes[child].space.heap = processes[parent].space.heap
        processes[child].space.stackStart = processes[parent].space.stackStart
        defer { paging.flushUser() }
        for area in processes[parent].space.areas where !area.flags.contains(.notCopied) {
            var copy = area
            copy.flags.remove(.locked)
            let isWiped = area.flags.contains(.wipedOnFork)
            let hasPages = area.pageOwner != 0 && !isWiped
            copy.pageOwner = hasPages ? processes[child].space.newPageOwner() : 0
            copy.flags.remove(.inherited)
            if hasPages { copy.flags.insert(.inherited) }
            if area.isAccounted, !isEnoughMemory(area.pageCount) { return false }
            countMapping(copy, isAdded: true, cpu: cpu)
            processes[child].space.append(copy)
            let isCopied = hasPages || area.flags.contains(.pfnMapped)
            guard !isCopied || copyTables(parent, area, to: child, cpu: cpu) else { return false }
        }
        return true
    }

    /// Copies the entries of an area, table by table.
    private mutating func copyTables(
        _ parent: Int,
        _ area: VMArea,
        to child: Int,
        cpu: Int
    ) -> Bool {
        let boot = keptBootTables()
        let format = paging.format
        let root = root(of: parent, boot)
        var budget = WalkBudget(processes[parent].space)
        var address = area.start
        while address < area.end, budget.tables > 0, budget.gaps > 0 {
            switch leafTable(address, root, boot) {
            case .success(let table):
                budget.tables -= 1
                let last = address | (format.span(format.leafLevel - 1) - 1)
                let range = address..<min(area.end, last + 1)
                let kept = area.isShared
                guard copyTable(table, range, to: child, keepingRights: kept, cpu: cpu) else {
                    return false
                }
                address = last + 1
            case .failure(let gap):
                budget.gaps -= 1
                // The parent has tables down to the gap, and so has the child.
                let made = makeTable(child, at: address, level: gap.level, cpu: cpu)
                guard case .success = made else { return false }
                address = (address | (format.span(gap.level) - 1)) + 1
            }
        }
        return true
    }

    /// Copies the entries of one lowest table: `copy_pte_range()`, a table's words at once.
    private mutating func copyTable(
        _ table: UInt64,
        _ range: Range<UInt64>,
        to child: Int,
        keepingRights: Bool,
        cpu: Int
    ) -> Bool {
        let format = paging.format
        let made = makeTable(child, at: range.lowerBound, level: format.leafLevel, cpu: cpu)
        guard case .success(let target) = made,
            let source = ownTable(table), let target = ownTable(target)
        else { return false }
        let size = format.entryBytes
        guard var old = pages.contents.words(source, bytes: size) else { return true }
        var new =
            pages.contents.words(target, bytes: size)
            ?? [UInt64](repeating: 0, count: old.count)
        let first = format.index(range.lowerBound, format.leafLevel)
        let count = range.count >> 12
        guard first + count <= old.count, new.count == old.count else { return true }
        var resident = (anonymous: UInt64(0), ofFiles: UInt64(0))
        for index in first..<first + count where old[index] != 0 {
            let entry = PageTableEntry(rawValue: old[index])
            if format.isSwapEntry(entry) {
                let (slot, _) = format.swapSlot(of: entry)
                swap.use(slot)
                processes[child].space.swapEntries &+= 1
                old[index] = format.entry(of: slot, isExclusive: false).rawValue
                new[index] = old[index]
                continue
            }
            if !entry.flags.contains(.special) { share(entry, &resident) }
            if !keepingRights { old[index] &= ~PageTableEntry.Flags.writable.rawValue }
            new[index] = old[index] & ~PageTableEntry.Flags.accessed.rawValue
        }
        pages.contents.setWords(source, bytes: size, to: old)
        pages.contents.setWords(target, bytes: size, to: new)
        processes[child].space.anonymousPages &+= resident.anonymous
        processes[child].space.filePages &+= resident.ofFiles
        return true
    }

    /// One more process sees the page of an entry.
    @inline(__always)
    private mutating func share(
        _ entry: PageTableEntry,
        _ resident: inout (anonymous: UInt64, ofFiles: UInt64)
    ) {
        guard let pfn = memoryFrame(paging.format.storedFrame(of: entry)) else {
            resident.anonymous += 1
            return
        }
        let page = pages.map[Int(pfn)]
        if page.isOfFile { resident.ofFiles += 1 } else { resident.anonymous += 1 }
        // Where a client wrote into tables, an entry may point to any frame.
        if page.isOnLRU { pages.map[Int(pfn)].share() }
    }

    /// A table in a page of the allocator's; the boot's own are no process's lowest ones.
    private func ownTable(_ frame: UInt64) -> UInt32? {
        guard let pfn = memoryFrame(frame), pages.map[Int(pfn)].isPageTable else { return nil }
        return pfn
    }
}
