/// An entry of a process's lowest page tables that is not empty.
public struct UserPageView: Hashable, Sendable {
    public var address: LinearAddress
    public var pfn: PFN
    /// How many entries point to the frame; 0 for the shared zero page, which nobody owns, and for
    /// what is no memory.
    public var mapCount: UInt64
    /// A page of a file, or of shared anonymous memory.
    public var isOfFile: Bool
    public var isWritable: Bool
    public var isAccessed: Bool
    public var isDirty: Bool
    /// The shared page of zeros.
    public var isZeroPage: Bool
    /// Of a page in a swap area: which area in the lowest five bits, and the place in it.
    public var swapEntry: UInt64?
    /// Entries that name the page's place in the swap area.
    public var swapUses: UInt64 = 0
    /// Given up by `MADV_FREE`.
    public var isLazyFree = false

    /// The page's eight bytes in `/proc/<pid>/pagemap`: `pte_to_pagemap_entry()`, 6.1.
    public var pagemap: UInt64 {
        if let swapEntry { return 1 << 62 | swapEntry }
        var entry: UInt64 = 1 << 63 | pfn.rawValue & (1 << 55 - 1)
        if isOfFile { entry |= 1 << 61 }
        if mapCount == 1 { entry |= 1 << 56 }
        return entry
    }
}

/// What an area has of memory: the numbers of `/proc/<pid>/smaps`, in bytes.
public struct AreaUsage: Hashable, Sendable {
    public var resident: UInt64 = 0
    /// Each page divided by the number of its mappings, in 4096ths of a byte.
    public var proportional: UInt64 = 0
    public var proportionalDirty: UInt64 = 0
    public var sharedClean: UInt64 = 0
    public var sharedDirty: UInt64 = 0
    public var privateClean: UInt64 = 0
    public var privateDirty: UInt64 = 0
    public var referenced: UInt64 = 0
    public var anonymous: UInt64 = 0
    public var lazyFree: UInt64 = 0
    public var swapped: UInt64 = 0
    /// Each page in a swap area divided by its users, in 4096ths of a byte.
    public var proportionalSwapped: UInt64 = 0

    /// Adds a page: `smaps_account()`, 6.1.
    mutating func add(_ page: UserPageView) {
        if page.swapEntry != nil {
            swapped += 4096
            proportionalSwapped += (4096 << 12) / max(page.swapUses, 1)
            return
        }
        guard page.mapCount > 0 else { return }
        if page.isLazyFree { lazyFree += 4096 }
        let share = (4096 << 12) / page.mapCount
        resident += 4096
        proportional += share
        if page.isDirty { proportionalDirty += share }
        if page.isAccessed { referenced += 4096 }
        if !page.isOfFile { anonymous += 4096 }
        switch (page.mapCount > 1, page.isDirty) {
        case (true, true): sharedDirty += 4096
        case (true, false): sharedClean += 4096
        case (false, true): privateDirty += 4096
        case (false, false): privateClean += 4096
        }
    }
}

extension Kernel {
    /// The pages of a process in a range of addresses, ascending.
    ///
    /// Costs the tables of the range.
    ///
    /// - Returns: `nil` where there is no such process.
    public func userPages(of pid: Int, in range: Range<UInt64>) -> [UserPageView]? {
        guard let index = process(pid) else { return nil }
        let leaves = userLeaves(index, range.clamped(to: 0..<userEnd)).found
        return leaves.map { pageView($0) }
    }

    /// What the areas of a process have of memory, area by area.
    ///
    /// - Returns: `nil` where there is no such process.
    public func areaUsages(of pid: Int) -> [AreaUsage]? {
        guard let index = process(pid) else { return nil }
        let areas = processes[index].space.areas
        var budget = WalkBudget(processes[index].space, ranges: areas.count)
        return areas.map { area in
            var usage = AreaUsage()
            forEachUserLeaf(index, area.start..<area.end, &budget) { usage.add(pageView($0)) }
            return usage
        }
    }

    private func pageView(_ leaf: UserLeaf) -> UserPageView {
        let frame = paging.format.storedFrame(of: leaf.entry)
        let flags = leaf.entry.flags
        var view = UserPageView(
            address: LinearAddress(rawValue: leaf.address),
            pfn: PFN(rawValue: frame),
            mapCount: 0,
            isOfFile: false,
            isWritable: flags.contains(.writable),
            isAccessed: flags.contains(.accessed),
            isDirty: flags.contains(.dirty),
            isZeroPage: flags.contains(.special)
        )
        if paging.format.isSwapEntry(leaf.entry) {
            let slot = paging.format.swapSlot(of: leaf.entry).slot
            view.swapEntry = UInt64(slot.offset) << 5 | UInt64(truncatingIfNeeded: slot.area)
            view.swapUses = UInt64(swap.uses(slot))
            view.pfn = PFN(rawValue: 0)
            return view
        }
        guard !flags.contains(.special), let pfn = memoryFrame(frame) else { return view }
        let page = pages.map[Int(pfn)]
        // What a client's own entry points to may be anything.
        view.mapCount = page.isOnLRU ? UInt64(max(page.mapCount, 1)) : 1
        view.isOfFile = page.isOfFile
        view.isLazyFree = page.aging.contains(.lazyFree)
        return view
    }
}
