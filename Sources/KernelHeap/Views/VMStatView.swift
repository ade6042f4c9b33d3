/// What `/proc/vmstat` shows: the counters of all zones and nodes, two limits, and events.
public struct VMStatView: Hashable, Sendable {
    public var zones: ZoneStats
    public var nodes: NodeStats
    /// Dirty pages at which writers must write back themselves: `vm.dirty_ratio` is 20.
    public var dirtyThreshold: UInt64 = 0
    /// Dirty pages at which writing back begins: `vm.dirty_background_ratio` is 10.
    public var dirtyBackgroundThreshold: UInt64 = 0
    public var events = CounterTable<VMEventCounter>()

    /// Adds up what the nodes of a machine have; events are the caller's to set.
    public init(nodes views: [NodeView]) {
        let populated = views.flatMap(\.zones)
        zones = ZoneStats()
        for zone in populated {
            for counter in zone.stats.counters { zones[counter] &+= zone.stats[counter] }
        }
        nodes = NodeStats()
        for node in views {
            for counter in node.stats.counters { nodes[counter] &+= node.stats[counter] }
        }
        setThresholds(populated)
    }

    /// Follows `global_dirtyable_memory()` and `domain_dirty_limits()`, `mm/page-writeback.c`, 6.1:
    /// shares of the free and file pages above what the zones keep back.
    private mutating func setThresholds(_ views: [ZoneView]) {
        var reserve: UInt64 = 0
        for zone in views {
            let high = zone.high &- min(zone.boost, zone.high)
            reserve &+= min((zone.protection.max() ?? 0) &+ high, zone.managed)
        }
        let free = zones[.freePages]
        let files = nodes[.activeFile] &+ nodes[.inactiveFile]
        let dirtyable = min(free &- min(reserve, free) &+ files, 1 << 50)
        // Ratios are taken in 4096ths, rounded down.
        dirtyThreshold = (20 * 4096 / 100) * dirtyable / 4096
        let background = (10 * 4096 / 100) * dirtyable / 4096
        dirtyBackgroundThreshold =
            background >= dirtyThreshold ? dirtyThreshold / 2 : background
    }

    /// Every counter by its kernel name, in the kernel's order.
    public var counters: [(name: String, value: UInt64)] {
        var counters = zones.counters.map { (name: $0.rawValue, value: zones[$0]) }
        counters += nodes.counters.map { (name: $0.rawValue, value: nodes[$0]) }
        counters.append(("nr_dirty_threshold", dirtyThreshold))
        counters.append(("nr_dirty_background_threshold", dirtyBackgroundThreshold))
        counters += events.counters.map { (name: $0.rawValue, value: events[$0]) }
        // Kept by the kernel for old readers.
        counters.append(("nr_unstable", 0))
        return counters
    }
}

extension Kernel {
    /// The counters of `/proc/vmstat` at this moment.
    ///
    /// Costs what `nodeViews()` costs. No event is counted on the way of a single page: pages
    /// allocated follow from the requests that each zone served, and pages freed, those given at
    /// boot among them, from what was allocated and what is there now.
    public func vmStatView() -> VMStatView {
        var view = VMStatView(nodes: nodeViews())
        var allocated: UInt64 = 0
        for place in pages.zones.indices {
            let zone = pages.zones[place]
            let count = zone.hits &+ zone.misses &+ zone.furtherPages
            allocated &+= count
            if let counter = zone.type.allocationCounter { view.events[counter] &+= count }
        }
        view.events[.pgfree] = pages.ownPages() &+ pages.lostPages &+ allocated
        view.events[.pgfault] = pageFaults
        events.add(to: &view.events)
        return view
    }
}

extension ZoneType {
    fileprivate var allocationCounter: VMEventCounter? {
        switch self {
        case .dma: .pgallocDMA
        case .dma32: .pgallocDMA32
        case .normal: .pgallocNormal
        case .highMem: nil
        case .movable: .pgallocMovable
        case .device: .pgallocDevice
        }
    }
}

extension PageAllocator {
    /// Pages on buddy and per-CPU lists: what the page allocator could still hand out.
    func ownPages() -> UInt64 {
        var pages = 0
        for zone in zones.indices {
            pages += exactFreePages(zone: zone)
            for cpu in 0..<cpuCount { pages += perCPU[perCPUIndex(zone: zone, cpu: cpu)].count }
        }
        return UInt64(max(pages, 0))
    }
}
