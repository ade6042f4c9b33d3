/// The ordinal of a slab cache on its machine, in order of creation.
public struct CacheID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }
}
