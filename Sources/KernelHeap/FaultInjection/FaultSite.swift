/// A place that may be made to fail, under the name of its attribute in debugfs.
public enum FaultSite: String, CaseIterable, Hashable, Sendable {
    case slab = "failslab"
    case pages = "fail_page_alloc"
    case usercopy = "fail_usercopy"

    var index: Int {
        switch self {
        case .slab: 0
        case .pages: 1
        case .usercopy: 2
        }
    }
}

/// A failure that was forced.
public struct InjectedFault: Hashable, Sendable {
    /// What made the place fail.
    public enum Cause: String, Hashable, Sendable {
        /// The n-th place of a process.
        case failNth = "fail_nth"
        /// The attribute's own knobs.
        case attribute
        /// The n-th place of a sweep.
        case sweep
    }

    public var site: FaultSite
    public var cause: Cause
    /// What was asked for: bytes of an object, pages of a block; 1 for a user copy.
    public var size: UInt64
}

/// One request at a place that may be made to fail.
struct FaultRequest {
    var site: FaultSite
    /// Of an allocation.
    var flags: GFPFlags = []
    /// What `space` is used up by: bytes of an object, pages of a block.
    var size: UInt64 = 1
    /// Of pages.
    var order = 0
    /// The cache has `SLAB_FAILSLAB`.
    var isOfMarkedCache = false
}
