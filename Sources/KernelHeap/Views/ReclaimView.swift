/// What reclaim has to work with, and what it remembers: `GET …/reclaim`.
public struct ReclaimView: Sendable {
    /// A node's lists and its kswapd.
    public struct Node: Sendable {
        public let node: Int
        public let zones: [Zone]
        /// What it cost of late to take the wrong pages: the higher, the less they are looked at.
        public let anonCost: Int
        public let fileCost: Int
        /// Runs of kswapd in a row that freed nothing; at 16 it gives the node up.
        public let failures: Int
        public let isHopeless: Bool
        /// kswapd met nothing but dirty pages, or pages being written.
        public let isDirty: Bool
        public let isWriting: Bool
        /// What kswapd was woken for; nil while it sleeps.
        public let wanted: (order: Int, highestZone: ZoneType)?
    }

    /// Pages of a zone by list, in `LRUList`'s order, and by what they are besides.
    public struct Zone: Sendable {
        public let type: ZoneType
        public let lists: [Int]
        public let dirty: Int
        public let writeback: Int
        public let swapCache: Int
    }

    /// A cache that gives objects back.
    public struct Shrinker: Sendable {
        public let name: String
        public let cache: String
        public let seeks: Int
        public let batch: Int
        public let needsFS: Bool
        public let objects: UInt64
        public let deferred: Int
        public let freedObjects: UInt64
    }

    /// A file of the disk.
    public struct File: Sendable {
        public let path: String
        public let size: UInt64
        public let cachedPages: Int
        public let dirtyPages: Int
    }

    public let swappiness: Int
    public let nodes: [Node]
    public let dirtyPages: Int
    public let writebackPages: Int
    /// Dirty pages at which the flusher begins, and at which writers wait.
    public let dirtyLimits: (background: Int, hard: Int)
    public let shrinkers: [Shrinker]
    public let swapAreas: [SwapAreaView]
    public let files: [File]
    public let kills: [ProcessKill]
}

/// A line of `/proc/swaps`.
public struct SwapAreaView: Hashable, Sendable {
    public let path: String
    /// Without the header's page.
    public let pages: UInt64
    public let usedPages: UInt64
    public let priority: Int
}

extension Kernel {
    /// What reclaim has to work with; costs the dirty pages and the shrinkers' slabs.
    public func reclaimView() -> ReclaimView {
        ReclaimView(
            swappiness: tuning.swappiness,
            nodes: (0..<max(slab.nodeCount, 1)).map { reclaimNode($0) },
            dirtyPages: dirtyPageCount,
            writebackPages: writebackPageCount,
            dirtyLimits: dirtyLimits(),
            shrinkers: shrinkers.map { shrinker in
                ReclaimView.Shrinker(
                    name: shrinker.name,
                    cache: slab.catalog.name(
                        CacheID(rawValue: UInt16(truncatingIfNeeded: shrinker.cache))
                    ),
                    seeks: shrinker.seeks,
                    batch: shrinker.batch,
                    needsFS: shrinker.needsFS,
                    objects: UInt64(clamping: slab.liveObjects(of: shrinker.cache)),
                    deferred: shrinker.deferred,
                    freedObjects: shrinker.freedObjects
                )
            },
            swapAreas: swapAreaViews(),
            files: diskFileViews(),
            kills: kills
        )
    }

    /// The swap areas that are on, in the order in which they were added.
    public func swapAreaViews() -> [SwapAreaView] {
        swap.areas.filter(\.isOn).map { area in
            SwapAreaView(
                path: area.path,
                pages: UInt64(area.usablePages),
                usedPages: UInt64(area.usedPages),
                priority: area.priority
            )
        }
    }

    /// `/proc/<pid>/oom_score` and `oom_score_adj`; nil where there is no such process.
    public func oomScore(pid: Int) -> (score: Int, adjustment: Int)? {
        guard pid > 0, let place = process(pid) else { return nil }
        return (oomScore(place), processes[place].oomScoreAdjustment)
    }

    private func reclaimNode(_ node: Int) -> ReclaimView.Node {
        let state = reclaimState(node)
        let wakeup = pages.kswapdWakeups.first { $0.node == node }
        return ReclaimView.Node(
            node: node,
            zones: pages.zones.indices.filter { pages.zones[$0].node == node }.map { zone in
                let states = lru.states(zone: zone)
                return ReclaimView.Zone(
                    type: pages.zones[zone].type,
                    lists: LRUList.allCases.map { lru.count(zone: zone, $0) },
                    dirty: states.dirty,
                    writeback: states.writeback,
                    swapCache: states.swapCache
                )
            },
            anonCost: state.anonCost,
            fileCost: state.fileCost,
            failures: state.failures,
            isHopeless: state.isHopeless,
            isDirty: state.isDirty,
            isWriting: state.isWriting,
            wanted: wakeup.map { ($0.order, $0.highestZone) }
        )
    }

    private func diskFileViews() -> [ReclaimView.File] {
        var dirty: [Int: Int] = [:]
        var known: Set<UInt32> = []
        for pfn in dirtyPages where known.insert(pfn).inserted {
            guard pages.map[Int(pfn)].aging.contains(.dirty), let file = lru.links[Int(pfn)].file
            else { continue }
            dirty[file, default: 0] += 1
        }
        return files.onDisk.map { place, file in
            ReclaimView.File(
                path: file.path,
                size: file.size,
                cachedPages: file.pageCount,
                dirtyPages: dirty[place] ?? 0
            )
        }
    }
}
