extension CounterTable where Counter == MemInfoCounter {
    /// Memory that belongs to no node, in pages.
    public struct Elsewhere: Hashable, Sendable {
        public var swapTotal: UInt64 = 0
        public var swapFree: UInt64 = 0
        /// Promised to processes: `vm_committed_as`.
        public var committed: UInt64 = 0
        /// Pages that back vmalloc areas.
        public var vmallocUsed: UInt64 = 0
        /// Pages of the largest hole in the vmalloc area; kernels since 4.4 print 0.
        public var vmallocChunk: UInt64 = 0
        public var perCPU: UInt64 = 0
        /// File pages of block devices: `Buffers`.
        public var blockDevice: UInt64 = 0
        /// How the direct map is mapped; nil where nobody has looked at tables.
        public var directMap: DirectMapSizes?

        public init() {}
    }

    /// What x86_64 shows for a machine, from its nodes.
    ///
    /// Follows `meminfo_proc_show()` and `si_mem_available()`, 6.1.
    ///
    /// - Parameters:
    ///   - nodes: with all counters that are to appear.
    ///   - elsewhere: what nodes do not count.
    ///   - layout: where the machine's kernel sees its memory.
    public init(
        nodes: [NodeView],
        elsewhere: Elsewhere = Elsewhere(),
        layout: AddressLayout = .x8664
    ) {
        if layout.is32Bit {
            self.init { $0.isOnI386(hasPAE: layout.pageblockOrder == 9) }
        } else {
            let hasGigabytes = elsewhere.directMap?.gigabyte != nil
            self.init { $0.isOnX8664 || $0 == .directMap1G && hasGigabytes }
        }
        let zones = nodes.flatMap(\.zones)
        let total = zones.reduce(0) { $0 &+ $1.managed }
        let free = zones.reduce(0) { $0 &+ $1.free }
        setKiB(.memTotal, total)
        setKiB(.memFree, free)
        setKiB(.memAvailable, Self.available(nodes, free: free))
        setNodeCounters(nodes, elsewhere)
        setKiB(.mlocked, zones.reduce(0) { $0 &+ $1.stats[.mlock] })
        setKiB(.bounce, zones.reduce(0) { $0 &+ $1.stats[.bounce] })
        setKiB(.swapTotal, elsewhere.swapTotal)
        setKiB(.swapFree, elsewhere.swapFree)
        // Half of memory may be promised beyond swap: `overcommit_ratio` is 50.
        setKiB(.commitLimit, total / 2 &+ elsewhere.swapTotal)
        setKiB(.committedAS, elsewhere.committed)
        self[.vmallocTotal] = (1 << 35) - 1
        setKiB(.vmallocUsed, elsewhere.vmallocUsed)
        setKiB(.vmallocChunk, elsewhere.vmallocChunk)
        setKiB(.percpu, elsewhere.perCPU)
        self[.hugePageSize] = 2048
        setDirectMap(zones)
        if layout.is32Bit { setHighMemory(zones, layout) }
        if let sizes = elsewhere.directMap { setDirectMap(sizes) }
    }

    /// What the tables say, in place of a rule from the zones.
    private mutating func setDirectMap(_ sizes: DirectMapSizes) {
        self[.directMap4K] = sizes.small >> 10
        let counter: MemInfoCounter =
            counters.contains(.directMap4M) ? .directMap4M : .directMap2M
        self[counter] = sizes.large >> 10
        if let gigabyte = sizes.gigabyte { self[.directMap1G] = gigabyte >> 10 }
    }

    /// What differs where some memory has no address; of the large pages 8 MiB were broken up at boot.
    private mutating func setHighMemory(_ zones: [ZoneView], _ layout: AddressLayout) {
        let high = zones.filter { $0.type == .highMem }
        let total = high.reduce(0) { $0 &+ $1.managed }
        let free = high.reduce(0) { $0 &+ $1.free }
        setKiB(.highTotal, total)
        setKiB(.highFree, free)
        setKiB(.lowTotal, zones.reduce(0) { $0 &+ $1.managed } &- total)
        setKiB(.lowFree, zones.reduce(0) { $0 &+ $1.free } &- free)
        self[.vmallocTotal] = (layout.vmallocEnd &- layout.vmallocStart) >> 10
        let large = UInt64(4) << UInt64(layout.pageblockOrder)
        self[.hugePageSize] = large
        let mapped = layout.directMapEndPFN * 4
        let small = min(mapped, mapped % large + 8_192)
        self[.directMap4K] = small
        self[large == 4096 ? .directMap4M : .directMap2M] = mapped - small
    }

    /// An estimate of what a new process could get without swapping: `si_mem_available()`.
    private static func available(_ nodes: [NodeView], free: UInt64) -> UInt64 {
        let zones = nodes.flatMap(\.zones)
        var reserve: UInt64 = 0
        var low: UInt64 = 0
        for zone in zones {
            let high = zone.high &- min(zone.boost, zone.high)
            reserve &+= min((zone.protection.max() ?? 0) &+ high, zone.managed)
            low &+= zone.low
        }
        let pageCache = sum(nodes, [.activeFile, .inactiveFile])
        let reclaimable = sum(nodes, [.slabReclaimable, .kernelMiscReclaimable])
        let usable =
            free &+ pageCache &- min(pageCache / 2, low)
            &+ reclaimable &- min(reclaimable / 2, low)
        return usable > reserve ? usable - reserve : 0
    }

    private static func sum(_ nodes: [NodeView], _ counters: [NodeCounter]) -> UInt64 {
        nodes.reduce(0) { total, node in counters.reduce(total) { $0 &+ node.stats[$1] } }
    }

    private mutating func setNodeCounters(_ nodes: [NodeView], _ elsewhere: Elsewhere) {
        let sums: [(MemInfoCounter, [NodeCounter])] = [
            (.swapCached, [.swapCached]), (.activeAnon, [.activeAnon]),
            (.active, [.activeAnon, .activeFile]), (.inactive, [.inactiveAnon, .inactiveFile]),
            (.inactiveAnon, [.inactiveAnon]), (.activeFile, [.activeFile]),
            (.inactiveFile, [.inactiveFile]), (.unevictable, [.unevictable]),
            (.dirty, [.dirty]), (.writeback, [.writeback]), (.anonPages, [.anonPages]),
            (.mapped, [.mapped]), (.shmem, [.shmem]),
            (.kernelReclaimable, [.slabReclaimable, .kernelMiscReclaimable]),
            (.slab, [.slabReclaimable, .slabUnreclaimable]),
            (.slabReclaimable, [.slabReclaimable]), (.slabUnreclaimable, [.slabUnreclaimable]),
            (.pageTables, [.pageTablePages]), (.secondaryPageTables, [.secondaryPageTablePages]),
            (.writebackTemp, [.writebackTemp]), (.anonHugePages, [.anonTransparentHugePages]),
            (.shmemHugePages, [.shmemHugePages]), (.shmemPmdMapped, [.shmemPMDMapped]),
            (.fileHugePages, [.fileHugePages]), (.filePmdMapped, [.filePMDMapped]),
        ]
        for (counter, parts) in sums { setKiB(counter, Self.sum(nodes, parts)) }
        let cache = Self.sum(nodes, [.filePages])
        let other = Self.sum(nodes, [.swapCached]) &+ elsewhere.blockDevice
        setKiB(.cached, cache > other ? cache - other : 0)
        setKiB(.buffers, elsewhere.blockDevice)
        // This one is counted in KiB.
        self[.kernelStack] = Self.sum(nodes, [.kernelStack])
    }

    /// All of memory is mapped, low holes included; 14 of the large pages were broken up at boot.
    private mutating func setDirectMap(_ zones: [ZoneView]) {
        let pages = zones.reduce(UInt64(0)) { total, zone in
            total &+ (zone.type == .dma && zone.isPopulated ? 4096 : zone.present)
        }
        let total = min(pages, 1 << 50) * 4
        let small = min(total, total % 2048 + 14 * 2048)
        self[.directMap4K] = small
        self[.directMap2M] = total - small
    }

    private mutating func setKiB(_ counter: MemInfoCounter, _ pages: UInt64) {
        self[counter] = min(pages, 1 << 50) * 4
    }
}
