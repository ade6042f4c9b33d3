/// Builds the page allocator of a machine from its description, as the kernel's boot does.
struct MachineBoot {
    /// Frame numbers from here on have another meaning on a list.
    static let frameLimit: UInt64 = 0xffff_0000
    static let maximumZones = Zonelist.capacity

    private let description: MachineDescription
    /// The layout of a 32-bit machine's memory; nil on x86_64.
    private let i386: MemoryLayoutI386?
    private(set) var tuning = ZoneTuning()

    /// The kernel's gigabyte of a 32-bit machine.
    var space: I386AddressSpace? { i386?.space }

    init(_ description: MachineDescription) {
        self.description = description
        let platform = MachineProfile.named(description.profile)?.platform ?? .x8664
        guard platform != .x8664 else {
            i386 = nil
            return
        }
        var space = I386AddressSpace(hasPAE: description.pae, isClassic: platform == .classicI386)
        let options = BootOptions(description.bootOptions)
        // What the kernel's own windows leave is the most that `vmalloc=` can have. 6.1 adds the gap
        // below the area, so that the area has the size asked for.
        if let bytes = options.value("vmalloc").flatMap({ BootOptions.bytes($0) }) {
            let gap = space.isClassic ? 0 : I386AddressSpace.vmallocOffset
            let wanted = min(bytes & ~0xfff, 896 << 20) + gap
            space.vmallocReserve = min(max(wanted, 32 << 20), 896 << 20)
        }
        i386 = MemoryLayoutI386(space: space)
    }

    /// The page allocator after boot.
    ///
    /// - Throws: `MachineError` with the pointer of the field that no machine can have.
    mutating func pageAllocator() throws(MachineError) -> PageAllocator {
        guard description.reserved == nil || description.memoryMap != nil else {
            throw MachineError("/reserved", "reserved ranges go with a memory_map")
        }
        guard i386 != nil || !description.pae else {
            throw MachineError("/pae", "only 32-bit machines can do without PAE or with it")
        }
        if i386 != nil, description.nodes != 1 {
            throw MachineError("/nodes", "a 32-bit machine has one node")
        }
        if i386 != nil, description.cpus > I386AddressSpace.cpuLimit {
            throw MachineError(
                "/cpus",
                "a 32-bit machine has 1 to \(I386AddressSpace.cpuLimit) CPUs"
            )
        }
        if let zones = description.zones { return try allocator(explicit: zones) }
        if let map = description.memoryMap { return try allocator(map: map) }
        if i386 != nil {
            return try allocator(map: MemoryMap.pc(memory: try checkedMemory()))
        }
        return try allocatorFromMemory()
    }

    /// The memory size, where a machine can have it.
    private func checkedMemory() throws(MachineError) -> UInt64 {
        let memory = description.memoryBytes
        let limit = i386 == nil ? (Self.frameLimit - (1 << 20)) << 12 : 1 << 36
        guard memory >= 96 << 20, memory < limit else {
            let most = i386 == nil ? "15T" : "64G"
            throw MachineError(
                "/memory",
                "memory must be between 96M and \(most), not \(memory) bytes"
            )
        }
        return memory
    }

    private mutating func allocatorFromMemory() throws(MachineError) -> PageAllocator {
        let layouts = try layout()
        var zones = layouts.map(\.zone)
        computeMarks(&zones)
        let map = MemoryMap.pc(memory: description.memoryBytes)
        var allocator = bareAllocator(zones, memory: MemoryMap.frames(map))
        for (index, layout) in layouts.enumerated() {
            allocator.addBootMemory(layout.free, zone: index)
        }
        reserveAtomicPool(&allocator)
        return allocator
    }

    /// The zones that follow from the memory size.
    func layout() throws(MachineError) -> [MemoryLayout61.ZoneLayout] {
        let memory = try checkedMemory()
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
        let passes = total >= 512 << 8 && !raisesForHugePages(total: total) ? 2 : 1
        for _ in 0..<passes {
            tuning.minFreeKilobytes = ZoneTuning.minFreeKilobytes(zones)
            tuning.setWatermarks(&zones)
        }
        raiseForHugePages(&zones, total: total)
        tuning.setLowmemReserves(&zones)
        for index in zones.indices {
            zones[index].managed = managed[index]
            zones[index].statThreshold = ZoneTuning.statThreshold(
                managed: managed[index],
                cpus: description.cpus
            )
        }
    }

    /// Whether the kernel wants more free memory for the sake of huge pages, which the recorded
    /// 32-bit kernels have on by default.
    private func raisesForHugePages(total: UInt64) -> Bool {
        guard let i386, !i386.space.isClassic, total >= 512 << 8 else { return false }
        return BootOptions(description.bootOptions).value("transparent_hugepage") != "never"
    }

    /// `set_recommended_min_free_kbytes()`: room for a pageblock of each class beside each other, up
    /// to a twentieth of low memory.
    private mutating func raiseForHugePages(_ zones: inout [Zone], total: UInt64) {
        guard let i386, raisesForHugePages(total: total) else { return }
        let low = zones.filter { $0.type <= .normal }
        let free = low.reduce(0) { $0 + max(Int($1.managed) - $1.watermarks.high, 0) }
        let pageblock = i386.space.hasPAE ? 512 : 1_024
        let wanted = min(pageblock * low.count * (2 + 3 * 3), free / 20) * 4
        guard wanted > tuning.minFreeKilobytes else { return }
        tuning.minFreeKilobytes = wanted
        tuning.setWatermarks(&zones)
    }

    /// Pages per zone that the kernel releases only after the marks are computed.
    private func releasedPages(_ zones: [Zone]) -> [UInt64] {
        var released = [UInt64](repeating: 0, count: zones.count)
        if let i386 {
            if let low = zones.firstIndex(where: { $0.type == .normal }) {
                released[low] = i386.releasedPages
            }
            return released
        }
        if let image = zones.firstIndex(where: { $0.spans(MemoryLayout61.dmaEnd) }) {
            released[image] = MemoryLayout61.releasedImagePages
        }
        let archive = zones.lastIndex { $0.startPFN < MemoryLayout61.dma32End && $0.type != .dma }
        if let archive { released[archive] += MemoryLayout61.releasedArchivePages }
        return released
    }

    /// The zones without anything on their lists.
    ///
    /// - Parameters:
    ///   - zones: of the machine.
    ///   - memory: its usable frames; nil for all that the zones span.
    /// - Returns: an allocator without free memory.
    private func bareAllocator(_ zones: [Zone], memory: [Range<UInt64>]?) -> PageAllocator {
        let lists = perCPULists(of: zones)
        guard let i386 else {
            return PageAllocator(
                zones: zones,
                perCPU: lists,
                cpuCount: description.cpus,
                memory: memory
            )
        }
        return PageAllocator(
            zones: zones,
            perCPU: lists,
            cpuCount: description.cpus,
            memory: memory,
            layout: i386.addressLayout(
                lowEndPFN: i386.lowEnd(zones),
                endPFN: zones.map(\.endPFN).max() ?? 0
            ),
            gfpZones: .i386
        )
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
        let layout = try MemoryMapLayout(map, reserved: description.reserved, i386: i386)
        var zones = layout.zones.map(\.zone)
        computeMarks(&zones)
        let frames = i386?.frames(map) ?? MemoryMap.frames(map)
        var allocator = bareAllocator(zones, memory: frames)
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
            ExplicitZones.apply(description, to: &zones[index], has32Bits: i386 != nil)
        }
        if let i386 { try i386.checkLowZones(zones) }
        var allocator = bareAllocator(zones, memory: nil)
        for (index, description) in descriptions.enumerated() {
            try ExplicitZones.fill(&allocator, zone: index, from: description)
        }
        return allocator
    }
}
