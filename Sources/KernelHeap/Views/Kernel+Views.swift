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
                addFilePages(ofNode: id, to: &views[place].stats)
            }
        }
        return views
    }

    /// Pages of files are on the lists of anonymous memory, as shmem's are, but count apart.
    private func addFilePages(ofNode id: Int, to stats: inout NodeStats) {
        let ofFiles = userPages.ofFiles[id]
        stats[.anonPages] = stats[.anonPages] - min(ofFiles, stats[.anonPages])
        stats[.shmem] = ofFiles
        stats[.filePages] = ofFiles
        stats[.mapped] = userPages.mappedOfFiles[id]
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
