/// A slab cache as `/proc/slabinfo` and the API show it.
public struct CacheView: Hashable, Sendable {
    public var name: String
    /// Objects handed out; with several CPUs also those in their partial slabs.
    public var activeObjects: UInt64
    /// Objects that all slabs hold.
    public var objects: UInt64
    /// Bytes between objects.
    public var objectSize: UInt64
    public var objectsPerSlab: Int
    public var pagesPerSlab: Int
    /// SLUB calls every slab active.
    public var activeSlabs: UInt64
    public var slabs: UInt64
    /// Made with `SLAB_RECLAIM_ACCOUNT`; no `/proc` file shows it.
    public var isReclaimable: Bool

    public init(
        name: String,
        activeObjects: UInt64,
        objects: UInt64,
        objectSize: UInt64,
        objectsPerSlab: Int,
        pagesPerSlab: Int,
        activeSlabs: UInt64,
        slabs: UInt64,
        isReclaimable: Bool = false
    ) {
        self.name = name
        self.activeObjects = activeObjects
        self.objects = objects
        self.objectSize = objectSize
        self.objectsPerSlab = objectsPerSlab
        self.pagesPerSlab = pagesPerSlab
        self.activeSlabs = activeSlabs
        self.slabs = slabs
        self.isReclaimable = isReclaimable
    }
}
