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
        var mapped: Set<UInt32> = []
        for index in processes.indices {
            texts += processes[index].space.checkInvariants()
            // Where a client wrote into tables, they may map anything.
            if !paging.isTampered { checkTables(of: index, &mapped, &violations) }
        }
        checkLRUPages(mapped, &violations)
        checkAreas(misuse: misuse, &violations)
        if !paging.isTampered { checkHighMemory(&violations) }
        return texts + violations.texts
    }

    /// The tables of a process agree with its areas, and every page in them is its own.
    private func checkTables(
        of index: Int,
        _ mapped: inout Set<UInt32>,
        _ violations: inout Violations
    ) {
        let process = processes[index]
        var resident: UInt64 = 0
        for leaf in userLeaves(index, 0..<userEnd).found {
            let area = process.space.area(at: leaf.address)
            violations.check(area != nil, "page \(leaf.address) lies in no area")
            checkRights(leaf, area?.rights ?? [], &violations)
            if leaf.entry.flags.contains(.special) { continue }
            resident += 1
            let pfn = UInt32(truncatingIfNeeded: paging.format.storedFrame(of: leaf.entry))
            guard let pfn = memoryFrame(UInt64(pfn)) else { continue }
            let page = pages.map[Int(pfn)]
            violations.check(
                page.kind == .allocated && page.order == 0 && page.isOnLRU,
                "process \(process.pid) maps frame \(pfn), which is \(page.kind)"
            )
            violations.check(mapped.insert(pfn).inserted, "frame \(pfn) is mapped twice")
        }
        violations.check(
            resident == process.space.residentPages,
            "process \(process.pid) counts \(process.space.residentPages) of \(resident) pages"
        )
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
