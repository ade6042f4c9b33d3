/// A page goes to another frame, and nobody who uses it notices: `mm/migrate.c`, 6.1.
extension Kernel {
    /// What became of the pages that were to be moved.
    enum MigrationOutcome {
        case allMoved
        case someStayed
        /// There was no free page left to move to.
        case noMemory
    }

    /// Why a page stays.
    private enum Obstacle {
        /// Somebody holds a reference that no entry and no file accounts for.
        case pinned
        /// It is being written, or its entries cannot be found.
        case busy
    }

    /// Moves the isolated pages, the highest first: `migrate_pages()`.
    ///
    /// Pages that stay go back to the heads of their lists.
    mutating func migratePages(_ control: inout CompactControl) -> MigrationOutcome {
        var stayed: [UInt32] = []
        var outcome = MigrationOutcome.allMoved
        var left = control.migratePages[...]
        while let pfn = left.popLast() {
            if let obstacle = obstacle(to: pfn, control) {
                if obstacle == .pinned { control.pinned += 1 } else { control.unmovable += 1 }
                stayed.append(pfn)
                continue
            }
            guard let target = takeTarget(&control) else {
                outcome = .noMemory
                stayed.append(pfn)
                stayed += left.reversed()
                break
            }
            if move(pfn, to: target, &control) {
                control.moved += 1
                events[.pgmigrateSuccess] &+= 1
            } else {
                control.freePages.append(target)
                control.unmovable += 1
                stayed.append(pfn)
            }
        }
        if !stayed.isEmpty, outcome == .allMoved { outcome = .someStayed }
        events[.pgmigrateFail] &+= UInt64(stayed.count)
        putBack(stayed.reversed())
        control.migratePages = []
        return outcome
    }

    /// What keeps an isolated page where it is: the first half of `__unmap_and_move()`.
    private mutating func obstacle(to pfn: UInt32, _ control: CompactControl) -> Obstacle? {
        if pages.map[Int(pfn)].aging.contains(.writeback) {
            // Only who has all time waits for the disk.
            guard control.mode == .sync else { return .busy }
            endWriteback()
        }
        let page = pages.map[Int(pfn)]
        guard page.isOnLRU, page.kind == .allocated, page.order == 0 else { return .busy }
        let isHeld = page.isOfFile || page.aging.contains(.swapCache)
        // `folio_expected_refs()`: an entry each, and the file's or the swap cache's own.
        guard page.word == page.mapCount &+ (isHeld ? 1 : 0) else { return .pinned }
        guard page.mapCount > 0 || isHeld, pages.oddPages[pfn].isPlain else { return .busy }
        let link = lru.links[Int(pfn)]
        if let file = link.file, files[file]?.frame(link.index) != pfn { return .busy }
        if let slot = swapSlot(of: pfn), swap.cachedPage(slot) != pfn { return .busy }
        return nil
    }

    /// Moves one page: `move_to_new_folio()` between `try_to_migrate()` and
    /// `remove_migration_ptes()`.
    ///
    /// - Returns: false where not all entries that point to it can be found; nothing changed then.
    private mutating func move(
        _ old: UInt32,
        to new: UInt32,
        _ control: inout CompactControl
    ) -> Bool {
        guard let mappings = mappings(of: old, &control.work) else { return false }
        copyFrame(old, 0, to: new, 0, count: PageContents.pageBytes)
        let page = pages.map[Int(old)]
        let link = lru.links[Int(old)]
        leaveLRU(old)
        pages.map[Int(old)].word = 1
        pages.map[Int(new)].takeOver(page)
        moveCharge(from: old, to: new)
        if pages.owners.isOn { pages.owners.move(from: old, to: new) }
        joinLRU(new, file: link.file, index: link.index)
        setAging(new, page.aging)
        if let file = link.file { files[file]?.set(link.index, new) }
        if page.aging.contains(.swapCache), let slot = SwapSlot(packed: link.swap) {
            lru.name(new, swap: link.swap)
            swap.cache(slot, new)
        }
        for mapping in mappings {
            let flags = mapping.leaf.entry.flags
            let entry = paging.format.entry(frame: UInt64(new), flags)
            setTableEntry(mapping.leaf.table, mapping.leaf.index, entry)
        }
        if !mappings.isEmpty { paging.flushUser() }
        if page.aging.contains([.dirty, .onDisk]) { control.movedDirty[old] = new }
        freePages(PFN(rawValue: UInt64(old)), order: 0, in: CallContext(cpu: control.cpu))
        return true
    }

    /// Dirty pages keep their places in the order in which they will be written.
    mutating func renameDirtyPages(_ moved: [UInt32: UInt32]) {
        guard !moved.isEmpty else { return }
        for place in dirtyPages.indices {
            if let new = moved[dirtyPages[place]] { dirtyPages[place] = new }
        }
    }
}
