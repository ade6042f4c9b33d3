/// Pages come to the LRU lists, change them and leave them: `mm/swap.c`, 6.1.
///
/// The kernel collects pages of each CPU in batches of 15 before it puts them on a list; here they
/// are on it at once.
extension Kernel {
    /// Puts a page that belongs to a process or a file on its list: `folio_add_lru()`.
    ///
    /// - Parameters:
    ///   - pfn: marked as such already.
    ///   - file: the place of its file; nil for anonymous memory.
    ///   - index: its number in the file, or the page of addresses where it is seen.
    ///   - aging: what it is from the start.
    mutating func joinLRU(
        _ pfn: UInt32,
        file: Int?,
        index: UInt64,
        _ aging: Page.Aging = []
    ) {
        var aging = aging
        // Kernels before 5.9 took every new page of a process for one in use.
        if profile.platform == .classicI386, file == nil { aging.insert(.active) }
        pages.map[Int(pfn)].aging = aging
        pages.lruPages[Int(pfn) / pages.pageblockPages] &+= 1
        let page = pages.map[Int(pfn)]
        let group = page.isCharged ? cgroups.charge(of: pfn).group : 0
        lru.name(pfn, file: file, index: index, group: group)
        if group > 0 { countUserPage(pfn, group, by: 1) }
        lru.add(pfn, to: page.lruList, node: node(of: pfn), zone: page.zone)
        lru.count(aging, zone: page.zone, isOnDisk: aging.contains(.onDisk), by: 1)
    }

    /// The page is no process's and no file's any more: `__page_cache_release()`.
    mutating func leaveLRU(_ pfn: UInt32) {
        let page = pages.map[Int(pfn)]
        guard page.isOnLRU else { return }
        let group = Int(lru.links[Int(pfn)].group)
        if group > 0 { countUserPage(pfn, group, by: -1) }
        lru.remove(pfn, from: page.lruList, node: node(of: pfn), zone: page.zone)
        let isOnDisk = page.aging.contains(.onDisk)
        lru.count(page.aging, zone: page.zone, isOnDisk: isOnDisk, by: -1)
        pages.map[Int(pfn)].leaveLRU()
        pages.lruPages[Int(pfn) / pages.pageblockPages] &-= 1
    }

    /// Counts a page in what its group has of processes' and files' memory.
    private mutating func countUserPage(_ pfn: UInt32, _ group: Int, by change: Int) {
        let page = pages.map[Int(pfn)]
        func add(_ count: inout UInt64) { count = change > 0 ? count &+ 1 : count - min(count, 1) }
        if page.isOfFile {
            add(&cgroups[group].statistics.file)
            if !page.aging.contains(.onDisk) { add(&cgroups[group].statistics.shared) }
        } else {
            add(&cgroups[group].statistics.anonymous)
        }
    }

    /// Changes what a page on a list is; where that decides the list, it moves to the other one.
    ///
    /// - Parameters:
    ///   - pfn: on a list.
    ///   - new: all that it is now.
    ///   - atTail: whether a page that moves is the next to be looked at there.
    mutating func setAging(_ pfn: UInt32, _ new: Page.Aging, atTail: Bool = false) {
        let page = pages.map[Int(pfn)]
        guard page.isOnLRU, page.aging != new else { return }
        pages.map[Int(pfn)].aging = new
        let list = pages.map[Int(pfn)].lruList
        if list != page.lruList {
            let node = node(of: pfn)
            lru.remove(pfn, from: page.lruList, node: node, zone: page.zone)
            lru.add(pfn, to: list, node: node, zone: page.zone, atTail: atTail)
        }
        let isOnDisk = new.contains(.onDisk)
        let (lost, gained) = (page.aging.subtracting(new), new.subtracting(page.aging))
        lru.count(lost, zone: page.zone, isOnDisk: isOnDisk, by: -1)
        lru.count(gained, zone: page.zone, isOnDisk: isOnDisk, by: 1)
    }

    /// Adds to what a page is.
    mutating func age(_ pfn: UInt32, _ added: Page.Aging) {
        setAging(pfn, pages.map[Int(pfn)].aging.union(added))
    }

    /// Takes from what a page is.
    mutating func unage(_ pfn: UInt32, _ removed: Page.Aging) {
        setAging(pfn, pages.map[Int(pfn)].aging.subtracting(removed))
    }

    /// Moves a page to an end of the list that it is on: `folio_rotate_reclaimable()` and its like.
    mutating func rotate(_ pfn: UInt32, toTail: Bool) {
        let page = pages.map[Int(pfn)]
        guard page.isOnLRU else { return }
        let node = node(of: pfn)
        lru.remove(pfn, from: page.lruList, node: node, zone: page.zone)
        lru.add(pfn, to: page.lruList, node: node, zone: page.zone, atTail: toTail)
    }

    /// Somebody read or wrote the page of a file through a call: `folio_mark_accessed()`.
    ///
    ///     inactive, not referenced → inactive, referenced → active, not referenced → active, referenced
    mutating func markAccessed(_ pfn: UInt32) {
        let aging = pages.map[Int(pfn)].aging
        if !aging.contains(.referenced) { return age(pfn, .referenced) }
        guard aging.isDisjoint(with: [.active, .unevictable]) else { return }
        setAging(pfn, aging.union(.active).subtracting(.referenced))
        events[.pgactivate] &+= 1
    }

    /// Pages of a node on a list, up to a zone; of one memory cgroup, or of all.
    func lruSize(
        node: Int,
        _ list: LRUList,
        upTo highest: ZoneType = .device,
        group: Int? = nil
    ) -> Int {
        pages.zones.indices.reduce(0) { sum, zone in
            let isCounted = pages.zones[zone].node == node && pages.zones[zone].type <= highest
            return isCounted ? sum + lru.count(zone: zone, list, group: group) : sum
        }
    }
}
