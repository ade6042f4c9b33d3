/// The knobs under `/proc/sys/vm` that size the zones' marks, and the rules that apply them.
///
/// Everything here follows `mm/page_alloc.c`, 6.1, and is held to `boot/zones.json` and
/// `boot/watermarks.json` of the recordings.
public struct ZoneTuning: Hashable, Sendable {
    /// Kilobytes kept free: the sum of the zones' min marks.
    public var minFreeKilobytes = 0
    /// Distance of low and high from min, in ten-thousandths of the zone.
    public var watermarkScaleFactor = 10
    /// By zone; 0 withholds nothing.
    public var lowmemReserveRatio: [Int] = [256, 256, 32, 0, 0, 0]
    /// 0: the per-CPU lists hold up to the low mark.
    public var perCPUHighFraction = 0
    /// How much rather anonymous memory than files is reclaimed, up to 200.
    public var swappiness = 60
    /// Percent of what may be dirty at which writers must wait, and at which writing begins.
    public var dirtyRatio = 20
    public var dirtyBackgroundRatio = 10
    /// `vm.panic_on_oom`, `vm.oom_kill_allocating_task`, `vm.oom_dump_tasks`.
    public var panicOnOOM = 0
    public var killsAllocatingTask = 0
    public var dumpsTasks = 1
    /// Up to this fragmentation index, in thousandths, a zone is taken to be short of memory rather
    /// than broken up, and is not compacted.
    public var extfragThreshold = 500
    /// Whether compaction moves pages that `mlock` keeps: 0 or 1.
    public var compactUnevictableAllowed = 1

    /// `calculate_min_free_kbytes()`: the square root of 16 times the low memory above high.
    static func minFreeKilobytes(_ zones: [Zone]) -> Int {
        var pages = 0
        for zone in zones where zone.type <= .normal {
            let managed = Int(zone.managed)
            if managed > zone.watermarks.high { pages += managed - zone.watermarks.high }
        }
        let root = Int(Double(pages * 4 * 16).squareRoot())
        return min(max(root, 128), 262_144)
    }

    /// `__setup_per_zone_wmarks()`: the zones share min by size; low and high follow at a distance.
    func setWatermarks(_ zones: inout [Zone]) {
        let minPages = minFreeKilobytes / 4
        let lowmem = zones.reduce(0) { $0 + ($1.type == .highMem ? 0 : Int($1.managed)) }
        for index in zones.indices {
            let managed = Int(zones[index].managed)
            let share = lowmem == 0 ? 0 : minPages * managed / lowmem
            let least = zones[index].type == .highMem ? min(max(managed / 1024, 32), 128) : share
            let scaled =
                managed / 10_000 * watermarkScaleFactor
                + managed % 10_000 * watermarkScaleFactor / 10_000
            let distance = max(share / 4, scaled)
            zones[index].watermarks.min = least
            zones[index].watermarks.low = least + distance
            zones[index].watermarks.high = least + 2 * distance
            zones[index].watermarks.boost = 0
        }
    }

    /// `setup_per_zone_lowmem_reserve()`: a part of all higher zones of the node together.
    func setLowmemReserves(_ zones: inout [Zone]) {
        for index in zones.indices {
            let type = zones[index].type
            let ratio = lowmemReserveRatio[Int(type.rawValue)]
            var higher = 0
            for other in ZoneType.allCases where other > type {
                for zone in zones where zone.node == zones[index].node && zone.type == other {
                    higher += Int(zone.managed)
                }
                let reserve = ratio > 0 && zones[index].managed > 0 ? higher / ratio : 0
                zones[index].lowmemReserve[Int(other.rawValue)] = reserve
            }
        }
    }

    /// `calculate_normal_threshold()`: grows with the logarithms of CPUs and zone size.
    static func statThreshold(managed: UInt64, cpus: Int) -> Int {
        let sections = managed >> 15
        let bits = UInt64.bitWidth - sections.leadingZeroBitCount
        let cpuBits = Int.bitWidth - cpus.leadingZeroBitCount
        return min(2 * cpuBits * (1 + bits), 125)
    }

    /// `zone_batchsize()`: about a thousandth of the zone over four, one less than a power of two.
    static func batch(managed: UInt64) -> Int {
        let quarter = max(Int(min(managed >> 10, 256)) / 4, 1)
        let sum = quarter + quarter / 2
        return max(1 << (Int.bitWidth - 1 - sum.leadingZeroBitCount) - 1, 1)
    }

    /// CPUs that share a zone of a node: all of them where the node has none of its own.
    static func localCPUs(node: Int, cpus: Int, nodes: Int) -> Int {
        let own = (0..<cpus).count { $0 % max(nodes, 1) == node }
        return own > 0 ? own : cpus
    }

    /// `zone_highsize()`: the low mark, or a fraction of the zone, shared by the node's CPUs.
    func high(of zone: Zone, batch: Int, cpus: Int) -> Int {
        let pages =
            perCPUHighFraction > 0
            ? Int(zone.managed) / perCPUHighFraction
            : zone.watermarks.low + zone.watermarks.boost
        return max(pages / max(cpus, 1), batch * 4)
    }
}
