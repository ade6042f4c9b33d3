/// What memory management tells about itself while a machine boots.
///
/// Nothing of it is kept in a machine: it follows from the description whenever somebody reads it.
public struct BootView: Sendable {
    /// A zone as the node's page structures are set up.
    public struct Zone: Sendable {
        public var type: ZoneType
        public var node: Int
        /// Page frames, holes included.
        public var frames: Range<UInt64>
        public var present: UInt64
    }

    /// The firmware's table; empty where zones were spelled out.
    public var memoryMap: [MemoryRegion] = []
    /// Memory by node, ascending.
    public var memory: [NodeFrames] = []
    /// The zones that have memory.
    public var zones: [Zone] = []
    public var cpus = 1
    public var nodes = 1
    /// Pages of the lowest zone that are kept before page structures are counted.
    public var dmaReserve: UInt64 = 0
    /// Pages kept, and pages that can be allocated, when the kernel first counts them.
    public var reservedPages: UInt64 = 0
    public var availablePages: UInt64 = 0
    public var slab = SlabOptions(cpus: 1)
    /// Whether the kernel is built for memory that it has no addresses for.
    public var hasHighMemory = false
}

extension Kernel {
    /// The facts of this machine's boot.
    ///
    /// Costs the zones and the memory map, not the memory.
    public func bootView() -> BootView {
        var view = BootView()
        view.cpus = machine.cpus
        view.hasHighMemory = layout.is32Bit
        view.slab = slab.catalog.options
        var zones: [Zone] = []
        // A machine that booted has a layout; the error is the compiler's only.
        let isSized = machine.zones == nil && machine.memoryMap == nil && !layout.is32Bit
        if isSized, let layouts = try? MachineBoot(machine).layout() {
            zones = layouts.map(\.zone)
            view.memoryMap = MemoryMap.pc(memory: machine.memoryBytes)
            let ends = MemoryLayout61.nodeEnds(
                nodes: machine.nodes,
                pages: machine.memoryBytes >> 12
            )
            view.memory = MemoryMap.split(MemoryMap.frames(view.memoryMap), nodeEnds: ends)
            (view.reservedPages, view.availablePages) = MemoryLayout61.firstCount(zones)
        } else {
            for index in pages.zones.indices { zones.append(pages.zones[index]) }
            let sized = machine.memoryMap ?? MemoryMap.pc(memory: machine.memoryBytes)
            if machine.zones == nil {
                let map = sized
                view.memoryMap = map
                let end = pages.zones.indices.map { pages.zones[$0].endPFN }.max() ?? 0
                view.memory = MemoryMap.frames(map).map { $0.clamped(to: 0..<end) }
                    .filter { !$0.isEmpty }.map { NodeFrames(node: 0, frames: $0) }
            } else {
                view.memory = zones.map {
                    NodeFrames(node: $0.node, frames: $0.startPFN..<$0.endPFN)
                }
                view.memory.sort { $0.frames.lowerBound < $1.frames.lowerBound }
            }
            view.availablePages = zones.reduce(0) { $0 + $1.managed }
            view.reservedPages = zones.reduce(0) { $0 + $1.present } - view.availablePages
        }
        view.nodes = (zones.map(\.node).max() ?? 0) + 1
        if let dma = zones.first, dma.type == .dma { view.dmaReserve = dma.present - dma.managed }
        view.zones = zones.map {
            BootView.Zone(
                type: $0.type,
                node: $0.node,
                frames: $0.startPFN..<$0.endPFN,
                present: $0.present
            )
        }
        return view
    }
}
