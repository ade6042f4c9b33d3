/// How an allocation may behave: `gfp_t`.
///
/// Raw values are the engine's own. The numbers and names that a client sees differ between kernel
/// versions; the machine's `GFPTable` converts both ways.
public struct GFPFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let dma = GFPFlags(rawValue: 1 << 0)
    public static let highMem = GFPFlags(rawValue: 1 << 1)
    public static let dma32 = GFPFlags(rawValue: 1 << 2)
    public static let movable = GFPFlags(rawValue: 1 << 3)
    public static let reclaimable = GFPFlags(rawValue: 1 << 4)
    public static let high = GFPFlags(rawValue: 1 << 5)
    public static let io = GFPFlags(rawValue: 1 << 6)
    public static let fs = GFPFlags(rawValue: 1 << 7)
    public static let zero = GFPFlags(rawValue: 1 << 8)
    public static let atomicReserve = GFPFlags(rawValue: 1 << 9)
    public static let directReclaim = GFPFlags(rawValue: 1 << 10)
    public static let kswapdReclaim = GFPFlags(rawValue: 1 << 11)
    public static let write = GFPFlags(rawValue: 1 << 12)
    public static let noWarn = GFPFlags(rawValue: 1 << 13)
    public static let retryMayFail = GFPFlags(rawValue: 1 << 14)
    public static let noFail = GFPFlags(rawValue: 1 << 15)
    public static let noRetry = GFPFlags(rawValue: 1 << 16)
    public static let memAlloc = GFPFlags(rawValue: 1 << 17)
    public static let compound = GFPFlags(rawValue: 1 << 18)
    public static let noMemAlloc = GFPFlags(rawValue: 1 << 19)
    public static let hardWall = GFPFlags(rawValue: 1 << 20)
    public static let thisNode = GFPFlags(rawValue: 1 << 21)
    public static let account = GFPFlags(rawValue: 1 << 22)
    public static let zeroTags = GFPFlags(rawValue: 1 << 23)

    /// A page that no processor has in its cache; machines of 6.1 have no such flag.
    public static let cold = GFPFlags(rawValue: 1 << 31)

    public static let reclaim: GFPFlags = [.directReclaim, .kswapdReclaim]
    /// `GFP_KERNEL`: for a process that may sleep.
    public static let kernel: GFPFlags = [.reclaim, .io, .fs]
    /// `GFP_ATOMIC`: for callers that may not sleep; may use reserves.
    public static let atomic: GFPFlags = [.high, .atomicReserve, .kswapdReclaim]
    /// The call `GFP_NOWAIT`.
    public static let noWait: GFPFlags = [.kswapdReclaim]
    /// `GFP_HIGHUSER_MOVABLE`: anonymous memory and page cache.
    public static let highUserMovable: GFPFlags = [.kernel, .hardWall, .highMem, .movable]
    /// `GFP_HIGHUSER`: memory of a process that need not have an address in the kernel.
    public static let highUser: GFPFlags = [.kernel, .hardWall, .highMem]
    /// The bits that choose a zone.
    public static let zoneMask: GFPFlags = [.dma, .highMem, .dma32, .movable]
}
