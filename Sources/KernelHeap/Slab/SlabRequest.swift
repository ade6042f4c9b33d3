/// What `kmem_cache_create_usercopy()` is asked for.
public struct SlabRequest: Hashable, Sendable {
    public var name: String
    /// Bytes that the caller uses of each object.
    public var size: UInt64
    /// Bytes, 0 where the caller does not care; any number, as the kernel checks nothing.
    public var align: UInt64
    public var flags: SlabFlags
    public var hasConstructor: Bool
    /// The part of the object that user copies may touch, in bytes from its start.
    public var usercopyOffset: UInt64
    public var usercopySize: UInt64

    public init(
        name: String,
        size: UInt64,
        align: UInt64 = 0,
        flags: SlabFlags = [],
        hasConstructor: Bool = false,
        usercopyOffset: UInt64 = 0,
        usercopySize: UInt64 = 0
    ) {
        self.name = name
        self.size = size
        self.align = align
        self.flags = flags
        self.hasConstructor = hasConstructor
        self.usercopyOffset = usercopyOffset
        self.usercopySize = usercopySize
    }
}
