/// Everything that `/sys/kernel/slab/<cache>/` shows.
public struct CacheDetailView: Hashable, Sendable {
    /// The slabs that lie on one node.
    public struct Node: Hashable, Sendable {
        public var id: Int
        public var slabs: UInt64 = 0
        /// Objects that the slabs hold.
        public var objects: UInt64 = 0
        /// Slabs on the node's list of partial slabs.
        public var partialSlabs: UInt64 = 0
        /// Objects handed out of those.
        public var partialObjectsInUse: UInt64 = 0
        /// Free objects of those.
        public var partialObjectsFree: UInt64 = 0
        /// Slabs that belong to a CPU: its active one and its chain.
        public var cpuSlabs: UInt64 = 0

        public init(id: Int) { self.id = id }
    }

    public var name: String
    public var geometry: SlabGeometry
    /// The constructor as the kernel names it, `init_once+0x0/0x10`; empty where there is none.
    public var constructor = ""
    /// Further caches that share the slabs.
    public var aliasCount = 0
    public var nodes: [Node] = []
    /// Slabs in each CPU's chain, from CPU 0.
    public var cpuPartialSlabs: [UInt64] = []

    public init(name: String, geometry: SlabGeometry) {
        self.name = name
        self.geometry = geometry
    }
}
