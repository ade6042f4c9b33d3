/// The block of log lines from `Mem-Info:` on, in reports of failed allocations and of the OOM
/// killer.
///
/// Follows `__show_free_areas()`, `mm/page_alloc.c`, and `__show_mem()`, `lib/show_mem.c`, 6.1.
public struct MemInfoReport: Hashable, Sendable {
    public var nodes: [NodeView]
    /// Zones above the request's highest are left out.
    public var highestZone: ZoneType
    /// The CPU that made the request.
    public var cpu: Int
    /// Kernels without NUMA do not name the node of a zone.
    public var hasNUMA = true
    public var hugePageKiB = 2048
    /// Pages.
    public var swapFree: UInt64 = 0
    /// Pages.
    public var swapTotal: UInt64 = 0

    public init(nodes: [NodeView], highestZone: ZoneType, cpu: Int) {
        self.nodes = nodes
        self.highestZone = highestZone
        self.cpu = cpu
    }

    /// The log's lines, without time stamps.
    public var lines: [String] {
        ["Mem-Info:"] + totals + nodes.map(line) + zones.flatMap(zoneLines)
            + zones.map(freeBlockLine) + nodes.map(hugePageLine) + swapLines + memoryLines
    }

    private var zones: [ZoneView] {
        nodes.flatMap(\.zones).filter { $0.isPopulated && $0.type <= highestZone }
    }

    private func nodeSum(_ counter: NodeCounter) -> UInt64 {
        nodes.reduce(0) { $0 &+ $1.stats[counter] }
    }

    private func zoneSum(_ counter: ZoneCounter) -> UInt64 {
        nodes.flatMap(\.zones).reduce(0) { $0 &+ $1.stats[counter] }
    }

    /// The machine's counters in pages.
    private var totals: [String] {
        let all = nodes.flatMap(\.zones)
        let free = all.reduce(0) { $0 &+ $1.free }
        let perCPU = zones.reduce(0) { total, zone in
            zone.pageSets.reduce(total) { $0 &+ $1.count }
        }
        return [
            "active_anon:\(nodeSum(.activeAnon)) inactive_anon:\(nodeSum(.inactiveAnon))"
                + " isolated_anon:\(nodeSum(.isolatedAnon))",
            " active_file:\(nodeSum(.activeFile)) inactive_file:\(nodeSum(.inactiveFile))"
                + " isolated_file:\(nodeSum(.isolatedFile))",
            " unevictable:\(nodeSum(.unevictable)) dirty:\(nodeSum(.dirty))"
                + " writeback:\(nodeSum(.writeback))",
            " slab_reclaimable:\(nodeSum(.slabReclaimable))"
                + " slab_unreclaimable:\(nodeSum(.slabUnreclaimable))",
            " mapped:\(nodeSum(.mapped)) shmem:\(nodeSum(.shmem))"
                + " pagetables:\(nodeSum(.pageTablePages))",
            " sec_pagetables:\(nodeSum(.secondaryPageTablePages)) bounce:\(zoneSum(.bounce))",
            " kernel_misc_reclaimable:\(nodeSum(.kernelMiscReclaimable))",
            " free:\(free) free_pcp:\(perCPU) free_cma:\(zoneSum(.freeCMA))",
        ]
    }

    private func line(_ node: NodeView) -> String {
        let counters: [(String, NodeCounter)] = [
            ("active_anon:", .activeAnon), ("inactive_anon:", .inactiveAnon),
            ("active_file:", .activeFile), ("inactive_file:", .inactiveFile),
            ("unevictable:", .unevictable), ("isolated(anon):", .isolatedAnon),
            ("isolated(file):", .isolatedFile), ("mapped:", .mapped), ("dirty:", .dirty),
            ("writeback:", .writeback), ("shmem:", .shmem), ("shmem_thp: ", .shmemHugePages),
            ("shmem_pmdmapped: ", .shmemPMDMapped), ("anon_thp: ", .anonTransparentHugePages),
            ("writeback_tmp:", .writebackTemp), ("kernel_stack:", .kernelStack),
            ("pagetables:", .pageTablePages), ("sec_pagetables:", .secondaryPageTablePages),
        ]
        var text = "Node \(node.id)"
        for (label, counter) in counters {
            let value = node.stats[counter]
            // Stacks are counted in KiB already.
            text += " \(label)\(counter == .kernelStack ? value : value &* 4)kB"
        }
        let isUnreclaimable = node.zones.contains(where: \.isNodeUnreclaimable)
        return text + " all_unreclaimable? \(isUnreclaimable ? "yes" : "no")"
    }

    private func prefix(_ zone: ZoneView) -> String {
        (hasNUMA ? "Node \(zone.node) " : "") + zone.type.name
    }

    private func zoneLines(_ zone: ZoneView) -> [String] {
        let perCPU = zone.pageSets.reduce(0) { $0 &+ $1.count }
        let local = zone.pageSets.first { $0.cpu == cpu }?.count ?? 0
        let sizes: [(String, UInt64, String)] = [
            ("free", zone.free, "kB"), ("boost", zone.boost, "kB"), ("min", zone.min, "kB"),
            ("low", zone.low, "kB"), ("high", zone.high, "kB"),
            ("reserved_highatomic", zone.highAtomicReserved, "KB"),
            ("active_anon", zone.stats[.activeAnon], "kB"),
            ("inactive_anon", zone.stats[.inactiveAnon], "kB"),
            ("active_file", zone.stats[.activeFile], "kB"),
            ("inactive_file", zone.stats[.inactiveFile], "kB"),
            ("unevictable", zone.stats[.unevictable], "kB"),
            ("writepending", zone.stats[.writePending], "kB"), ("present", zone.present, "kB"),
            ("managed", zone.managed, "kB"), ("mlocked", zone.stats[.mlock], "kB"),
            ("bounce", zone.stats[.bounce], "kB"), ("free_pcp", perCPU, "kB"),
            ("local_pcp", local, "kB"), ("free_cma", zone.stats[.freeCMA], "kB"),
        ]
        let fields = sizes.map { " \($0):\($1 &* 4)\($2)" }.joined()
        let reserve = zone.protection.map { " \($0)" }.joined()
        return [prefix(zone) + fields, "lowmem_reserve[]:\(reserve)"]
    }

    /// Blocks of each order, with a letter for each class that has some.
    private func freeBlockLine(_ zone: ZoneView) -> String {
        let letters: [(MigrateType, String)] = [
            (.unmovable, "U"), (.movable, "M"), (.reclaimable, "E"), (.highAtomic, "H"),
            (.isolate, "I"),
        ]
        var text = prefix(zone) + ":"
        var total: UInt64 = 0
        for (order, types) in zone.freeBlocks.prefix(Zone.orderCount).enumerated() {
            let count = types.reduce(0, &+)
            let size: UInt64 = 4 << UInt64(order)
            total &+= count &* size
            text += " \(count)*\(size)kB"
            if count == 0 { continue }
            let present = letters.filter { type, _ in
                Int(type.rawValue) < types.count && types[Int(type.rawValue)] > 0
            }
            text += " (" + present.map(\.1).joined() + ")"
        }
        return text + " = \(total)kB"
    }

    private func hugePageLine(_ node: NodeView) -> String {
        "Node \(node.id) hugepages_total=0 hugepages_free=0 hugepages_surp=0"
            + " hugepages_size=\(hugePageKiB)kB"
    }

    private var swapLines: [String] {
        [
            "\(nodeSum(.filePages)) total pagecache pages",
            "\(nodeSum(.swapCached)) pages in swap cache",
            "Free swap  = \(swapFree &* 4)kB",
            "Total swap = \(swapTotal &* 4)kB",
        ]
    }

    private var memoryLines: [String] {
        let all = nodes.flatMap(\.zones)
        let present = all.reduce(0) { $0 &+ $1.present }
        let managed = all.reduce(0) { $0 &+ $1.managed }
        let high = all.reduce(0) { $0 &+ ($1.type == .highMem ? $1.present : 0) }
        return [
            "\(present) pages RAM", "\(high) pages HighMem/MovableOnly",
            "\(present &- managed) pages reserved", "0 pages hwpoisoned",
        ]
    }
}
