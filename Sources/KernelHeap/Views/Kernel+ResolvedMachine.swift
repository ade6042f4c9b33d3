extension Kernel {
    /// The machine's description with every default filled in, as booted.
    ///
    /// Zones carry their sizes, marks, reserves and per-CPU numbers, and no lists of frames.
    /// Computed anew from the description: a boot without its lists, which costs microseconds at
    /// any size.
    public func resolvedMachine() -> MachineDescription {
        var bare = machine
        if let zones = machine.zones {
            bare.zones = zones.map(Self.withoutLists)
        }
        var resolved = bare
        var boot = MachineBoot(bare)
        // The description has booted once, and less of it cannot fail.
        guard let allocator = try? boot.pageAllocator() else { return resolved }
        var zones: [ZoneDescription] = []
        var present: UInt64 = 0
        for place in allocator.zones.indices {
            present &+= allocator.zones[place].present
            zones.append(Self.description(of: place, in: allocator))
        }
        if machine.zones != nil || machine.memoryMap != nil { resolved.memoryBytes = present << 12 }
        resolved.zones = zones
        return resolved
    }

    private static func withoutLists(_ zone: ZoneDescription) -> ZoneDescription {
        var zone = zone
        zone.freeLists = nil
        zone.pageblocks = nil
        zone.pcp = zone.pcp?.map {
            PerCPUPagesDescription(
                cpu: $0.cpu,
                batch: $0.batch,
                high: $0.high,
                freeFactor: $0.freeFactor
            )
        }
        return zone
    }

    private static func description(
        of place: Int,
        in allocator: borrowing PageAllocator
    ) -> ZoneDescription {
        let zone = allocator.zones[place]
        var description = ZoneDescription()
        description.node = zone.node
        description.name = zone.type
        description.startPFN = zone.startPFN
        description.spanned = zone.spanned
        description.present = zone.present
        description.managed = zone.managed
        description.watermarks = WatermarksDescription(
            min: pages(zone.watermarks.min),
            low: pages(zone.watermarks.low),
            high: pages(zone.watermarks.high),
            boost: pages(zone.watermarks.boost)
        )
        description.lowmemReserve = allocator.zoneTypes.map {
            pages(zone.lowmemReserve[Int($0.rawValue)])
        }
        description.pcp = (0..<allocator.cpuCount).map { cpu in
            let lists = allocator.perCPU[allocator.perCPUIndex(zone: place, cpu: cpu)]
            return PerCPUPagesDescription(
                cpu: cpu,
                batch: pages(lists.batch),
                high: pages(lists.high),
                freeFactor: pages(lists.freeFactor)
            )
        }
        return description
    }

    private static func pages(_ count: Int) -> UInt64 { UInt64(max(count, 0)) }
}
