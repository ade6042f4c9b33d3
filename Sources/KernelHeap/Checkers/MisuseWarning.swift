/// Something that no sound driver does, and that a kernel without debugging lets pass.
///
/// Nothing is mended: the machine does what a real one does. The warning only says so.
public enum MisuseWarning: Hashable, Sendable {
    /// An object was freed that is free already.
    case doubleFree(SlabPlace)
    /// An address was freed at which no object begins.
    case invalidFree(SlabPlace)
    /// An address was freed that no slab holds, or one of pages that `kmalloc` does not give so.
    case wrongMemory(PagePlace)
    /// Pages were given back that were not what the caller took them for.
    case wrongPageFree(PagePlace, WrongPageFree)
    /// An object was freed to a cache that is not its own.
    case wrongCache(SlabPlace, given: String)
    /// An allocation gave an address at which no object of the cache begins.
    case strayAllocation(address: LinearAddress, cache: String, SlabPlace?)
    /// An allocation gave an object that a caller holds already; the place names that owner.
    case sharedObject(SlabPlace)
    /// A load or store touched a free object.
    case useAfterFree(SlabPlace, MemoryAccess)
    /// A load or store touched pages that nobody holds.
    case freePages(PagePlace, MemoryAccess)
    /// A load or store left the object that it began in, or began in none.
    case outOfBounds(SlabPlace, MemoryAccess, Overrun)
    /// Arithmetic of the direct map was done on an address of another region.
    case notDirectMapped(WrongAddress)
    /// A frame number, physical address or page was converted that has no such counterpart.
    case wrongConversion(WrongConversion)
    /// The kernel fetched user bytes a second time, and they had changed.
    case doubleFetch(DoubleFetch)
    /// Bytes were loaded that a copy did not bring, and nobody had looked at its result.
    case uncheckedCopy(address: LinearAddress, length: UInt64, call: UInt64)
    /// Bytes went to user space that nobody had written since the object was allocated.
    case informationLeak(InformationLeak)
    /// Something was decided by bytes that nobody had written since the object was allocated.
    case uninitializedValue(InformationLeak)
    /// A function was used where it must not be, or ended what was not begun.
    case wrongContext(WrongContext)
    /// Memory that a device manages was freed past it, or by another device.
    case managedMemory(ManagedMemory)
    /// Memory for a device's transfers was used otherwise than it was mapped.
    case dmaMisuse(DMAMisuse)
    /// The address sanitizer found it.
    case kasan(KasanReport)
}

/// An address that the direct map's arithmetic was done on although it does not lie there.
public struct WrongAddress: Hashable, Sendable {
    public var address: LinearAddress
    public var function: String
    /// The region that it does lie in; nil for what is no address of the machine.
    public var region: String?
    /// The frame that really is behind it; nil where none is.
    public var frame: PFN?
}

/// A conversion whose result names nothing.
public struct WrongConversion: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        /// The page is of high memory, which the direct map does not hold.
        case highMemory = "high_memory"
        /// The machine has no such frame.
        case noMemory = "no_memory"
        /// The number is no page descriptor's address.
        case noDescriptor = "no_descriptor"
    }

    public var function: String
    /// What was converted: an address or a frame number, as the function takes it.
    public var value: UInt64
    public var reason: Reason
}

/// What is wrong with a free of pages that the page allocator lets pass.
public enum WrongPageFree: Hashable, Sendable {
    /// They are free.
    case isFree
    /// They lie inside a block: a block goes back by its first page.
    case isInside
    /// The block has another order.
    case order(given: Int)
}

/// A load or a store of kernel memory.
public struct MemoryAccess: Hashable, Sendable {
    public var length: UInt64
    public var isWrite: Bool
}

/// How far an access went beyond its object.
public struct Overrun: Hashable, Sendable {
    /// The first byte beyond.
    public var address: LinearAddress
    /// Bytes beyond.
    public var length: UInt64
    /// Further objects of the slab that were touched, at least in part.
    public var objects: Int
    /// Whether the access left the slab.
    public var leavesSlab: Bool
    /// The first object that was hit; nil where only padding was, or what lies behind is no slab.
    public var hit: SlabPlace?
}

/// The warnings of one call: the first ones, and how many more there were.
struct MisuseLog {
    static let limit = 16

    private(set) var warnings: [MisuseWarning] = []
    private(set) var omitted = 0

    var isEmpty: Bool { warnings.isEmpty }

    var hasRoom: Bool { warnings.count < Self.limit }

    mutating func add(_ warning: MisuseWarning) {
        if hasRoom { warnings.append(warning) } else { omit() }
    }

    /// Counts a warning that nobody need make.
    mutating func omit() { omitted &+= 1 }
}
