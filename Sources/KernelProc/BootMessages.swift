public import KernelHeap

/// The lines that memory management prints while a machine boots, without time stamps.
///
/// They are made when somebody reads them. The recorded `boot/*/dmesg.txt` hold every line; what a
/// real kernel prints in between is not there: see `docs/fidelity.md`.
public enum BootMessages {
    /// The lines, oldest first.
    public static func lines(_ boot: BootView) -> [String] {
        let pages = totalPages(boot)
        let hashes = BootHashTables(pages: pages, cpus: boot.cpus, nodes: boot.nodes)
        let isSpread = boot.nodes > 1
        var lines = firmwareTable(boot) + zoneRanges(boot) + nodeRanges(boot) + missingPages(boot)
        lines += perCPU(boot)
        lines.append(
            "Built \(boot.nodes) zonelists, mobility grouping on.  Total pages: \(pages)"
        )
        let policy = boot.zones.map(\.type).filter { $0 != .movable }.max()
        if let policy { lines.append("Policy zone: \(policy.name)") }
        if !isSpread { lines += hashes.early }
        lines += memory(boot)
        if isSpread {
            lines.append(
                "mempolicy: Enabling automatic NUMA balancing. "
                    + "Configure with numa_balancing= or the kernel.numa_balancing sysctl"
            )
            lines += hashes.early
        }
        return lines + hashes.late + reservedBuffers(boot) + hashes.network
    }

    private static func firmwareTable(_ boot: BootView) -> [String] {
        guard !boot.memoryMap.isEmpty else { return [] }
        var lines = boot.memoryMap.map { region in
            "BIOS-e820: " + range(region.start, region.last, digits: 16) + " "
                + region.kind.rawValue
        }
        lines.append("e820: update [mem 0x00000000-0x00000fff] usable ==> reserved")
        lines.append("e820: remove [mem 0x000a0000-0x000fffff] usable")
        if boot.nodes == 1, !boot.hasHighMemory { lines.append("No NUMA configuration found") }
        return lines
    }

    /// `free_area_init()`: what each zone could span on this machine.
    private static func zoneRanges(_ boot: BootView) -> [String] {
        guard let first = boot.memory.first?.frames.lowerBound,
            let end = boot.memory.last?.frames.upperBound
        else { return [] }
        let high = boot.zones.first { $0.type == .highMem }
        let limits: [(ZoneType, UInt64)] =
            boot.hasHighMemory
            ? [
                (.dma, 1 << 12), (.normal, high?.frames.lowerBound ?? end), (.highMem, end),
            ] : [(.dma, 1 << 12), (.dma32, 1 << 20), (.normal, end)]
        var lines = ["Zone ranges:"]
        var start = first
        for (type, limit) in limits {
            let stop = min(limit, end)
            let text = start < stop ? frames(start..<stop) : "empty"
            lines.append(zoneLine(type) + text)
            start = max(start, stop)
        }
        if !boot.hasHighMemory { lines.append(zoneLine(.device) + "empty") }
        lines.append("Movable zone start for each node")
        for zone in boot.zones where zone.type == .movable {
            lines.append("  Node \(zone.node): " + hex(zone.frames.lowerBound << 12, digits: 16))
        }
        return lines
    }

    private static func nodeRanges(_ boot: BootView) -> [String] {
        var lines = ["Early memory node ranges"]
        for part in boot.memory {
            var line = "  node "
            line.append(part.node, right: 3)
            lines.append(line + ": " + frames(part.frames))
        }
        for node in 0..<boot.nodes {
            let parts = boot.memory.filter { $0.node == node }
            guard let first = parts.first, let last = parts.last else { continue }
            let span = first.frames.lowerBound..<last.frames.upperBound
            lines.append("Initmem setup node \(node) " + frames(span))
        }
        return lines
    }

    /// `memmap_init()`: frames without memory whose page structures exist all the same.
    ///
    /// Structures come in sections of 128 MiB, so a hole counts as far as its ends' sections reach.
    private static func missingPages(_ boot: BootView) -> [String] {
        let section: UInt64 = 1 << 15
        var lines: [String] = []
        var hole: UInt64 = 0
        func report(_ start: UInt64, _ end: UInt64, _ zone: BootView.Zone) {
            guard start < end else { return }
            var count = end - start
            if start / section != end / section {
                let left = start % section == 0 ? 0 : section - start % section
                count = left + end % section
            }
            guard count > 0 else { return }
            lines.append(
                "On node \(zone.node), zone \(zone.type.name): \(count) pages in unavailable ranges"
            )
        }
        for part in boot.memory {
            for zone in boot.zones where zone.node == part.node {
                let shared = part.frames.clamped(to: zone.frames)
                guard !shared.isEmpty else { continue }
                report(hole, shared.lowerBound, zone)
                hole = shared.upperBound
            }
        }
        if let zone = boot.zones.last {
            report(hole, (hole + section - 1) / section * section, zone)
        }
        return lines
    }

    /// `setup_per_cpu_areas()`: CPUs share units of 2 MiB as well as their number divides it.
    private static func perCPU(_ boot: BootView) -> [String] {
        let areaBytes = 217_088 + 8_192 + 28_672
        let unit = 2 << 20
        let local = (boot.cpus + boot.nodes - 1) / boot.nodes
        var best = 1
        var least = Int.max
        for count in stride(from: 8, through: 1, by: -1) where unit % count == 0 {
            let needed = (local + count - 1) / count * boot.nodes
            let wasted = needed * count - boot.cpus
            if wasted > boot.cpus / 3 { continue }
            if needed > least { break }
            least = needed
            best = count
        }
        return [
            "setup_percpu: NR_CPUS:8192 nr_cpumask_bits:\(boot.cpus) nr_cpu_ids:\(boot.cpus) "
                + "nr_node_ids:\(boot.nodes)",
            "percpu: Embedded \(areaBytes / 4096) pages/cpu s217088 r8192 d28672 u\(unit / best)",
        ]
    }

    private static func memory(_ boot: BootView) -> [String] {
        let present = boot.zones.reduce(0) { $0 + $1.present }
        let slab = boot.slab
        return [
            "mem auto-init: stack:all(zero), heap alloc:\(slab.initOnAlloc ? "on" : "off"), "
                + "heap free:\(slab.initOnFree ? "on" : "off")",
            "Memory: \(boot.availablePages * 4)K/\(present * 4)K available "
                + "(14343K kernel code, 2338K rwdata, 9132K rodata, 2824K init, 17344K bss, "
                + "\(boot.reservedPages * 4)K reserved, 0K cma-reserved)",
            "SLUB: HWalign=\(slab.architecture.cacheLineBytes), "
                + "Order=\(slab.minOrder)-\(slab.maxOrder), MinObjects=\(slab.minObjects), "
                + "CPUs=\(boot.cpus), Nodes=\(boot.nodes)",
        ]
    }

    /// `e820__reserve_resources_late()`: what lies behind memory up to a round address is kept.
    private static func reservedBuffers(_ boot: BootView) -> [String] {
        var lines: [String] = []
        for region in boot.memoryMap where region.kind == .usable && region.last < 1 << 52 {
            let start = region.last + 1
            let align: UInt64 =
                switch start >> 20 {
                case 0: 64 << 10
                case 1..<16: 1 << 20
                default: 64 << 20
                }
            let end = (start + align - 1) & ~(align - 1)
            if start < end {
                lines.append("e820: reserve RAM buffer " + range(start, end - 1, digits: 8))
            }
        }
        return lines
    }

    /// Pages that can be had, less the room of their own structures: `nr_free_pagecache_pages()`.
    private static func totalPages(_ boot: BootView) -> UInt64 {
        var total: UInt64 = 0
        for zone in boot.zones {
            let spanned = UInt64(zone.frames.count)
            let described = spanned > zone.present + zone.present >> 4 ? zone.present : spanned
            let structures = (described * 64 + 4095) >> 12
            var pages = zone.present >= structures ? zone.present - structures : zone.present
            if zone.type == .dma && pages > boot.dmaReserve { pages -= boot.dmaReserve }
            total += pages
        }
        return total
    }

    private static func zoneLine(_ type: ZoneType) -> String {
        var line = "  "
        line.append(type.name, left: 9)
        return line
    }

    private static func frames(_ frames: Range<UInt64>) -> String {
        range(frames.lowerBound << 12, (frames.upperBound << 12) - 1, digits: 16)
    }

    private static func range(_ start: UInt64, _ last: UInt64, digits: Int) -> String {
        "[mem " + hex(start, digits: digits) + "-" + hex(last, digits: digits) + "]"
    }

    private static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
