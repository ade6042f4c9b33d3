/// The machine's state as values, for text, JSON and pictures.
extension Kernel {
    /// Every node with its zones, empty zones included.
    ///
    /// Costs the free lists, the pageblocks that were touched, and the caches.
    public func nodeViews() -> [NodeView] {
        var views = pages.nodeViews(types: pages.zoneTypes, hasNUMA: !layout.is32Bit)
        for place in views.indices {
            let id = views[place].id
            slab.addPages(ofNode: id, to: &views[place].stats)
            if (0..<Self.maximumNodes).contains(id) {
                views[place].stats[.pageTablePages] = paging.countedTables[id]
                addUserPages(ofNode: id, to: &views[place])
            }
        }
        return views
    }

    /// What the LRU lists and the pages on them count to.
    private func addUserPages(ofNode id: Int, to view: inout NodeView) {
        let counters: [(LRUList, ZoneCounter, NodeCounter)] = [
            (.activeAnon, .activeAnon, .activeAnon), (.inactiveFile, .inactiveFile, .inactiveFile),
            (.activeFile, .activeFile, .activeFile), (.unevictable, .unevictable, .unevictable),
        ]
        var states = LRUStateCounts()
        for place in view.zones.indices {
            guard
                let zone = pages.zones.indices.first(where: { zone in
                    pages.zones[zone].node == id && pages.zones[zone].type == view.zones[place].type
                })
            else { continue }
            for (list, counter, nodeCounter) in counters {
                let count = UInt64(max(lru.count(zone: zone, list), 0))
                view.zones[place].stats[counter] = count
                view.stats[nodeCounter] &+= count
                view.zones[place].stats[.inactiveAnon] &-= min(
                    count,
                    view.zones[place].stats[.inactiveAnon]
                )
            }
            let own = lru.states(zone: zone)
            view.zones[place].stats[.writePending] = UInt64(max(own.dirty + own.writeback, 0))
            view.zones[place].stats[.mlock] = view.zones[place].stats[.unevictable]
            states.add(own)
        }
        view.stats[.inactiveAnon] = view.zones.reduce(0) { $0 &+ $1.stats[.inactiveAnon] }
        view.stats[.dirty] = UInt64(max(states.dirty, 0))
        view.stats[.writeback] = UInt64(max(states.writeback, 0))
        view.stats[.swapCached] = UInt64(max(states.swapCache, 0))
        let inMemory = userPages.ofFiles[id]
        view.stats[.shmem] = inMemory
        view.stats[.filePages] = inMemory &+ UInt64(max(states.onDisk + states.swapCache, 0))
        view.stats[.mapped] = userPages.mappedOfFiles[id]
        view.stats[.anonPages] = anonymousPages(ofNode: id, view)
        addDiskCounts(ofNode: id, to: &view)
        if reclaimState(id).isHopeless {
            for place in view.zones.indices { view.zones[place].isNodeUnreclaimable = true }
        }
    }

    /// Mapped anonymous pages; those of a given state count, too.
    private func anonymousPages(ofNode id: Int, _ view: NodeView) -> UInt64 {
        let given = view.zones.reduce(UInt64(0)) { $0 &+ $1.stats[.inactiveAnon] }
        let own = pages.zones.indices.reduce(0) { sum, zone in
            pages.zones[zone].node == id ? sum + lru.count(zone: zone, .inactiveAnon) : sum
        }
        let unknown = given - min(UInt64(max(own, 0)), given)
        return userPages.anonymous[id] &+ unknown
    }

    /// The disk belongs to the first node.
    private func addDiskCounts(ofNode id: Int, to view: inout NodeView) {
        guard id == 0 else { return }
        view.stats[.dirtied] = diskCounts.dirtied
        view.stats[.written] = diskCounts.written
        view.stats[.vmscanWrite] = diskCounts.writtenByReclaim
        view.stats[.vmscanImmediateReclaim] = diskCounts.markedByReclaim
    }

    /// The zones that have memory, node by node.
    public func zoneViews() -> [ZoneView] {
        nodeViews().flatMap(\.zones).filter(\.isPopulated)
    }

    /// Every slab cache, newest first as in the kernel's own list.
    ///
    /// Costs the length of the nodes' lists of partial slabs.
    public func cacheViews() -> [CacheView] {
        slab.catalog.order.reversed().map { slab.view($0) }
    }

    /// A cache with all that `/sys/kernel/slab/` shows of it.
    ///
    /// - Parameter name: any of the names that share the cache.
    /// - Returns: `nil` where no cache has the name.
    public func cacheDetail(named name: String) -> CacheDetailView? {
        slab.catalog.cache(named: name).map { slab.detail(Int($0.rawValue)) }
    }

    /// A cache by its directory under `/sys/kernel/slab/`: a name, in which `!` stands for `/`, or
    /// what a cache that may be shared is really called there, such as `:A-0000192`.
    public func cacheDetail(inDirectory directory: String) -> CacheDetailView? {
        slab.catalog.cache(inDirectory: directory).map { slab.detail(Int($0.rawValue)) }
    }

    /// The machine's memory at a glance.
    public func memInfoView() -> MemInfoView {
        var elsewhere = MemInfoView.Elsewhere()
        let areas = processes.reduce(UInt64(0)) { sum, process in
            process.space.areas.reduce(sum) { $0 &+ ($1.isAccounted ? $1.pageCount : 0) }
        }
        elsewhere.swapTotal = swap.totalPages
        elsewhere.swapFree = swap.freePages
        elsewhere.committed = files.all.reduce(areas) { $0 &+ $1.committedPages }
        // The recorded machines keep 62 to 65 pages for each CPU's variables.
        elsewhere.perCPU = UInt64(machine.cpus) * 62
        elsewhere.vmallocUsed = vmallocUsedPages()
        elsewhere.directMap = directMapSizes()
        if profile.platform == .classicI386 {
            let space = classicVmallocInfo()
            elsewhere.vmallocUsed = space.used
            elsewhere.vmallocChunk = space.chunk
        }
        return MemInfoView(nodes: nodeViews(), elsewhere: elsewhere, layout: layout)
    }
}
