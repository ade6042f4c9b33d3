/// Counters of a zone in `/proc/zoneinfo`, `enum zone_stat_item`: pages, and NUMA events.
public enum ZoneCounter: String, NamedCounter {
    case freePages = "nr_free_pages"
    case inactiveAnon = "nr_zone_inactive_anon"
    case activeAnon = "nr_zone_active_anon"
    case inactiveFile = "nr_zone_inactive_file"
    case activeFile = "nr_zone_active_file"
    case unevictable = "nr_zone_unevictable"
    case writePending = "nr_zone_write_pending"
    case mlock = "nr_mlock"
    case bounce = "nr_bounce"
    case zspages = "nr_zspages"
    case freeCMA = "nr_free_cma"
    case numaHit = "numa_hit"
    case numaMiss = "numa_miss"
    case numaForeign = "numa_foreign"
    case numaInterleave = "numa_interleave"
    case numaLocal = "numa_local"
    case numaOther = "numa_other"

    /// Whether only kernels for machines of several nodes have it.
    public var needsNUMA: Bool { rawValue.hasPrefix("numa_") }
}

/// The counters of one zone.
public typealias ZoneStats = CounterTable<ZoneCounter>
