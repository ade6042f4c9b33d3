/// Reads and writes of files under `/proc/sys`, with what the kernel computes anew after each.
extension Kernel {
    /// The values of a file, in the order in which it shows them.
    ///
    /// Reading the reserve ratios computes the reserves anew, as in 6.1: its handler does not ask
    /// whether it was a write. So the reserves of a fresh machine change with the first look.
    mutating func readSysctl(_ file: Sysctl) -> [Int] {
        switch file {
        case .minFreeKilobytes: return [tuning.minFreeKilobytes]
        case .watermarkScaleFactor: return [tuning.watermarkScaleFactor]
        case .watermarkBoostFactor: return [pages.boostFactor]
        case .perCPUHighFraction: return [tuning.perCPUHighFraction]
        case .swappiness: return [tuning.swappiness]
        case .dirtyRatio: return [tuning.dirtyRatio]
        case .dirtyBackgroundRatio: return [tuning.dirtyBackgroundRatio]
        case .panicOnOOM: return [tuning.panicOnOOM]
        case .killsAllocatingTask: return [tuning.killsAllocatingTask]
        case .dumpsTasks: return [tuning.dumpsTasks]
        case .extfragThreshold: return [tuning.extfragThreshold]
        case .compactUnevictable: return [tuning.compactUnevictableAllowed]
        case .panicOnWarning: return [log.panicPolicy.onWarning]
        case .panicOnOops: return [log.panicPolicy.onOops]
        case .lowmemReserveRatio:
            resizeLowmemReserves()
            return ratioTypes.map { tuning.lowmemReserveRatio[Int($0.rawValue)] }
        }
    }

    /// Writes a text to a file.
    ///
    /// - Returns: `.EINVAL` where the file takes no such value; the machine is then as before. The
    ///   file of reserve ratios keeps the numbers before a wrong one, and reports nothing.
    mutating func writeSysctl(_ file: Sysctl, _ text: String) -> Errno? {
        var numbers = SysctlNumbers(text)
        if file == .lowmemReserveRatio {
            for type in ratioTypes where !numbers.isAtEnd {
                guard let ratio = numbers.next() else { break }
                tuning.lowmemReserveRatio[Int(type.rawValue)] = max(ratio, 0)
            }
            resizeLowmemReserves()
            return nil
        }
        guard let value = numbers.next(), file.range.contains(value) else { return .EINVAL }
        switch file {
        case .minFreeKilobytes:
            tuning.minFreeKilobytes = value
            resizeWatermarks()
        case .watermarkScaleFactor:
            tuning.watermarkScaleFactor = value
            resizeWatermarks()
        case .watermarkBoostFactor:
            pages.boostFactor = value
        case .perCPUHighFraction:
            // A larger part of a zone for each CPU would leave nothing to the others.
            guard value == 0 || value >= 8 else { return .EINVAL }
            tuning.perCPUHighFraction = value
            resizePerCPULists()
        case .swappiness: tuning.swappiness = value
        case .dirtyRatio: tuning.dirtyRatio = value
        case .dirtyBackgroundRatio: tuning.dirtyBackgroundRatio = value
        case .panicOnOOM: tuning.panicOnOOM = value
        case .killsAllocatingTask: tuning.killsAllocatingTask = value
        case .dumpsTasks: tuning.dumpsTasks = value
        case .extfragThreshold: tuning.extfragThreshold = value
        case .compactUnevictable: tuning.compactUnevictableAllowed = value
        case .panicOnWarning: log.panicPolicy.onWarning = value
        case .panicOnOops: log.panicPolicy.onOops = value
        case .lowmemReserveRatio:
            break
        }
        return nil
    }

    /// The file lists the zones that the kernel is built with.
    private var ratioTypes: [ZoneType] { pages.zoneTypes }

    private var zoneArray: [Zone] { pages.zones.indices.map { pages.zones[$0] } }

    /// `setup_per_zone_lowmem_reserve()`.
    private mutating func resizeLowmemReserves() {
        var zones = zoneArray
        tuning.setLowmemReserves(&zones)
        for index in zones.indices {
            pages.zones[index].lowmemReserve = zones[index].lowmemReserve
        }
    }

    /// `setup_per_zone_wmarks()`: new marks, without boost; the per-CPU lists follow them.
    private mutating func resizeWatermarks() {
        var zones = zoneArray
        tuning.setWatermarks(&zones)
        for index in zones.indices { pages.zones[index].watermarks = zones[index].watermarks }
        resizePerCPULists()
    }

    /// `zone_set_pageset_high_and_batch()`: what is on a list stays there until the next free.
    private mutating func resizePerCPULists() {
        for index in pages.zones.indices {
            let zone = pages.zones[index]
            let local = ZoneTuning.localCPUs(
                node: zone.node,
                cpus: machine.cpus,
                nodes: slab.nodeCount
            )
            let batch = ZoneTuning.batch(managed: zone.managed)
            let high = tuning.high(of: zone, batch: batch, cpus: local)
            for cpu in 0..<pages.cpuCount {
                let place = pages.perCPUIndex(zone: index, cpu: cpu)
                pages.perCPU[place].batch = batch
                pages.perCPU[place].high = high
            }
        }
    }
}
