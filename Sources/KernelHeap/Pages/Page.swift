/// What the engine keeps of a page frame: the part of `struct page` that decides anything.
///
/// Only the first page of a block carries its state; the frames behind it are `.inner` until they
/// head a block themselves. Zero bytes are the state of a frame nobody has touched since boot.
struct Page: ColumnElement {
    /// What heads here.
    enum Kind: UInt8 {
        /// Inside a block, reserved at boot, or inside the untouched run of free blocks.
        case inner
        /// Heads a block on a buddy list.
        case buddy
        /// Heads a block on a per-CPU list.
        case perCPU
        /// Heads an allocated block.
        case allocated
        /// Belongs to a slab; `word` is the slab's number. Tail pages of a slab say so too.
        case slab
    }

    /// Neighbours on the list that the block is on; `PageList.none` at the ends.
    ///
    /// Allocated: the first names the call that did it, and the second counts mappings.
    var next: UInt32 = 0
    var prev: UInt32 = 0
    private var state: UInt32 = 0
    /// Allocated: the reference count.
    ///
    /// Slab: the slab's number.
    var word: UInt32 = 0

    @inline(__always)
    init() {}

    @inline(__always)
    var kind: Kind {
        get { Kind(rawValue: UInt8(truncatingIfNeeded: state & 0x7)) ?? .inner }
        set { state = state & ~0xf | UInt32(newValue.rawValue) }
    }

    @inline(__always)
    var order: Int { Int(state >> 4 & 0xf) }

    /// Free: the list's class.
    ///
    /// Per CPU and allocated: the class it goes back to.
    @inline(__always)
    var migrateType: MigrateType {
        get { MigrateType(rawValue: UInt8(truncatingIfNeeded: state >> 8 & 0x7)) ?? .unmovable }
        set { state = state & ~0x700 | UInt32(newValue.rawValue) << 8 }
    }

    /// The number of the list that a free block is on.
    @inline(__always)
    var list: Int { order &* 5 &+ Int(state >> 8 & 0x7) }

    /// Allocated with `__GFP_COMP`.
    var isCompound: Bool {
        get { state & 1 << 12 != 0 }
        set { state = newValue ? state | 1 << 12 : state & ~(1 << 12) }
    }

    /// Reserved from the page allocator: `PG_reserved`.
    var isReserved: Bool {
        get { state & 1 << 13 != 0 }
        set { state = newValue ? state | 1 << 13 : state & ~(1 << 13) }
    }

    /// Allocated, and a memory cgroup is charged for it: the free has more to do than others.
    var isCharged: Bool {
        get { state & 1 << 3 != 0 }
        set { state = newValue ? state | 1 << 3 : state & ~(1 << 3) }
    }

    /// On an LRU list: belongs to a process or to the page cache.
    var isOnLRU: Bool {
        get { state & 1 << 14 != 0 }
        set { state = newValue ? state | 1 << 14 : state & ~(1 << 14) }
    }

    /// Holds a page table: only the kernel gives it back.
    var isPageTable: Bool {
        get { state & 1 << 15 != 0 }
        set { state = newValue ? state | 1 << 15 : state & ~(1 << 15) }
    }

    /// Anonymous, and no other process may see it: `PageAnonExclusive()`.
    var isExclusive: Bool {
        get { state & 1 << 22 != 0 }
        set { state = newValue ? state | 1 << 22 : state & ~(1 << 22) }
    }

    /// Belongs to a file's pages in memory, not to processes alone.
    var isOfFile: Bool {
        get { state & 1 << 23 != 0 }
        set { state = newValue ? state | 1 << 23 : state & ~(1 << 23) }
    }

    /// On an LRU list: how many entries of page tables point to it, `page_mapcount()`.
    var mapCount: UInt32 { prev }

    /// Allocated: the lower half of the call's number; 0 for the boot.
    var call: UInt32 { next }

    /// What reclaim keeps of a page on an LRU list.
    struct Aging: OptionSet, BitwiseCopyable {
        let rawValue: UInt32

        init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `MADV_FREE` gave it up: `PG_swapbacked` is clear though it is anonymous.
        static let lazyFree = Aging(rawValue: 1 << 11)
        static let active = Aging(rawValue: 1 << 24)
        static let referenced = Aging(rawValue: 1 << 25)
        static let dirty = Aging(rawValue: 1 << 26)
        static let writeback = Aging(rawValue: 1 << 27)
        static let unevictable = Aging(rawValue: 1 << 28)
        static let swapCache = Aging(rawValue: 1 << 29)
        /// `PG_reclaim`: to be freed as soon as it is written back.
        static let reclaim = Aging(rawValue: 1 << 30)
        /// Of a file on a disk, where it can be read again.
        static let onDisk = Aging(rawValue: 1 << 31)

        static let all = Aging(rawValue: 0xff00_0800)
    }

    /// How reclaim sees the page; empty unless it is on an LRU list.
    var aging: Aging {
        get { Aging(rawValue: state & Aging.all.rawValue) }
        set { state = state & ~Aging.all.rawValue | newValue.rawValue }
    }

    /// The LRU list that the page's bits put it on.
    var lruList: LRUList {
        let aging = aging
        if aging.contains(.unevictable) { return .unevictable }
        if aging.contains(.onDisk) || aging.contains(.lazyFree) {
            return aging.contains(.active) ? .activeFile : .inactiveFile
        }
        return aging.contains(.active) ? .activeAnon : .inactiveAnon
    }

    /// Becomes an anonymous page with one mapping.
    mutating func becomeAnonymous() {
        state |= 1 << 14 | 1 << 22
        prev = 1
    }

    /// Becomes an anonymous page that is in the swap cache and mapped by nobody yet.
    mutating func becomeSwapCachePage() {
        state |= 1 << 14
        prev = 0
    }

    /// Becomes a page of a file, mapped by nobody yet.
    mutating func becomeFilePage() {
        state |= 1 << 14 | 1 << 23
        prev = 0
    }

    /// Becomes what another page is that moves here; which LRU list it joins is said apart.
    mutating func takeOver(_ other: Page) {
        state = state & ~(3 << 22) | other.state & 3 << 22 | 1 << 14
        link(next: other.next, prev: other.prev)
        word = other.word
    }

    /// Is no process's and no file's any more.
    mutating func leaveLRU() {
        state &= ~(1 << 14 | 3 << 22 | Aging.all.rawValue)
        prev = 0
    }

    /// One more entry points to it, and others may see it: `page_dup_rmap()` with `get_page()`.
    @inline(__always)
    mutating func share() {
        state &= ~(1 << 22)
        word &+= 1
        prev &+= 1
    }

    /// One entry less points to it: `page_remove_rmap()`.
    mutating func unmap() { prev = prev > 0 ? prev - 1 : 0 }

    /// Index of the zone that the block belongs to.
    @inline(__always)
    var zone: Int { Int(state >> 16 & 0x3f) }

    @inline(__always)
    mutating func set(_ kind: Kind, order: Int, migrateType: MigrateType, zone: Int) {
        state =
            UInt32(kind.rawValue) | UInt32(truncatingIfNeeded: order) << 4
            | UInt32(migrateType.rawValue) << 8 | UInt32(truncatingIfNeeded: zone) << 16
    }

    /// Belongs to a slab from now on; its links are free to name the cache.
    mutating func join(slab number: UInt32, of cache: Int) {
        word = number
        prev = UInt32(truncatingIfNeeded: cache)
    }

    /// Objects of the slab go the long way, for they are linked in their own bytes or are checked:
    /// `word` is no slab's number as it stands.
    static let longWayBit: UInt32 = 1 << 31

    /// The number of the slab that the page belongs to.
    @inline(__always)
    var slabNumber: UInt32 { word & ~Self.longWayBit }

    /// The cache of a slab's page.
    @inline(__always)
    var slabCache: Int { Int(prev) }

    /// A single page leaves a per-CPU list and is handed out.
    ///
    /// - Returns: the page behind it on the list.
    @inline(__always)
    mutating func leaveList(for type: MigrateType, zone: Int, call: UInt32) -> UInt32 {
        let behind = next
        handOut(order: 0, migrateType: type, zone: zone, call: call)
        return behind
    }

    /// A single page comes back to the head of a per-CPU list.
    @inline(__always)
    mutating func joinList(before head: UInt32, type: MigrateType, zone: Int) {
        set(.perCPU, order: 0, migrateType: type, zone: zone)
        word = 0
        next = head
    }

    /// Whether it heads an allocated block of one page with one reference, which no process maps,
    /// which is not reserved and no page table.
    @inline(__always)
    var isSinglePageInUse: Bool {
        state & (0xff | 7 << 13) == UInt32(Kind.allocated.rawValue) && word == 1
    }

    /// Heads a free block from now on, the first of its list.
    @inline(__always)
    mutating func enterList(before head: UInt32, order: Int, migrateType: MigrateType, zone: Int) {
        set(.buddy, order: order, migrateType: migrateType, zone: zone)
        next = head
        prev = PageList.none
    }

    /// The same of a block.
    @inline(__always)
    func isBlockInUse(order: Int) -> Bool {
        let wanted = UInt32(Kind.allocated.rawValue) | UInt32(truncatingIfNeeded: order) << 4
        return state & (0xff | 3 << 13) == wanted && word == 1
    }

    /// Heads an allocated block with one reference from now on.
    @inline(__always)
    mutating func handOut(order: Int, migrateType: MigrateType, zone: Int, call: UInt32) {
        set(.allocated, order: order, migrateType: migrateType, zone: zone)
        word = 1
        next = call
    }

    @inline(__always)
    mutating func clear() { state = 0 }

    @inline(__always)
    mutating func link(next: UInt32, prev: UInt32) {
        self.next = next
        self.prev = prev
    }

    /// Whether a block of this order is free here, on a buddy list of this zone.
    @inline(__always)
    func isBuddy(order: Int, zone: Int) -> Bool {
        state & 0x3f_00ff
            == UInt32(Kind.buddy.rawValue) | UInt32(truncatingIfNeeded: order) << 4
            | UInt32(truncatingIfNeeded: zone) << 16
    }
}
