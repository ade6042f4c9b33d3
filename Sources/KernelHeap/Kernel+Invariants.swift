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
        for process in processes {
            texts += process.space.checkInvariants()
            for pfn in process.space.pages.values.sorted() {
                let page = pages.map[Int(pfn)]
                violations.check(
                    page.kind == .allocated && page.order == 0 && page.isOnLRU,
                    "process \(process.pid) maps frame \(pfn), which is \(page.kind)"
                )
                violations.check(mapped.insert(pfn).inserted, "frame \(pfn) is mapped twice")
            }
        }
        checkLRUPages(mapped, &violations)
        return texts + violations.texts
    }

    /// Each pageblock counts at least the pages that processes map in it.
    private func checkLRUPages(_ mapped: Set<UInt32>, _ violations: inout Violations) {
        var counts: [Int: Int] = [:]
        for pfn in mapped { counts[Int(pfn) / PageAllocator.pageblockPages, default: 0] += 1 }
        for (block, count) in counts.sorted(by: { $0.key < $1.key }) {
            violations.check(
                Int(pages.lruPages[block]) >= count,
                "pageblock \(block): \(count) mapped pages, \(pages.lruPages[block]) on LRU lists"
            )
        }
    }
}
