/// Dirty pages of files go to the disk: `mm/page-writeback.c`, `fs/fs-writeback.c`, 6.1.
///
/// The flusher begins above `dirty_background_ratio`, or when somebody asks, and takes pages in the
/// order in which they were dirtied. What it has begun is under writeback until the disk is done:
/// when the processor is next given up, or somebody waits for it.
extension Kernel {
    /// Pages that the flusher starts at once: `MAX_WRITEBACK_PAGES` of 4 MiB.
    static let writebackBatch = 1_024

    var dirtyPageCount: Int {
        pages.zones.indices.reduce(0) { $0 + lru.states(zone: $1).dirty }
    }

    var writebackPageCount: Int {
        pages.zones.indices.reduce(0) { $0 + lru.states(zone: $1).writeback }
    }

    /// Starts to write dirty pages: `writeback_inodes_wb()`.
    ///
    /// - Parameter limit: most pages.
    /// - Returns: pages started.
    @discardableResult
    mutating func startWriteback(limit: Int = .max) -> Int {
        var started = 0
        var rest: [UInt32] = []
        for pfn in dirtyPages {
            guard started < limit else {
                rest.append(pfn)
                continue
            }
            if startWriteback(of: pfn) {
                started += 1
            } else if searchLeft <= 0 {
                rest.append(pfn)
            }
        }
        dirtyPages = rest
        return started
    }

    /// Starts to write one page; its entries are clean and read-only again: `folio_mkclean()`.
    ///
    /// - Returns: false where the page is not dirty any more, and where the entries that point to it
    ///   are too many to look for.
    mutating func startWriteback(of pfn: UInt32) -> Bool {
        let aging = pages.map[Int(pfn)].aging
        guard pages.map[Int(pfn)].isOnLRU, aging.contains([.dirty, .onDisk]) else { return false }
        guard writeProtectEntries(of: pfn) else { return false }
        let link = lru.links[Int(pfn)]
        let bytes = trimmedBytes(of: pfn)
        if let file = link.file { files[file]?.store(bytes, at: link.index) }
        setAging(pfn, pages.map[Int(pfn)].aging.subtracting(.dirty).union(.writeback))
        writingPages.append(pfn)
        return true
    }

    /// A store through an entry must be noticed after this.
    private mutating func writeProtectEntries(of pfn: UInt32) -> Bool {
        guard let mappings = searchMappings(of: pfn) else { return searchLeft > 0 }
        for mapping in mappings {
            let flags = mapping.leaf.entry.flags.subtracting([.writable, .dirty])
            let entry = paging.format.entry(mapping.leaf.entry, with: flags)
            setTableEntry(mapping.leaf.table, mapping.leaf.index, entry)
            paging.flushUser()
        }
        return true
    }

    /// The disk is done with what was started: `folio_end_writeback()`.
    ///
    /// A page that reclaim waits for comes to the tail of its list, to be freed next.
    mutating func endWriteback() {
        guard !writingPages.isEmpty else { return }
        for pfn in writingPages where pages.map[Int(pfn)].isOnLRU {
            let aging = pages.map[Int(pfn)].aging
            guard aging.contains(.writeback) else { continue }
            unage(pfn, [.writeback, .reclaim])
            if aging.contains(.reclaim) {
                rotate(pfn, toTail: true)
                events[.pgrotated] &+= 1
            }
            diskCounts.written &+= 1
            events[.pgpgout] &+= 4
        }
        writingPages = []
    }

    /// A writer waits where too much is dirty: `balance_dirty_pages()`.
    mutating func balanceDirtyPages(_ context: CallContext) {
        // The limits change with every page that is dirtied; every 32 are looked at.
        guard dirtyPages.count % 32 == 0 else { return }
        let limits = dirtyLimits()
        let dirty = dirtyPageCount + writebackPageCount
        guard dirty > limits.background else { return }
        startWriteback(limit: Self.writebackBatch)
        if dirty > limits.hard { endWriteback() }
    }

    /// `sync()`: everything is written, and waited for.
    mutating func syncDisk() -> Int {
        let started = startWriteback()
        endWriteback()
        return started
    }

    /// Pages at which writing begins, and at which writers wait: `domain_dirty_limits()`.
    func dirtyLimits() -> (background: Int, hard: Int) {
        let dirtyable = pages.zones.indices.reduce(0) { $0 + dirtyablePages($1) }
        let hard = tuning.dirtyRatio * dirtyable / 100
        let background = tuning.dirtyBackgroundRatio * dirtyable / 100
        return (background >= hard ? hard / 2 : background, hard)
    }

    /// A page that will be written to goes to a node that may have more dirty pages, if there is one:
    /// `node_dirty_ok()`.
    func spreadDirtyPages(_ request: inout AllocationRequest) {
        guard request.flags.contains(.write), !lru.isUnused else { return }
        for node in 0..<max(slab.nodeCount, 1) where !mayBeDirtier(node) {
            request.dirtyNodes |= 1 << UInt8(truncatingIfNeeded: node)
        }
    }

    /// Whether a node is at most as dirty as its part of memory allows.
    private func mayBeDirtier(_ node: Int) -> Bool {
        var (dirty, dirtyable) = (0, 0)
        for zone in pages.zones.indices where pages.zones[zone].node == node {
            dirty += lru.states(zone: zone).dirty + lru.states(zone: zone).writeback
            dirtyable += dirtyablePages(zone)
        }
        return dirty <= tuning.dirtyRatio * dirtyable / 100
    }

    /// Pages of a zone that may become dirty: `node_dirtyable_memory()`.
    private func dirtyablePages(_ zone: Int) -> Int {
        let reserve = (0..<6).reduce(0) { max($0, pages.zones[zone].lowmemReserve[$1]) }
        let kept = min(reserve + pages.zones[zone].watermarks.high, Int(pages.zones[zone].managed))
        return max(pages.zones[zone].free - kept, 0) + lru.count(zone: zone, .activeFile)
            + lru.count(zone: zone, .inactiveFile)
    }

    /// `drop_caches`: clean pages that nothing maps go: `invalidate_mapping_pages()`.
    ///
    /// - Returns: pages freed.
    mutating func dropPageCache(cpu: Int) -> Int {
        var dropped = 0
        for (place, file) in files.onDisk {
            for (number, pfn) in file.frames.sorted(by: { $0.key < $1.key }) {
                let page = pages.map[Int(pfn)]
                guard page.mapCount == 0, page.word == 1,
                    page.aging.isDisjoint(with: [.dirty, .writeback])
                else { continue }
                files[place]?.forget(number)
                dropFilePage(pfn, cpu: cpu)
                dropped += 1
            }
        }
        return dropped
    }
}
