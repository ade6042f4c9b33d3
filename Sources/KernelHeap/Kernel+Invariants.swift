extension Kernel {
    /// Everything that must hold of the machine's own structures after any call.
    ///
    /// - Parameter misuse: whether a client may have freed what was not allocated; then object
    ///   freelists may be wrong, as in the real kernel.
    /// - Returns: what does not hold; empty where all is sound. For tests: costs the touched memory.
    package func checkInvariants(misuse: Bool) -> [String] {
        let isSpelledOut = machine.zones?.contains { $0.freeLists != nil } ?? false
        var texts = pages.checkInvariants(allowingUnmergedBuddies: isSpelledOut)
        texts += slab.checkInvariants(pages, misuse: misuse)
        var violations = Violations()
        var mapped: [UInt32: UInt32] = [:]
        for index in processes.indices where processes[index].isAlive {
            texts += processes[index].space.checkInvariants()
            // Where a client wrote into tables, they may map anything.
            if !paging.isTampered { checkTables(of: index, &mapped, &violations) }
        }
        if !paging.isTampered { checkMappings(mapped, &violations) }
        checkFiles(mapped, &violations)
        if !paging.isTampered { checkReclaim(&violations) }
        checkAreas(misuse: misuse, &violations)
        if !misuse { checkSanitizer(&violations) }
        checkPageOwners(&violations)
        if !paging.isTampered { checkHighMemory(&violations) }
        return texts + violations.texts
    }

    /// The tables of a process agree with its areas, and its counts with both.
    private func checkTables(
        of index: Int,
        _ mapped: inout [UInt32: UInt32],
        _ violations: inout Violations
    ) {
        let process = processes[index]
        var resident = (anonymous: UInt64(0), ofFiles: UInt64(0))
        var swapped: UInt64 = 0
        var budget = WalkBudget(process.space)
        forEachUserLeaf(index, 0..<userEnd, &budget) { leaf in
            let area = process.space.area(at: leaf.address)
            if paging.format.isSwapEntry(leaf.entry) {
                swapped += 1
                let slot = paging.format.swapSlot(of: leaf.entry).slot
                violations.check(swap.uses(slot) > 0, "slot \(slot) of \(leaf.address) is free")
                return
            }
            violations.check(area != nil, "page \(leaf.address) lies in no area")
            checkRights(leaf, area?.rights ?? [], &violations)
            if leaf.entry.flags.contains(.special) { return }
            let pfn = UInt32(truncatingIfNeeded: paging.format.storedFrame(of: leaf.entry))
            guard let pfn = memoryFrame(UInt64(pfn)) else { return }
            let page = pages.map[Int(pfn)]
            violations.check(
                page.kind == .allocated && page.order == 0 && page.isOnLRU,
                "process \(process.pid) maps frame \(pfn), which is \(page.kind)"
            )
            let mayStore = leaf.entry.flags.contains(.writable) && area?.isShared == false
            violations.check(
                !mayStore || page.isExclusive && page.mapCount == 1,
                "process \(process.pid) may store to frame \(pfn), which others see"
            )
            if page.isOfFile { resident.ofFiles += 1 } else { resident.anonymous += 1 }
            mapped[pfn, default: 0] += 1
        }
        violations.check(
            swapped == process.space.swapEntries,
            "process \(process.pid) counts \(process.space.swapEntries) swapped pages of \(swapped)"
        )
        violations.check(
            resident == (process.space.anonymousPages, process.space.filePages),
            "process \(process.pid) counts \(process.space.anonymousPages) pages and "
                + "\(process.space.filePages) of files; it maps \(resident)"
        )
    }

    /// Every page is mapped as often as it says, and counted where it is.
    private func checkMappings(_ mapped: [UInt32: UInt32], _ violations: inout Violations) {
        var anonymous: UInt64 = 0
        var ofFiles: UInt64 = 0
        for (pfn, count) in mapped.sorted(by: { $0.key < $1.key }) {
            let page = pages.map[Int(pfn)]
            violations.check(
                page.mapCount == count,
                "frame \(pfn) is mapped \(count) times, its count is \(page.mapCount)"
            )
            if page.isOfFile { ofFiles += 1 } else { anonymous += 1 }
        }
        let counted = (0..<Kernel.maximumNodes).reduce((UInt64(0), UInt64(0))) { sum, node in
            (sum.0 + userPages.anonymous[node], sum.1 + userPages.mappedOfFiles[node])
        }
        violations.check(
            counted == (anonymous, ofFiles),
            "\(counted) mapped pages and pages of files are counted of \((anonymous, ofFiles))"
        )
    }

    /// Files have pages of their own, and no more users than there are.
    private func checkFiles(_ mapped: [UInt32: UInt32], _ violations: inout Violations) {
        var cached: Set<UInt32> = []
        for file in files.all {
            violations.check(file.isUsed, "file \(file.inode) has no user")
            for (page, frame) in file.frames.sorted(by: { $0.key < $1.key }) {
                violations.check(file.reaches(page), "file \(file.inode) ends before \(page)")
                violations.check(
                    cached.insert(frame).inserted && pages.map[Int(frame)].isOfFile,
                    "frame \(frame) of file \(file.inode) is another's"
                )
            }
        }
        checkLRUPages(cached.union(mapped.keys), &violations)
    }

    /// An entry allows no more than its area, and shows whether there are rights at all.
    private func checkRights(
        _ leaf: UserLeaf,
        _ rights: MemoryRights,
        _ violations: inout Violations
    ) {
        let flags = leaf.entry.flags
        violations.check(
            flags.contains(.present) == !rights.isEmpty,
            "the entry of \(leaf.address) is \(leaf.entry.text), its area is \(rights.text)"
        )
        violations.check(
            !flags.contains(.writable) || rights.contains(.write),
            "the entry of \(leaf.address) is writable, its area is not"
        )
    }

    /// Each pageblock counts at least the pages that processes map in it.
    private func checkLRUPages(_ mapped: Set<UInt32>, _ violations: inout Violations) {
        var counts: [Int: Int] = [:]
        for pfn in mapped { counts[Int(pfn) / pages.pageblockPages, default: 0] += 1 }
        for (block, count) in counts.sorted(by: { $0.key < $1.key }) {
            violations.check(
                Int(pages.lruPages[block]) >= count,
                "pageblock \(block): \(count) mapped pages, \(pages.lruPages[block]) on LRU lists"
            )
        }
    }
}
