/// An entry of a process's lowest tables: where it is, and what it maps.
struct UserLeaf {
    var table: UInt64
    var index: Int
    var entry: PageTableEntry
    var address: UInt64
}

/// How far a walk over many tables may go: no further than the process has tables.
///
/// A client can make tables point at each other; the walk ends all the same.
struct WalkBudget {
    var tables: Int
    var gaps: Int

    /// A budget for walks over some ranges that do not overlap: each may begin in the middle of a
    /// table that the one before it has seen.
    init(_ space: AddressSpace, ranges: Int = 1) {
        tables = space.tableCount + 1 + ranges
        gaps = 1_024 * (space.tableCount + 1 + ranges)
    }
}

/// A process's own tables: made by faults, emptied by `munmap`, as in `mm/memory.c`, 6.1.
extension Kernel {
    /// First address that is not user space.
    var userEnd: UInt64 { layout.userEnd }

    /// What the entry of an area's page has beside its frame: `vm_get_page_prot()`.
    ///
    /// Write access to private memory comes with a fault, and to what must be written back later
    /// (`vma_wants_writenotify()`); to other shared memory at once. `PROT_NONE` is an
    /// entry that is not present.
    func protection(_ area: VMArea) -> PageTableEntry.Flags {
        guard !area.rights.isEmpty else { return [.accessed, .noRights] }
        var flags: PageTableEntry.Flags = [.present, .user, .accessed]
        if area.isShared, area.rights.contains(.write), !isOnDisk(area) { flags.insert(.writable) }
        return area.rights.contains(.execute) ? flags : flags.union(.noExecute)
    }

    /// Follows the tables to the entry of an address; makes those that are missing.
    ///
    /// - Returns: the entry's place, or why there is none.
    mutating func makeLeaf(
        _ process: Int,
        at address: UInt64,
        cpu: Int
    ) -> Result<UserLeaf, UserFault.Stop> {
        let format = paging.format
        switch makeTable(process, at: address, level: format.leafLevel, cpu: cpu) {
        case .failure(let stop): return .failure(stop)
        case .success(let table):
            let index = format.index(address, format.leafLevel)
            let entry = tableEntry(table, index, keptBootTables()) ?? PageTableEntry(rawValue: 0)
            return .success(UserLeaf(table: table, index: index, entry: entry, address: address))
        }
    }

    /// Follows the tables of an address down to a level; makes those that are missing.
    ///
    /// Tables come upper first, before the page itself: `__handle_mm_fault()`.
    ///
    /// - Returns: the frame of the table, or why there is none.
    mutating func makeTable(
        _ process: Int,
        at address: UInt64,
        level last: Int,
        cpu: Int
    ) -> Result<UInt64, UserFault.Stop> {
        let boot = keptBootTables()
        let format = paging.format
        var table = root(of: process, boot)
        for level in 0..<last {
            let index = format.index(address, level)
            guard let entry = tableEntry(table, index, boot) else {
                return .failure(UserFault.Stop(.badPageTable))
            }
            if entry.isPresent {
                table = format.frame(of: entry)
                guard !entry.flags.contains(.large), isTable(table, boot) else {
                    return .failure(UserFault.Stop(.badPageTable))
                }
                continue
            }
            guard entry.rawValue == 0 else { return .failure(UserFault.Stop(.badPageTable)) }
            guard let frame = allocateTable(level: level + 1, isUser: true, cpu: cpu) else {
                return .failure(UserFault.Stop(.outOfMemory))
            }
            processes[process].space.tables[level + 1] &+= 1
            let hasRights = level > 0 || format.rootHasRights
            let flags: PageTableEntry.Flags = hasRights ? .table : .present
            setTableEntry(table, index, format.entry(frame: UInt64(frame), flags))
            table = UInt64(frame)
        }
        return .success(table)
    }

    /// The entries of a range that are not empty, ascending; at most about `limit` of them.
    ///
    /// Costs the tables of the range, not its length.
    ///
    /// - Returns: the entries, and where to go on, nil at the end.
    func userLeaves(
        _ process: Int,
        _ range: Range<UInt64>,
        limit: Int = .max
    ) -> (found: [UserLeaf], next: UInt64?) {
        var budget = WalkBudget(processes[process].space)
        return userLeaves(process, range, limit: limit, &budget)
    }

    /// The same as part of a longer walk, which has one budget.
    func userLeaves(
        _ process: Int,
        _ range: Range<UInt64>,
        limit: Int,
        _ budget: inout WalkBudget
    ) -> (found: [UserLeaf], next: UInt64?) {
        let boot = bootTables()
        let root = root(of: process, boot)
        let format = paging.format
        let end = min(range.upperBound, userEnd)
        var found: [UserLeaf] = []
        var address = range.lowerBound
        while address < end {
            guard found.count < limit else { return (found, address) }
            guard budget.tables > 0, budget.gaps > 0 else { return (found, nil) }
            switch leafTable(address, root, boot) {
            case .success(let table):
                budget.tables -= 1
                let stop = min(end, (address | (format.span(format.leafLevel - 1) - 1)) + 1)
                appendLeaves(address..<stop, table, boot, to: &found)
                address = stop
            case .failure(let gap):
                budget.gaps -= 1
                address = (address | (format.span(gap.level) - 1)) &+ 1
                if address == 0 { return (found, nil) }
            }
        }
        return (found, nil)
    }

    /// A level whose entry for an address leads nowhere.
    struct Gap: Error { let level: Int }

    /// The lowest table of an address, among those that the kernel made.
    func leafTable(
        _ address: UInt64,
        _ root: UInt64,
        _ boot: BootTables
    ) -> Result<UInt64, Gap> {
        let format = paging.format
        var table = root
        for level in 0..<format.leafLevel {
            guard let entry = tableEntry(table, format.index(address, level), boot),
                entry.isPresent, !entry.flags.contains(.large)
            else { return .failure(Gap(level: level)) }
            table = format.frame(of: entry)
            guard isTable(table, boot) else { return .failure(Gap(level: level)) }
        }
        return .success(table)
    }

    private func appendLeaves(
        _ range: Range<UInt64>,
        _ table: UInt64,
        _ boot: BootTables,
        to found: inout [UserLeaf]
    ) {
        var address = range.lowerBound
        while address < range.upperBound {
            let index = paging.format.index(address, paging.format.leafLevel)
            if let entry = tableEntry(table, index, boot), entry.rawValue != 0 {
                found.append(
                    UserLeaf(table: table, index: index, entry: entry, address: address)
                )
            }
            address += 4096
        }
    }

    /// Tells the entries of a range that are not empty, ascending; never holds more than some
    /// thousand of them.
    func forEachUserLeaf(
        _ process: Int,
        _ range: Range<UInt64>,
        _ budget: inout WalkBudget,
        _ body: (UserLeaf) -> Void
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let part = start..<range.upperBound
            let (leaves, next) = userLeaves(process, part, limit: 4_096, &budget)
            for leaf in leaves { body(leaf) }
            guard let next, next > start else { return }
            start = next
        }
    }

    /// Runs a change over all entries of a range, some thousand at a time.
    mutating func changeLeaves(
        _ process: Int,
        _ range: Range<UInt64>,
        _ body: (inout Kernel, UserLeaf) -> Void
    ) {
        var budget = WalkBudget(processes[process].space)
        var start = range.lowerBound
        while start < range.upperBound {
            let part = start..<range.upperBound
            let (leaves, next) = userLeaves(process, part, limit: 4_096, &budget)
            for leaf in leaves { body(&self, leaf) }
            guard let next, next > start else { return }
            start = next
        }
    }

    /// Empties the entries of a range and gives their pages back: `zap_page_range()`.
    ///
    /// - Parameters:
    ///   - process: as an index.
    ///   - range: whole pages.
    ///   - sparingCopies: whether anonymous pages stay: `should_zap_page()`.
    ///   - cpu: where pages are given back.
    mutating func zapUserPages(
        _ process: Int,
        _ range: Range<UInt64>,
        sparingCopies: Bool = false,
        cpu: Int
    ) {
        let format = paging.format
        processes[process].space.notePeak()
        changeLeaves(process, range) { kernel, leaf in
            if sparingCopies, kernel.isAnonymous(leaf.entry) { return }
            kernel.setTableEntry(leaf.table, leaf.index, PageTableEntry(rawValue: 0))
            if format.isSwapEntry(leaf.entry) {
                return kernel.dropSwapEntry(process, leaf.entry, cpu: cpu)
            }
            guard !leaf.entry.flags.contains(.special) else { return }
            let frame = format.storedFrame(of: leaf.entry)
            guard kernel.isMemory(frame), let pfn = UInt32(exactly: frame) else {
                return kernel.countResident(process, isOfFile: false, by: -1)
            }
            let page = kernel.pages.map[Int(pfn)]
            if leaf.entry.flags.contains(.dirty), page.aging.contains(.onDisk) {
                kernel.markDirty(pfn)
            }
            kernel.countResident(process, isOfFile: page.isOfFile, by: -1)
            kernel.dropUserPage(pfn, cpu: cpu)
            if page.aging.contains(.unevictable) { kernel.unlockPage(pfn) }
        }
        paging.flushUser()
    }

    /// Gives the entries of an area's part the rights that the area has now: `change_protection()`.
    ///
    /// Where writing is allowed now, a page that was written and is the process's own is writable at
    /// once, as recorded; any other waits for the fault (`can_change_pte_writable()`).
    mutating func protectUserPages(_ process: Int, _ area: VMArea) {
        let format = paging.format
        let flags = protection(area)
        let mayWrite = area.rights.contains(.write)
        changeLeaves(process, area.start..<area.end) { kernel, leaf in
            guard !format.isSwapEntry(leaf.entry) else { return }
            var new = leaf.entry.flags.intersection(.keptByProtection).union(flags)
            if mayWrite, new.contains(.dirty), kernel.isOwnPage(leaf.entry) {
                new.insert(.writable)
            }
            kernel.setTableEntry(leaf.table, leaf.index, format.entry(leaf.entry, with: new))
        }
        paging.flushUser()
    }

    /// Whether an entry points to a page of processes' own.
    private func isAnonymous(_ entry: PageTableEntry) -> Bool {
        guard !entry.flags.contains(.special),
            let pfn = memoryFrame(paging.format.storedFrame(of: entry))
        else { return false }
        return pages.map[Int(pfn)].isOnLRU && !pages.map[Int(pfn)].isOfFile
    }

    /// Whether an entry points to an anonymous page that nobody else may see.
    func isOwnPage(_ entry: PageTableEntry) -> Bool {
        guard !entry.flags.contains(.special),
            let pfn = memoryFrame(paging.format.storedFrame(of: entry))
        else { return false }
        return pages.map[Int(pfn)].isExclusive
    }

    /// Frees the tables of a range that serve no area beside it: `free_pgtables()`.
    mutating func freeUserTables(_ process: Int, _ range: Range<UInt64>, cpu: Int) {
        let gap = processes[process].space.gap(around: range)
        let free = gap.floor..<max(gap.ceiling ?? .max, gap.floor)
        var budget = WalkBudget(processes[process].space)
        let root = root(of: process, keptBootTables())
        freeTables(process, below: root, level: 0, range, free, cpu, &budget)
        paging.flushUser()
    }

    /// Frees the tables that a table's entries for a range point to, lower ones first.
    private mutating func freeTables(
        _ process: Int,
        below table: UInt64,
        level: Int,
        _ range: Range<UInt64>,
        _ free: Range<UInt64>,
        _ cpu: Int,
        _ budget: inout WalkBudget
    ) {
        let boot = keptBootTables()
        let format = paging.format
        let span = format.span(level)
        var address = range.lowerBound & ~(span - 1)
        while address < min(range.upperBound, userEnd), budget.gaps > 0 {
            budget.gaps -= 1
            let start = address
            address = start &+ span
            let index = format.index(start, level)
            guard let entry = tableEntry(table, index, boot), entry.isPresent,
                !entry.flags.contains(.large)
            else { continue }
            let child = format.frame(of: entry)
            guard let frame = memoryFrame(child), pages.map[Int(frame)].isPageTable,
                child != root(of: process, boot)
            else { continue }
            if level + 1 < format.leafLevel {
                let part = range.clamped(to: start..<start + span)
                freeTables(process, below: child, level: level + 1, part, free, cpu, &budget)
            }
            guard free.lowerBound <= start, start + span <= free.upperBound else { continue }
            setTableEntry(table, index, PageTableEntry(rawValue: 0))
            freeTable(frame, level: level + 1, isUser: true, cpu: cpu)
            let count = processes[process].space.tables[level + 1]
            processes[process].space.tables[level + 1] = count - min(count, 1)
        }
    }
}

/// The tables of a process as a whole.
extension Kernel {
    /// Makes a PGD for a process: its upper half is the kernel's, its lower half empty.
    ///
    /// `pgd_alloc()`, 6.1. Changes of the kernel's tables reach it by `syncProcesses`.
    ///
    /// - Returns: false where there is no memory; the process keeps what it had.
    mutating func makeRoot(_ process: Int, cpu: Int) -> Bool {
        guard processes.indices.contains(process),
            let frame = allocateTable(level: 0, isUser: true, cpu: cpu)
        else { return false }
        guard giveKernelHalf(to: frame, cpu: cpu) else {
            takeKernelHalf(from: frame, cpu: cpu)
            freeTable(frame, level: 0, isUser: true, cpu: cpu)
            return false
        }
        processes[process].space.root = frame
        return true
    }

    /// Gives all user memory of a process back, and its PGD: `exit_mmap()`, 6.1.
    mutating func releaseUserSpace(_ process: Int, cpu: Int) {
        unmap(process, 0..<userEnd, cpu: cpu)
        guard let root = processes[process].space.root else { return }
        processes[process].space.root = nil
        takeKernelHalf(from: root, cpu: cpu)
        freeTable(root, level: 0, isUser: true, cpu: cpu)
    }
}
