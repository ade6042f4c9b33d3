/// A memory cgroup as its files show it: `Documentation/admin-guide/cgroup-v2.rst`, 6.1.
public struct CgroupView: Sendable {
    /// From the root: `/a/b`.
    public let path: String
    /// In bytes, those of the groups below it included; nil for the root, which counts nothing.
    public let current: UInt64?
    public let peak: UInt64
    /// In bytes; nil is `max`.
    public let limits: [(name: String, bytes: UInt64?)]
    public let failures: UInt64
    public let isKilledWhole: Bool
    public let events: [(name: String, count: UInt64)]
    /// `memory.stat`: bytes, and behind them events; of the group and those below it.
    public let stat: [(name: String, value: UInt64)]
    /// The processes in it, not those in groups below.
    public let processes: [Int]
    /// Whether it was removed, and has pages still.
    public let isRemoved: Bool

    /// A limit by the name of its file, in bytes; nil is `max`.
    public func limit(_ name: String) -> UInt64? {
        limits.first { $0.name == name }.flatMap(\.bytes)
    }

    /// The lines of `memory.stat`.
    public var statLines: [String] { stat.map { "\($0.name) \($0.value)" } }
}

extension Kernel {
    /// Every group that there is, each behind the one above it; the root is the first.
    ///
    /// Costs what the groups' lists of LRU counts cost, for each.
    public func cgroupViews() -> [CgroupView] {
        cgroups.subtree(of: 0).map { cgroupView($0) }
    }

    /// The group of a path, as its files show it.
    public func cgroupView(at path: String) -> CgroupView? {
        cgroups.group(at: path).map { cgroupView($0) }
    }

    func cgroupView(_ group: Int) -> CgroupView {
        let own = cgroups[group]
        func bytes(_ pages: UInt64) -> UInt64? { pages == .max ? nil : pages &* 4096 }
        return CgroupView(
            path: own.path,
            current: group == 0 ? nil : own.usage &* 4096,
            peak: own.peak &* 4096,
            limits: [
                ("memory.min", bytes(own.limits.min)), ("memory.low", bytes(own.limits.low)),
                ("memory.high", bytes(own.limits.high)), ("memory.max", bytes(own.limits.max)),
            ],
            failures: own.failures,
            isKilledWhole: own.isKilledWhole,
            events: own.events.named,
            stat: cgroupStat(group),
            processes: processes.filter { $0.isAlive && $0.cgroup == group }.map(\.pid),
            isRemoved: own.isRemoved
        )
    }

    /// `memory_stat_format()`: what is not modelled is 0.
    private func cgroupStat(_ group: Int) -> [(name: String, value: UInt64)] {
        let groups = cgroups.subtree(of: group)
        var sum = CgroupStatistics()
        for place in groups { sum.add(cgroups[place].statistics) }
        let objectPages = groups.reduce(UInt64(0)) { pages, place in
            pages &+ CgroupStatistics.pages(ofObjects: cgroups[place].statistics.objectBytes)
        }
        let lists = LRUList.allCases.map { list in
            let pages = groups.reduce(0) { pages, place in
                pages
                    + self.pages.zones.indices.reduce(0) {
                        $0 + lru.count(zone: $1, list, group: place)
                    }
            }
            return (list.name, UInt64(clamping: pages) &* 4096)
        }
        let unreclaimable = sum.objectBytes &- min(sum.reclaimableBytes, sum.objectBytes)
        var stat: [(name: String, value: UInt64)] = [
            ("anon", sum.anonymous &* 4096), ("file", sum.file &* 4096),
            ("kernel", (sum.kernelPages &+ objectPages) &* 4096), ("kernel_stack", 0),
            ("pagetables", sum.tables &* 4096), ("sec_pagetables", 0), ("percpu", 0), ("sock", 0),
            ("vmalloc", 0), ("shmem", sum.shared &* 4096), ("file_mapped", 0), ("file_dirty", 0),
            ("file_writeback", 0), ("swapcached", 0), ("anon_thp", 0), ("file_thp", 0),
            ("shmem_thp", 0),
        ]
        stat += lists.map { (name: $0.0, value: $0.1) }
        stat += [
            ("slab_reclaimable", sum.reclaimableBytes), ("slab_unreclaimable", unreclaimable),
            ("slab", sum.objectBytes),
        ]
        let unmodelled = [
            "workingset_refault_anon", "workingset_refault_file", "workingset_activate_anon",
            "workingset_activate_file", "workingset_restore_anon", "workingset_restore_file",
            "workingset_nodereclaim",
        ]
        stat += unmodelled.map { ($0, 0) }
        stat += [
            ("pgscan", sum.scannedByKswapd &+ sum.scannedDirectly),
            ("pgsteal", sum.freedByKswapd &+ sum.freedDirectly),
            ("pgscan_kswapd", sum.scannedByKswapd), ("pgscan_direct", sum.scannedDirectly),
            ("pgsteal_kswapd", sum.freedByKswapd), ("pgsteal_direct", sum.freedDirectly),
        ]
        return stat
    }
}
