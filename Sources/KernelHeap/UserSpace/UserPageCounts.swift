/// Pages of processes and of files in memory, by node: the counters that meminfo sums up.
struct UserPageCounts: Sendable {
    /// `NR_ANON_MAPPED`.
    var anonymous: InlineArray<4, UInt64> = InlineArray(repeating: 0)
    /// `NR_SHMEM`: all files live in memory.
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
    mutating func becomeAnonymous(_ pfn: UInt32) {
        pages.map[Int(pfn)].becomeAnonymous()
        pages.lruPages[Int(pfn) / pages.pageblockPages] &+= 1
        userPages.anonymous[node(of: pfn)] &+= 1
    }

    /// A fresh page becomes a file's.
    mutating func becomeFilePage(_ pfn: UInt32) {
        pages.map[Int(pfn)].becomeFilePage()
        pages.lruPages[Int(pfn) / pages.pageblockPages] &+= 1
        userPages.ofFiles[node(of: pfn)] &+= 1
    }

    /// One more entry points to a file's page.
    mutating func mapFilePage(_ pfn: UInt32) {
        if pages.map[Int(pfn)].mapCount == 0 { userPages.mappedOfFiles[node(of: pfn)] &+= 1 }
        pages.map[Int(pfn)].share()
    }

    /// Takes one mapping of a page away; an anonymous page goes with the last.
    mutating func dropUserPage(_ pfn: UInt32, cpu: Int) {
        let page = pages.map[Int(pfn)]
        if page.isOnLRU {
            pages.map[Int(pfn)].unmap()
            let node = node(of: pfn)
            if page.mapCount <= 1 {
                if page.isOfFile {
                    let count = userPages.mappedOfFiles[node]
                    userPages.mappedOfFiles[node] = count - min(count, 1)
                } else {
                    userPages.anonymous[node] &-= 1
                    leaveLRU(pfn)
                }
            }
        }
        // The page may have been freed under the process: then this is one reference too many.
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }

    /// A file gives a page back that nothing maps.
    mutating func dropFilePage(_ pfn: UInt32, cpu: Int) {
        if pages.map[Int(pfn)].isOnLRU {
            userPages.ofFiles[node(of: pfn)] &-= 1
            leaveLRU(pfn)
        }
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }

    private mutating func leaveLRU(_ pfn: UInt32) {
        pages.map[Int(pfn)].leaveLRU()
        pages.lruPages[Int(pfn) / pages.pageblockPages] &-= 1
    }
}
