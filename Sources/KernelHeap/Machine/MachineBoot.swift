/// Builds the page allocator of a machine from its description, as the kernel's boot does.
struct MachineBoot {
    /// Frame numbers from here on have another meaning on a list.
    static let frameLimit: UInt64 = 0xffff_0000
    static let maximumZones = Zonelist.capacity

    private let description: MachineDescription
    private(set) var tuning = ZoneTuning()

    init(_ description: MachineDescription) { self.description = description }

    /// The page allocator after boot.
    ///
    /// - Throws: `MachineError` with the pointer of the field that no machine can have.
    mutating func pageAllocator() throws(MachineError) -> PageAllocator {
        guard description.reserved == nil || description.memoryMap != nil else {
            throw MachineError("/reserved", "reserved ranges go with a memory_map")
        }
        if let zones = description.zones { return try allocator(explicit: zones) }
        if let map = description.memoryMap { return try allocator(map: map) }
        return try allocatorFromMemory()
    }

    private mutating func allocatorFromMemory() throws(MachineError) -> PageAllocator {
        let layouts = try layout()
        var zones = layouts.map(\.zone)
        computeMarks(&zones)
        var allocator = PageAllocator(
            zones: zones,
            perCPU: perCPULists(of: zones),
            cpuCount: description.cpus
        )
        for (index, layout) in layouts.enumerated() {
            allocator.addBootMemory(layout.free, zone: index)
        }
        reserveAtomicPool(&allocator)
        return allocator
    }

    /// The zones that follow from the memory size.
    func layout() throws(MachineError) -> [MemoryLayout61.ZoneLayout] {
        let memory = description.memoryBytes
        guard memory >= 96 << 20, memory >> 12 < Self.frameLimit - (1 << 20) else {
            throw MachineError("/memory", "memory must be between 96M and 15T, not \(memory) bytes")
        }
        let options = BootOptions(description.bootOptions)
        var movable = try options.bytes("movablecore") >> 12
        let kernelCore = try options.bytes("kernelcore") >> 12
        if kernelCore > 0 { movable = (memory >> 12) - min(kernelCore, memory >> 12) }
        return MemoryLayout61.zones(
            memory: memory & ~0xfff,
            cpus: description.cpus,
            nodes: description.nodes,
            movable: movable
        )
    }

    /// Marks, reserves and per-CPU sizes, in the kernel's order.
    ///
    /// The kernel computes them while parts of its image and the initial file system still occupy
    /// memory; the second computation finds the high marks of the first.
    private mutating func computeMarks(_ zones: inout [Zone]) {
        let released = releasedPages(zones)
        let managed = zones.map(\.managed)
        for index in zones.indices { zones[index].managed -= min(released[index], managed[index]) }
        // With 512 MiB or more, setting up huge pages computes a second time.
        let total = zones.reduce(0) { $0 + $1.managed }
        for _ in 0..<(total >= 512 << 8 ? 2 : 1) {
            tuning.minFreeKilobytes = ZoneTuning.minFreeKilobytes(zones)
            tuning.setWatermarks(&zones)
        }
        tuning.setLowmemReserves(&zones)
        for index in zones.indices {
            zones[index].managed = managed[index]
            zones[index].statThreshold = ZoneTuning.statThreshold(
                managed: managed[index],
                cpus: description.cpus
            )
        }
    }

    /// Pages per zone that the kernel releases only after the marks are computed.
    private func releasedPages(_ zones: [Zone]) -> [UInt64] {
        var released = [UInt64](repeating: 0, count: zones.count)
        if let image = zones.firstIndex(where: { $0.spans(MemoryLayout61.dmaEnd) }) {
            released[image] = MemoryLayout61.releasedImagePages
        }
        let archive = zones.lastIndex { $0.startPFN < MemoryLayout61.dma32End && $0.type != .dma }
        if let archive { released[archive] += MemoryLayout61.releasedArchivePages }
        return released
    }

    private func perCPULists(of zones: [Zone]) -> [PerCPUPages] {
        let nodes = (zones.map(\.node).max() ?? 0) + 1
        return zones.flatMap { zone in
            let batch = ZoneTuning.batch(managed: zone.managed)
            let local = ZoneTuning.localCPUs(
                node: zone.node,
                cpus: description.cpus,
                nodes: nodes
            )
            var lists = PerCPUPages()
            lists.batch = batch
            lists.high = tuning.high(of: zone, batch: batch, cpus: local)
            return [PerCPUPages](repeating: lists, count: description.cpus)
        }
    }

    /// The pool for atomic DMA allocations: 128 KiB for each GiB, one block, from `ZONE_DMA`.
    private func reserveAtomicPool(_ allocator: inout PageAllocator) {
        guard let dma = allocator.zones.indices.first(where: { allocator.zones[$0].type == .dma })
        else { return }
        var pages = 0
        for index in allocator.zones.indices { pages += Int(allocator.zones[index].managed) }
        let wanted = max(pages / 8192, 32)
        var order = 0
        while order < Zone.maxOrder && 1 << order < wanted { order += 1 }
        allocator.shrinkBootMemory(zone: dma, by: UInt32(1 << order))
    }
}

extension MachineBoot {
    /// A machine described by its firmware's table.
    private mutating func allocator(map: [MemoryRegion]) throws(MachineError) -> PageAllocator {
        guard description.nodes == 1 else {
            throw MachineError("/nodes", "a machine with a memory map has one node")
        }
        let options = BootOptions(description.bootOptions)
        for name in ["movablecore", "kernelcore"] where options.value(name) != nil {
            throw MachineError("/boot_options", "\(name) goes with a memory size, not with a map")
        }
        let layout = try MemoryMapLayout(map, reserved: description.reserved)
        var zones = layout.zones.map(\.zone)
        computeMarks(&zones)
        var allocator = PageAllocator(
            zones: zones,
            perCPU: perCPULists(of: zones),
            cpuCount: description.cpus
        )
        for (index, zone) in layout.zones.enumerated() {
            allocator.addBootMemory(zone.free, zone: index)
        }
        return allocator
    }

    /// A machine whose zones a client spelled out.
    private mutating func allocator(
        explicit descriptions: [ZoneDescription]
    ) throws(MachineError) -> PageAllocator {
        var zones = try ExplicitZones.zones(descriptions)
        computeMarks(&zones)
        for (index, description) in descriptions.enumerated() {
            ExplicitZones.apply(description, to: &zones[index])
        }
        var allocator = PageAllocator(
            zones: zones,
            perCPU: perCPULists(of: zones),
            cpuCount: description.cpus
        )
        for (index, description) in descriptions.enumerated() {
            try ExplicitZones.fill(&allocator, zone: index, from: description)
        }
        return allocator
    }
}
