/// An entry of a process's tables that points to a page.
struct PageMapping {
    var process: Int
    var leaf: UserLeaf
    var area: VMArea
}

/// From a page to the entries that point to it: `mm/rmap.c`, 6.1.
///
/// The kernel keeps trees of areas for each file and each `anon_vma`. Here the address at which the
/// first process saw an anonymous page finds nearly all of them at once; what was moved by `mremap`
/// since, and the pages of files, are looked for in the processes' lists of areas.
extension Kernel {
    /// How many areas and tables one reclaim may look at in search of mappings.
    static let reverseMapWork = 1 << 20

    /// The entries that point to a page.
    ///
    /// - Parameters:
    ///   - pfn: on an LRU list.
    ///   - work: how much searching is left; falls.
    /// - Returns: nil where the search would cost too much.
    mutating func mappings(of pfn: UInt32, _ work: inout Int) -> [PageMapping]? {
        let wanted = Int(pages.map[Int(pfn)].mapCount)
        guard wanted > 0 else { return [] }
        let link = lru.links[Int(pfn)]
        var found: [PageMapping] = []
        if link.file == nil {
            for process in processes.indices where processes[process].isAlive {
                work -= 1
                guard work > 0 else { return nil }
                appendMapping(of: pfn, process, link.index << 12, to: &found)
                if found.count == wanted { return found }
            }
        }
        for process in processes.indices where processes[process].isAlive {
            for area in processes[process].space.areas {
                work -= 1
                guard work > 0 else { return nil }
                guard area.file == link.file || (link.file == nil && !area.isShared) else {
                    continue
                }
                guard link.index >= area.pageOffset,
                    link.index - area.pageOffset < area.pageCount
                else { continue }
                let address = area.start &+ (link.index - area.pageOffset) << 12
                if link.file == nil, address == link.index << 12 { continue }
                appendMapping(of: pfn, process, address, to: &found)
                if found.count == wanted { return found }
            }
        }
        // A client may have changed the tables: what was not found cannot be taken away.
        return found.count == wanted ? found : nil
    }

    /// The same within what is left to the running call.
    mutating func searchMappings(of pfn: UInt32) -> [PageMapping]? {
        var work = searchLeft
        defer { searchLeft = work }
        return mappings(of: pfn, &work)
    }

    private mutating func appendMapping(
        of pfn: UInt32,
        _ process: Int,
        _ address: UInt64,
        to found: inout [PageMapping]
    ) {
        guard let area = processes[process].space.area(at: address) else { return }
        let boot = keptBootTables()
        guard case .success(let table) = leafTable(address, root(of: process, boot), boot) else {
            return
        }
        let index = paging.format.index(address, paging.format.leafLevel)
        guard let entry = tableEntry(table, index, boot), entry.rawValue != 0,
            !paging.format.isSwapEntry(entry), !entry.flags.contains(.special),
            paging.format.storedFrame(of: entry) == UInt64(pfn)
        else { return }
        let leaf = UserLeaf(table: table, index: index, entry: entry, address: address)
        found.append(PageMapping(process: process, leaf: leaf, area: area))
    }

    /// Looks whether a page was used through its mappings, and forgets it: `folio_referenced()`.
    ///
    /// - Returns: how many entries were accessed, and whether one is locked or runs code; nil where
    ///   that cannot be found out.
    mutating func takeReferences(
        of pfn: UInt32,
        _ work: inout Int
    ) -> (count: Int, isLocked: Bool, isExecutable: Bool)? {
        guard let mappings = mappings(of: pfn, &work) else { return nil }
        var result = (count: 0, isLocked: false, isExecutable: false)
        for mapping in mappings {
            if mapping.area.flags.contains(.locked) { return (result.count, true, false) }
            guard mapping.leaf.entry.flags.contains(.accessed) else { continue }
            let flags = mapping.leaf.entry.flags.subtracting(.accessed)
            let entry = paging.format.entry(mapping.leaf.entry, with: flags)
            setTableEntry(mapping.leaf.table, mapping.leaf.index, entry)
            // An area that is read from front to end is not used twice: its bit does not count.
            if !mapping.area.flags.contains(.sequential) { result.count += 1 }
            if mapping.area.rights.contains(.execute) { result.isExecutable = true }
        }
        if !mappings.isEmpty { paging.flushUser() }
        return result
    }

    /// Takes a page out of every process: `try_to_unmap()`.
    ///
    /// - Parameters:
    ///   - pfn: on an LRU list.
    ///   - slot: where an anonymous page can be found again; nil where it need not be, or the page
    ///     is a file's.
    ///   - work: how much searching is left.
    ///   - cpu: whose references go.
    /// - Returns: whether nothing points to it any more.
    mutating func unmapEverywhere(
        _ pfn: UInt32,
        to slot: SwapSlot?,
        _ work: inout Int,
        cpu: Int
    ) -> Bool {
        guard let mappings = mappings(of: pfn, &work) else { return false }
        let isOfFile = pages.map[Int(pfn)].isOfFile
        for mapping in mappings {
            if mapping.leaf.entry.flags.contains(.dirty) { noteStore(pfn) }
            var entry = PageTableEntry(rawValue: 0)
            if let slot {
                let isExclusive = pages.map[Int(pfn)].isExclusive
                entry = paging.format.entry(of: slot, isExclusive: isExclusive)
                swap.use(slot)
                processes[mapping.process].space.swapEntries &+= 1
            }
            processes[mapping.process].space.notePeak()
            setTableEntry(mapping.leaf.table, mapping.leaf.index, entry)
            countResident(mapping.process, isOfFile: isOfFile, by: -1)
            removeMapping(pfn)
            if pages.map[Int(pfn)].word > 1 { pages.map[Int(pfn)].word -= 1 }
        }
        if !mappings.isEmpty { paging.flushUser() }
        return pages.map[Int(pfn)].mapCount == 0
    }

    /// An entry says that the page was stored to.
    private mutating func noteStore(_ pfn: UInt32) {
        if pages.map[Int(pfn)].aging.contains(.onDisk) { markDirty(pfn) } else { age(pfn, .dirty) }
    }
}
