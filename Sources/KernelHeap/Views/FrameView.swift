/// One page frame: where it lies and what it is used for.
public struct FrameView: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        /// On a list of the buddy allocator.
        case free
        /// On a CPU's list.
        case perCPU = "per_cpu"
        case slab
        /// Holds a page table.
        case pageTable = "page_table"
        /// A process's own, or the page cache's.
        case user
        /// Handed out by the page allocator.
        case pages
        /// Kept at boot: no allocator's.
        case reserved
    }

    public var pfn: PFN
    public var zone: ZoneType?
    public var node: Int?
    public var state: State
    /// The first frame of the block; nil where it is in none.
    public var block: PFN?
    public var order: Int?
    public var migrateType: MigrateType?
    /// `page_count()` of the block's first page; nil where it is not handed out.
    public var references: UInt64?
    public var isCompound = false
    /// The CPU whose list the block is on; nil elsewhere.
    public var cpu: Int?
    /// The call that allocated the block; nil where it is not handed out, and for the boot's.
    public var call: UInt64?
    /// What that call was, where it is still known.
    public var function: String?
}

extension Kernel {
    /// Blocks of a CPU's lists that are looked at to find one.
    private static let perCPUSteps = 1 << 14

    /// What a frame of memory is used for.
    ///
    /// - Parameter pfn: a frame of the machine; others are nobody's.
    /// - Returns: its state, and the block around it.
    public func frameView(_ pfn: PFN) -> FrameView {
        var view = FrameView(pfn: pfn, state: .reserved)
        let run = frameRun(at: pfn.rawValue, limit: pfn.rawValue &+ 1)
        if let zone = run.zone {
            view.zone = pages.zones[zone].type
            view.node = pages.zones[zone].node
        }
        switch run.use {
        case .hole: break
        case .reserved:
            if isTable(pfn.rawValue, bootTables()) { view.state = .pageTable }
        case .untouched:
            view.state = .free
            view.order = Zone.maxOrder
            let size: UInt64 = 1 << UInt64(Zone.maxOrder)
            view.block = PFN(rawValue: max(pfn.rawValue & ~(size - 1), run.start))
            let frame = UInt32(truncatingIfNeeded: pfn.rawValue)
            view.migrateType = pages.pageblockType(of: frame)
        case .slab(let number):
            view.state = .slab
            view.block = PFN(rawValue: run.start)
            view.order = Int(slab.slabs[Int(number)].order)
        case .block(let page):
            describe(page, PFN(rawValue: run.start), &view)
        }
        return view
    }

    private func describe(_ page: Page, _ block: PFN, _ view: inout FrameView) {
        view.block = block
        view.order = page.order
        view.migrateType = page.migrateType
        switch page.kind {
        case .buddy: view.state = .free
        case .perCPU:
            view.state = .perCPU
            view.cpu = cpu(holding: UInt32(truncatingIfNeeded: block.rawValue), page)
        case .inner, .slab: view.state = .reserved
        case .allocated:
            view.references = UInt64(page.word)
            view.isCompound = page.isCompound
            view.call = call(page.call)
            view.function = view.call.flatMap { function(ofCall: $0) }
            view.state =
                page.isPageTable
                ? .pageTable : page.isOnLRU ? .user : page.isReserved ? .reserved : .pages
        }
    }

    /// The CPU whose list a free block is on.
    private func cpu(holding block: UInt32, _ page: Page) -> Int? {
        guard page.zone < pages.zones.count else { return nil }
        var steps = Self.perCPUSteps
        for cpu in 0..<pages.cpuCount {
            let lists = pages.perCPU[pages.perCPUIndex(zone: page.zone, cpu: cpu)].lists
            for index in lists.indices {
                var place = lists[index].head
                while place != PageList.none, steps > 0 {
                    if place == block { return cpu }
                    guard Int(place) < pages.map.capacity else { break }
                    place = pages.map[Int(place)].next
                    steps -= 1
                }
            }
        }
        return nil
    }
}
