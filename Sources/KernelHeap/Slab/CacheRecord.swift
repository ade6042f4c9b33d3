/// What the kernel's list of caches keeps of one cache beside its geometry.
struct CacheRecord: Sendable {
    enum State: Sendable {
        case live
        /// Destroyed, but its pages wait for the end of a grace period.
        case dying
        /// The place may be given to another cache.
        case gone
    }

    var state = State.live
    /// How many creators share it; below zero where it may be neither shared nor destroyed.
    var references: Int
    /// The `struct kmem_cache`; 0 for a cache that the boot made.
    var address: UInt64 = 0
    /// The `struct kmem_cache_node` of each node.
    var nodes: [UInt64] = []
    var constructor: CacheConstructor?
    /// Made by the boot, as its structures are, whenever they come to be looked at.
    var isOfBoot = false
    /// Runs a constructor, or was made before all others and keeps itself.
    var isExclusive: Bool
}

/// What a cache's constructor does to each object of a new slab, as data.
public struct CacheConstructor: Hashable, Sendable {
    /// Most bytes that a constructor stores.
    public static let limit = 4_096

    /// Where it stores, in bytes from the object's start.
    public var offset: UInt64
    public var bytes: [UInt8]

    public init(offset: UInt64 = 0, bytes: [UInt8]) {
        self.offset = offset
        self.bytes = Array(bytes.prefix(Self.limit))
    }
}
