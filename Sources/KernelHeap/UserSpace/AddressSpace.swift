/// The user half of a process's addresses: `struct mm_struct`.
///
/// Areas are sorted, do not overlap, and merge where Linux merges them. Pages come at the first
/// touch: a read of untouched memory sees the shared zero page, a write gets a page of its own.
struct AddressSpace: Sendable {
    /// First address that is no process's: `TASK_SIZE_MAX`.
    var end = AddressLayout.x8664.userEnd
    /// Where `mmap` begins to look downwards when addresses are not randomised: 128 MiB below.
    var mmapBase: UInt64 { end - (128 << 20) }
    /// Where it looks upwards when there is no room below: `TASK_UNMAPPED_BASE`.
    var unmappedBase: UInt64 { (end / 3 + 4095) & ~4095 }
    /// `vm.mmap_min_addr`.
    static let lowest: UInt64 = 0x1_0000
    static let pageBytes: UInt64 = 4_096
    /// `vm.max_map_count`.
    static let maximumAreas = 65_530

    private(set) var areas: [VMArea] = []
    /// The frame of its PGD; nil for the first process's, which the boot made.
    var root: UInt32?
    /// Tables below the root, by level: `mm->pgtables_bytes` in pages.
    var tables: InlineArray<4, UInt32> = InlineArray(repeating: 0)
    /// Its anonymous pages that entries point to: `MM_ANONPAGES`.
    var anonymousPages: UInt64 = 0
    /// Its pages in swap areas: `MM_SWAPENTS`.
    var swapEntries: UInt64 = 0
    /// Pages of files that entries point to: `MM_SHMEMPAGES`, for all files are in memory.
    var filePages: UInt64 = 0
    /// Pages of all areas: `total_vm`.
    private(set) var mappedPages: UInt64 = 0
    /// Pages of areas that are locked: `locked_vm`.
    private(set) var lockedPages: UInt64 = 0
    /// The most that `mappedPages` was: `VmPeak`.
    private(set) var peakMappedPages: UInt64 = 0
    /// The most that `residentPages` was before some were given back: `VmHWM`.
    private(set) var peakResidentPages: UInt64 = 0
    /// The first byte behind the program's data, and of the end of its heap: `brk`.
    var heap: Range<UInt64> = 0..<0
    /// An address of the stack that the process began with; 0 without one.
    var stackStart: UInt64 = 0
    private var lastPageOwner: UInt64 = 0

    /// Pages that entries point to: `VmRSS`.
    var residentPages: UInt64 { anonymousPages &+ filePages }

    /// Tables below the root.
    var tableCount: Int { Int(tables[1]) + Int(tables[2]) + Int(tables[3]) }

    /// The area that holds an address.
    func area(at address: UInt64) -> VMArea? { index(at: address).map { areas[$0] } }

    /// The place of the area that holds an address.
    func index(at address: UInt64) -> Int? {
        let index = firstIndex(endingAfter: address)
        guard index < areas.count, areas[index].start <= address else { return nil }
        return index
    }

    /// The first area that ends behind an address, by bisection.
    func firstIndex(endingAfter address: UInt64) -> Int {
        var low = 0
        var high = areas.count
        while low < high {
            let middle = (low + high) / 2
            if areas[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Adds an area into free space, joined to neighbours that are alike: `mmap_region()`.
    mutating func insert(_ area: VMArea) {
        count(area, isAdded: true)
        let index = firstIndex(endingAfter: area.start)
        var joined = area
        let takesNext = index < areas.count && areas[index].takesBefore(area)
        if takesNext { joined.pageOwner = areas[index].pageOwner }
        let takesPrevious = index > 0 && areas[index - 1].takesBehind(joined)
        switch (takesPrevious, takesNext) {
        case (true, true):
            areas[index - 1].end = areas[index].end
            areas.remove(at: index)
        case (true, false): areas[index - 1].end = area.end
        case (false, true):
            areas[index].start = area.start
            areas[index].pageOffset = area.pageOffset
        case (false, false): areas.insert(area, at: index)
        }
    }

    /// Adds an area as it is behind all others: what a fork does.
    mutating func append(_ area: VMArea) {
        count(area, isAdded: true)
        areas.append(area)
    }

    /// Changes what a part of one area is; its neighbours join it where they are alike now.
    ///
    /// Follows `mprotect_fixup()` and its like: `vma_merge()`, or else `split_vma()`.
    ///
    /// - Parameters:
    ///   - range: lies within one area.
    ///   - change: sets rights or flags.
    mutating func change(_ range: Range<UInt64>, _ change: (inout VMArea) -> Void) {
        split(at: range.lowerBound)
        split(at: range.upperBound)
        guard let index = index(at: range.lowerBound) else { return }
        let old = areas[index]
        change(&areas[index])
        if old.flags.contains(.locked) != areas[index].flags.contains(.locked) {
            let isAdded = !old.flags.contains(.locked)
            lockedPages = isAdded ? lockedPages &+ old.pageCount : lockedPages &- old.pageCount
        }
        mergeAround(index)
    }

    private mutating func mergeAround(_ index: Int) {
        let area = areas[index]
        let takesPrevious = index > 0 && areas[index - 1].takesBehind(area)
        var takesNext = index + 1 < areas.count && areas[index + 1].takesBefore(area)
        if takesPrevious && takesNext {
            let owners = (areas[index - 1].pageOwner, areas[index + 1].pageOwner)
            takesNext = owners.0 == 0 || owners.1 == 0 || owners.0 == owners.1
        }
        if takesNext {
            let next = areas.remove(at: index + 1)
            areas[index].end = next.end
            areas[index].pageOwner = next.pageOwner
            areas[index].flags = next.flags
        }
        guard takesPrevious else { return }
        let joined = areas.remove(at: index)
        areas[index - 1].end = joined.end
        if areas[index - 1].pageOwner == 0 {
            areas[index - 1].pageOwner = joined.pageOwner
            areas[index - 1].flags = joined.flags
        }
    }

    /// Gives an area its `anon_vma` before the first page of its own: `anon_vma_prepare()`.
    mutating func preparePageOwner(at address: UInt64) {
        guard let index = index(at: address), areas[index].pageOwner == 0 else { return }
        let area = areas[index]
        if index + 1 < areas.count, areas[index + 1].start == area.end,
            areas[index + 1].lendsPageOwner(to: area)
        {
            areas[index].pageOwner = areas[index + 1].pageOwner
        } else if index > 0, areas[index - 1].end == area.start,
            areas[index - 1].lendsPageOwner(to: area)
        {
            areas[index].pageOwner = areas[index - 1].pageOwner
        } else {
            areas[index].pageOwner = newPageOwner()
        }
    }

    mutating func newPageOwner() -> UInt64 {
        lastPageOwner &+= 1
        return lastPageOwner
    }

    /// Moves the beginning of a stack down: `expand_downwards()`.
    mutating func grow(_ index: Int, downTo start: UInt64) {
        let pages = (areas[index].start - start) >> 12
        var grown = areas[index]
        grown.end = grown.start
        grown.start = start
        count(grown, isAdded: true)
        areas[index].start = start
        areas[index].pageOffset &-= pages
    }

    /// Cuts a range out of the areas.
    mutating func remove(_ range: Range<UInt64>) {
        split(at: range.lowerBound)
        split(at: range.upperBound)
        let first = firstIndex(endingAfter: range.lowerBound)
        var last = first
        while last < areas.count, areas[last].start < range.upperBound {
            count(areas[last], isAdded: false)
            last += 1
        }
        areas.removeSubrange(first..<last)
    }

    private mutating func count(_ area: VMArea, isAdded: Bool) {
        let locked = area.flags.contains(.locked) ? area.pageCount : 0
        guard isAdded else {
            mappedPages &-= area.pageCount
            lockedPages &-= locked
            return
        }
        mappedPages &+= area.pageCount
        lockedPages &+= locked
        peakMappedPages = max(peakMappedPages, mappedPages)
    }

    /// Remembers how many pages there were before some go: `update_hiwater_rss()`.
    mutating func notePeak() { peakResidentPages = max(peakResidentPages, residentPages) }

    /// What a moved area leaves behind has no pages of its own: `unlink_anon_vmas()`.
    mutating func forgetPageOwner(_ range: Range<UInt64>) {
        guard let index = index(at: range.lowerBound), areas[index].start == range.lowerBound,
            areas[index].end == range.upperBound
        else { return }
        areas[index].pageOwner = 0
        areas[index].flags.remove(.inherited)
    }

    private mutating func split(at address: UInt64) {
        guard let index = index(at: address), areas[index].start < address else { return }
        var upper = areas[index]
        upper.start = address
        upper.pageOffset &+= (address - areas[index].start) >> 12
        areas[index].end = address
        areas.insert(upper, at: index + 1)
    }
}
