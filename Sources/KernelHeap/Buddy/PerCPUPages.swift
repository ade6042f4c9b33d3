/// The free pages that one CPU keeps of one zone: `struct per_cpu_pages`.
///
/// Fourteen lists: three classes for each of the orders 0–3, then whole pageblocks that are not
/// movable, and those that are. Frees go to the head, requests take the head, refills queue at the
/// tail.
struct PerCPUPages: BitwiseCopyable {
    static let listCount = 14

    /// Free pages that this CPU has not yet added to the zone's counter.
    var freeDifference = 0
    /// Pages on all lists.
    var count = 0
    /// Count at which pages go back.
    var high = 0
    /// Pages moved at a time.
    var batch = 1
    /// Doubles the pages given back, for each free without an allocation between.
    var freeFactor = 0
    var lists = InlineArray<14, PageList>(repeating: PageList())

    /// Whether blocks of the order pass through these lists.
    @inline(__always)
    static func allows(order: Int, _ pageblockOrder: Int = 9) -> Bool {
        order <= 3 || order == pageblockOrder
    }

    /// The list of an order and class; class is one of the first three.
    @inline(__always)
    static func list(order: Int, type: MigrateType) -> Int {
        if order > 3 { return type == .movable ? 13 : 12 }
        return Int(type.rawValue) + 3 * order
    }

    /// The order of the blocks on a list.
    @inline(__always)
    static func order(list: Int, _ pageblockOrder: Int = 9) -> Int {
        list >= 12 ? pageblockOrder : list / 3
    }

    /// The first page of a list was handed out.
    @inline(__always)
    mutating func take(next: UInt32, from list: Int) {
        lists[list].head = next
        if next == PageList.none { lists[list].tail = PageList.none }
        count &-= 1
        freeFactor >>= 1
    }

    /// A page became the first of a list.
    ///
    /// - Returns: whether pages must go back.
    @inline(__always)
    mutating func put(_ pfn: UInt32, on list: Int) -> Bool {
        if lists[list].isEmpty { lists[list].tail = pfn }
        lists[list].head = pfn
        count &+= 1
        return count >= high
    }
}
