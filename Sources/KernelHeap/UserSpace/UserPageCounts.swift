/// Pages of processes and of files in memory, by node: the counters that meminfo sums up.
struct UserPageCounts: Sendable {
    /// `NR_ANON_MAPPED`.
    var anonymous: InlineArray<4, UInt64> = InlineArray(repeating: 0)
    /// `NR_SHMEM`: files that live in memory.
    var ofFiles: InlineArray<4, UInt64> = InlineArray(repeating: 0)
    /// `NR_FILE_MAPPED`.
    var mappedOfFiles: InlineArray<4, UInt64> = InlineArray(repeating: 0)
}

/// How pages become a process's or a file's, and stop being so: `mm/rmap.c`, 6.1.
extension Kernel {
    /// Counts a page that came to a process or left it: `add_mm_counter()`.
    mutating func countResident(_ process: Int, isOfFile: Bool, by change: Int) {
        if isOfFile {
            let count = processes[process].space.filePages
            processes[process].space.filePages = change < 0 ? count - min(count, 1) : count &+ 1
        } else {
            let count = processes[process].space.anonymousPages
            processes[process].space.anonymousPages =
                change < 0 ? count - min(count, 1) : count &+ 1
        }
    }

    /// A fresh page becomes a process's own: `page_add_new_anon_rmap()`.
    ///
    /// - Parameters:
    ///   - pfn: with one reference.
    ///   - index: its page of addresses in its area, as `VMArea.filePage` counts.
    ///   - isLocked: whether its area is.
    mutating func becomeAnonymous(_ pfn: UInt32, index: UInt64, isLocked: Bool) {
        pages.map[Int(pfn)].becomeAnonymous()
        userPages.anonymous[node(of: pfn)] &+= 1
        joinLRU(pfn, file: nil, index: index, isLocked ? .unevictable : [])
    }

    /// A fresh page becomes a file's.
    mutating func becomeFilePage(_ pfn: UInt32, of file: Int, number: UInt64, isOnDisk: Bool) {
        pages.map[Int(pfn)].becomeFilePage()
        if !isOnDisk { userPages.ofFiles[node(of: pfn)] &+= 1 }
        joinLRU(pfn, file: file, index: number, isOnDisk ? .onDisk : [])
    }

    /// One more entry points to a file's page.
    mutating func mapFilePage(_ pfn: UInt32) {
        if pages.map[Int(pfn)].mapCount == 0 { userPages.mappedOfFiles[node(of: pfn)] &+= 1 }
        pages.map[Int(pfn)].share()
    }

    /// One more entry points to an anonymous page that was in the swap cache alone, perhaps.
    mutating func mapAnonymousPage(_ pfn: UInt32) {
        if pages.map[Int(pfn)].mapCount == 0 { userPages.anonymous[node(of: pfn)] &+= 1 }
        pages.map[Int(pfn)].share()
    }

    /// An entry less points to a page: `page_remove_rmap()`; its reference stays.
    mutating func removeMapping(_ pfn: UInt32) {
        let page = pages.map[Int(pfn)]
        guard page.isOnLRU, page.mapCount > 0 else { return }
        pages.map[Int(pfn)].unmap()
        guard page.mapCount == 1 else { return }
        let node = node(of: pfn)
        if page.isOfFile {
            userPages.mappedOfFiles[node] &-= min(1, userPages.mappedOfFiles[node])
        } else {
            userPages.anonymous[node] &-= min(1, userPages.anonymous[node])
        }
    }

    /// Takes one mapping of a page away; an anonymous page goes with the last.
    mutating func dropUserPage(_ pfn: UInt32, cpu: Int) {
        removeMapping(pfn)
        let page = pages.map[Int(pfn)]
        if page.isOnLRU, page.mapCount == 0, !page.isOfFile {
            if page.aging.contains(.swapCache) {
                freeFromSwapCache(pfn, cpu: cpu)
            }
            if !pages.map[Int(pfn)].aging.contains(.swapCache) { leaveLRU(pfn) }
        }
        // The page may have been freed under the process: then this is one reference too many.
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }

    /// A file gives a page back that nothing maps.
    mutating func dropFilePage(_ pfn: UInt32, cpu: Int) {
        let page = pages.map[Int(pfn)]
        if page.isOnLRU {
            if !page.aging.contains(.onDisk) { userPages.ofFiles[node(of: pfn)] &-= 1 }
            leaveLRU(pfn)
        }
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }
}
