/// All memory cgroups, and which of them each page and slab object is charged to.
///
///     owners      frame → group        of pages whose `Page.isCharged` is set
///     objects     address → group      of slab objects asked for with `__GFP_ACCOUNT`
///
/// A machine without groups pays for none of this: everything belongs to the root, which has no
/// limit and counts nothing.
struct MemoryCgroups: ~Copyable {
    /// The root is the first.
    private(set) var groups = [MemoryCgroup(path: "/", parent: nil)]
    private var owners: ChunkedColumn<UInt32>
    private(set) var objects: [UInt64: ObjectCharge] = [:]

    /// Groups with pages above their `memory.high`, by who charged them, until that is dealt with.
    var pagesOverHigh: UInt64 = 0
    var groupOverHigh = 0

    /// Most groups, removed ones that still have pages among them: a reclaim looks at all of them.
    static let limit = 64

    /// A slab object's charge.
    struct ObjectCharge: Hashable, Sendable {
        let group: Int
        let bytes: UInt64
        /// That were charged before it was made.
        var pages: UInt64 = 0
        let isReclaimable: Bool
    }

    init(frames: Int) { owners = ChunkedColumn(count: frames) }

    private init(forkOf other: inout MemoryCgroups) {
        groups = other.groups
        owners = other.owners.fork()
        objects = other.objects
        pagesOverHigh = other.pagesOverHigh
        groupOverHigh = other.groupOverHigh
    }

    mutating func fork() -> MemoryCgroups { MemoryCgroups(forkOf: &self) }

    var heldBytes: Int {
        groups.reduce(owners.heldBytes + objects.capacity * 56) {
            $0 + MemoryLayout<MemoryCgroup>.stride + $1.path.utf8.count + $1.lineage.count * 8
        }
    }

    /// Whether there is any group but the root.
    @inline(__always)
    var isOn: Bool { groups.count > 1 }
    var isOverHigh: Bool { pagesOverHigh > 0 }
    /// Whether any group's memory is protected from reclaim.
    var hasProtection: Bool { groups.contains { $0.limits.min > 0 || $0.limits.low > 0 } }

    subscript(group: Int) -> MemoryCgroup {
        get { groups[groups.indices.contains(group) ? group : 0] }
        set { if groups.indices.contains(group) { groups[group] = newValue } }
    }

    /// The group of a path that was not removed.
    func group(at path: String) -> Int? {
        groups.firstIndex { $0.path == path && !$0.isRemoved }
    }

    /// Makes a group.
    ///
    /// - Parameters:
    ///   - path: from the root.
    ///   - parent: the group above.
    ///   - isRemembered: whether something still names a removed group.
    /// - Returns: its number; nil where there are too many.
    mutating func make(path: String, parent: Int, isRemembered: (Int) -> Bool) -> Int? {
        // The numbers of groups of which nothing is left serve again.
        let free = groups.indices.dropFirst().first { place in
            groups[place].isRemoved && groups[place].usage == 0 && !hasChildren(place)
                && !isRemembered(place)
        }
        let place = free ?? groups.count
        guard place < Self.limit else { return nil }
        let line = [place] + groups[parent].lineage
        let new = MemoryCgroup(path: path, parent: parent, lineage: line)
        if let free {
            if let old = groups[free].parent { groups[old].children.removeAll { $0 == free } }
            groups[free] = new
        } else {
            groups.append(new)
        }
        groups[parent].children.append(place)
        return place
    }

    /// Whether groups are below one; removed ones count.
    func hasChildren(_ group: Int) -> Bool { !groups[group].children.isEmpty }

    /// A group and all above it but the root, which has no limits.
    func lineage(of group: Int) -> [Int] { self[group].lineage }

    /// A group and all below it, each before its children: `mem_cgroup_iter()`.
    func subtree(of group: Int) -> [Int] {
        guard isOn else { return [0] }
        var found = [group]
        var next = 0
        while next < found.count {
            found += groups[found[next]].children
            next += 1
        }
        return found
    }

    /// The first group on the way up in which so many more pages do not fit.
    func groupOverLimit(_ group: Int, adding pages: UInt64) -> Int? {
        lineage(of: group).first { place in
            let (sum, overflow) = groups[place].usage.addingReportingOverflow(pages)
            return overflow || sum > groups[place].limits.max
        }
    }

    /// Pages that a group could still have.
    func margin(_ group: Int) -> UInt64 {
        let (usage, most) = (groups[group].usage, groups[group].limits.max)
        return most > usage ? most - usage : 0
    }

    mutating func add(_ pages: UInt64, to group: Int) {
        for place in lineage(of: group) {
            groups[place].usage &+= pages
            groups[place].peak = max(groups[place].peak, groups[place].usage)
        }
    }

    mutating func remove(_ pages: UInt64, from group: Int) {
        for place in lineage(of: group) { groups[place].usage &-= min(pages, groups[place].usage) }
    }

    /// Counts an event of a group in it and all above it.
    mutating func count(_ event: WritableKeyPath<CgroupEvents, UInt64>, in group: Int) {
        for place in lineage(of: group) { groups[place].events[keyPath: event] &+= 1 }
    }

    /// What a charged page is.
    enum PageKind: UInt32 {
        /// A process's or a file's.
        case user
        /// Asked for with `__GFP_ACCOUNT`.
        case kernel
        case table
    }

    /// The group that a frame is charged to, the root for all others, and what it is.
    func charge(of frame: UInt32) -> (group: Int, kind: PageKind) {
        let packed = owners.elementOrZero(Int(frame))
        return (Int(packed >> 2), PageKind(rawValue: packed & 3) ?? .user)
    }

    mutating func setOwner(of frame: UInt32, _ group: Int, _ kind: PageKind) {
        guard Int(frame) < owners.capacity else { return }
        owners[Int(frame)] = UInt32(truncatingIfNeeded: group) << 2 | kind.rawValue
    }

    /// Tells every charged block.
    func forEachCharge(_ body: (UInt32, Int, PageKind) -> Void) {
        owners.forEachWritten { frame, packed in
            guard packed >> 2 > 0 else { return }
            body(
                UInt32(truncatingIfNeeded: frame),
                Int(packed >> 2),
                PageKind(rawValue: packed & 3) ?? .user
            )
        }
    }

    /// Pages of a charged block are free again.
    mutating func uncharge(_ frame: UInt32, pages count: UInt64, isWhole: Bool) {
        let (group, kind) = charge(of: frame)
        remove(count, from: group)
        var statistics = groups[group].statistics
        // Pages of processes and files leave their list first, and are counted there.
        if kind != .user { statistics.kernelPages &-= min(count, statistics.kernelPages) }
        if kind == .table { statistics.tables &-= min(count, statistics.tables) }
        groups[group].statistics = statistics
        if isWhole { setOwner(of: frame, 0, .user) }
    }

    /// Remembers a slab object's charge; other objects may have been freed since it was charged.
    mutating func note(_ address: UInt64, _ charge: ObjectCharge) {
        objects[address] = charge
        let before = groups[charge.group].statistics.objectBytes
        let pages =
            CgroupStatistics.pages(ofObjects: before &+ charge.bytes)
            - CgroupStatistics.pages(ofObjects: before)
        if pages > charge.pages { add(pages - charge.pages, to: charge.group) }
        if pages < charge.pages { remove(charge.pages - pages, from: charge.group) }
        groups[charge.group].statistics.objectBytes = before &+ charge.bytes
        if charge.isReclaimable {
            groups[charge.group].statistics.reclaimableBytes &+= charge.bytes
        }
    }

    /// Forgets it, and gives the pages back that it alone was charged for.
    mutating func forget(_ address: UInt64) {
        guard let charge = objects.removeValue(forKey: address) else { return }
        var statistics = groups[charge.group].statistics
        let before = CgroupStatistics.pages(ofObjects: statistics.objectBytes)
        statistics.objectBytes &-= min(charge.bytes, statistics.objectBytes)
        if charge.isReclaimable {
            statistics.reclaimableBytes &-= min(charge.bytes, statistics.reclaimableBytes)
        }
        groups[charge.group].statistics = statistics
        let after = CgroupStatistics.pages(ofObjects: statistics.objectBytes)
        remove(before - after, from: charge.group)
    }
}
