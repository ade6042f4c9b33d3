/// The lists that pages of processes and files are kept on, by age: `enum lru_list`.
public enum LRUList: Int, CaseIterable, Hashable, Sendable {
    case inactiveAnon
    case activeAnon
    case inactiveFile
    case activeFile
    case unevictable

    /// As its counter in `/proc/zoneinfo`: `inactive_anon`.
    public var name: String {
        switch self {
        case .inactiveAnon: "inactive_anon"
        case .activeAnon: "active_anon"
        case .inactiveFile: "inactive_file"
        case .activeFile: "active_file"
        case .unevictable: "unevictable"
        }
    }
}

/// What only pages on LRU lists have: their neighbours there, and whose page of what they are.
struct LRULink: ColumnElement {
    var next: UInt32 = 0
    var prev: UInt32 = 0
    /// Of a file: the file's place and 1.
    ///
    /// Of anonymous memory 0.
    var owner: UInt32 = 0
    /// Of a swap cache page: the kind of swap area in the upper byte, and the slot.
    var swap: UInt32 = 0
    /// Of a file: the page's number in it.
    ///
    /// Of anonymous memory: where its first process saw it, in pages; `folio->index`.
    var index: UInt64 = 0
    /// The memory cgroup whose lists it is on.
    var group: UInt32 = 0
    private var unused: UInt32 = 0

    /// The place of its file; nil for anonymous memory.
    var file: Int? { owner == 0 ? nil : Int(owner) - 1 }
}

/// Pages of a zone that are dirty, being written, and so on.
struct LRUStateCounts: Hashable, Sendable {
    var dirty = 0
    var writeback = 0
    var swapCache = 0
    /// Pages of files that have a disk behind them.
    var onDisk = 0

    mutating func add(_ other: LRUStateCounts) {
        dirty += other.dirty
        writeback += other.writeback
        swapCache += other.swapCache
        onDisk += other.onDisk
    }
}

/// The LRU lists of all nodes and memory cgroups: `struct lruvec`.
///
/// A page is on exactly one list while it belongs to a process, a file or the swap cache. New pages
/// come to the head; reclaim takes from the tail.
struct LRULists: ~Copyable {
    private(set) var links: ChunkedColumn<LRULink>
    /// By group, node and list; empty until the first page comes.
    private var lists: [PageList] = []
    /// By group, zone and list.
    private var counts: [Int] = []
    /// By zone and list, of all groups.
    private var totals: [Int] = []
    /// By zone.
    private var states: [LRUStateCounts] = []
    private let nodeCount: Int
    private let zoneCount: Int

    init(frames: Int, nodes: Int, zones: Int) {
        links = ChunkedColumn(count: frames)
        nodeCount = nodes
        zoneCount = zones
    }

    private init(forkOf other: inout LRULists) {
        links = other.links.fork()
        lists = other.lists
        counts = other.counts
        totals = other.totals
        states = other.states
        nodeCount = other.nodeCount
        zoneCount = other.zoneCount
    }

    mutating func fork() -> LRULists { LRULists(forkOf: &self) }

    var heldBytes: Int { links.heldBytes + lists.capacity * 8 + counts.capacity * 8 }
    /// Whether no page was ever on a list.
    var isUnused: Bool { lists.isEmpty }

    /// Pages of a zone on a list; only those of a memory cgroup, or of all.
    func count(zone: Int, _ list: LRUList, group: Int? = nil) -> Int {
        let place = zone * LRUList.allCases.count + list.rawValue
        guard let group else { return totals.indices.contains(place) ? totals[place] : 0 }
        let own = group * totals.count + place
        return counts.indices.contains(own) ? counts[own] : 0
    }

    /// Whether a memory cgroup has pages that reclaim may look at.
    func hasEvictable(group: Int) -> Bool {
        let kinds = LRUList.allCases.count
        let start = group * totals.count
        guard start < counts.count else { return false }
        for place in start..<start + totals.count where counts[place] > 0 {
            if place % kinds != LRUList.unevictable.rawValue { return true }
        }
        return false
    }

    private func place(_ group: Int, _ node: Int, _ list: LRUList) -> Int {
        (group * max(nodeCount, 1) + node) * LRUList.allCases.count + list.rawValue
    }

    /// Pages of a zone by what they are besides.
    func states(zone: Int) -> LRUStateCounts {
        states.indices.contains(zone) ? states[zone] : LRUStateCounts()
    }

    /// Counts what a page became, or stopped to be.
    ///
    /// Anonymous pages are not counted as dirty.
    mutating func count(_ aging: Page.Aging, zone: Int, isOnDisk: Bool, by change: Int) {
        guard states.indices.contains(zone) else { return }
        if isOnDisk, aging.contains(.dirty) { states[zone].dirty += change }
        if isOnDisk, aging.contains(.writeback) { states[zone].writeback += change }
        if aging.contains(.swapCache) { states[zone].swapCache += change }
        if aging.contains(.onDisk) { states[zone].onDisk += change }
    }

    /// The page that has been on a list for longest; nil where it is empty.
    func oldest(node: Int, group: Int = 0, _ list: LRUList) -> UInt32? {
        let place = place(group, node, list)
        guard lists.indices.contains(place), !lists[place].isEmpty else { return nil }
        return lists[place].tail
    }

    /// The page that came before another, or nil.
    func younger(than pfn: UInt32) -> UInt32? {
        let prev = links[Int(pfn)].prev
        return prev == PageList.none ? nil : prev
    }

    /// Says whose page it is, before it is put on a list.
    mutating func name(_ pfn: UInt32, file: Int?, index: UInt64, group: Int = 0) {
        links[Int(pfn)].group = UInt32(truncatingIfNeeded: group)
        links[Int(pfn)].owner = file.map { UInt32(truncatingIfNeeded: $0 &+ 1) } ?? 0
        links[Int(pfn)].index = index
        links[Int(pfn)].swap = 0
    }

    /// The page is in the swap cache at a slot from now on.
    mutating func name(_ pfn: UInt32, swap: UInt32) { links[Int(pfn)].swap = swap }

    /// Puts a page on a list: at its head, or at its tail to be reclaimed next.
    mutating func add(_ pfn: UInt32, to list: LRUList, node: Int, zone: Int, atTail: Bool = false) {
        let group = Int(links[Int(pfn)].group)
        let place = place(group, node, list)
        if place >= lists.count { makeLists(upTo: group) }
        let old = atTail ? lists[place].tail : lists[place].head
        links[Int(pfn)].next = atTail ? PageList.none : old
        links[Int(pfn)].prev = atTail ? old : PageList.none
        if old == PageList.none {
            lists[place].head = pfn
            lists[place].tail = pfn
        } else if atTail {
            links[Int(old)].next = pfn
            lists[place].tail = pfn
        } else {
            links[Int(old)].prev = pfn
            lists[place].head = pfn
        }
        count(zone, list, group, by: 1)
    }

    /// Makes the lists of a group, and of all with lower numbers.
    private mutating func makeLists(upTo group: Int) {
        let kinds = LRUList.allCases.count
        if lists.isEmpty {
            totals = Array(repeating: 0, count: max(zoneCount, 1) * kinds)
            states = Array(repeating: LRUStateCounts(), count: max(zoneCount, 1))
        }
        let ends = (group + 1) * max(nodeCount, 1) * kinds
        lists += Array(repeating: PageList(), count: max(ends - lists.count, 0))
        counts += Array(repeating: 0, count: max((group + 1) * totals.count - counts.count, 0))
    }

    private mutating func count(_ zone: Int, _ list: LRUList, _ group: Int, by change: Int) {
        let place = zone * LRUList.allCases.count + list.rawValue
        totals[place] += change
        counts[group * totals.count + place] += change
    }

    /// Takes a page off the list that it is on.
    mutating func remove(_ pfn: UInt32, from list: LRUList, node: Int, zone: Int) {
        let link = links[Int(pfn)]
        let place = place(Int(link.group), node, list)
        guard lists.indices.contains(place) else { return }
        if link.prev == PageList.none {
            lists[place].head = link.next
        } else {
            links[Int(link.prev)].next = link.next
        }
        if link.next == PageList.none {
            lists[place].tail = link.prev
        } else {
            links[Int(link.next)].prev = link.prev
        }
        count(zone, list, Int(link.group), by: -1)
    }

    /// The pages of a list, youngest first; at most `limit`.
    func frames(node: Int, group: Int = 0, _ list: LRUList, limit: Int = .max) -> [UInt32] {
        let place = place(group, node, list)
        guard lists.indices.contains(place) else { return [] }
        var found: [UInt32] = []
        var pfn = lists[place].head
        while pfn != PageList.none, found.count < limit {
            found.append(pfn)
            pfn = links[Int(pfn)].next
        }
        return found
    }
}
