/// Which cache serves a `kmalloc()`: the sizes of each kind stand at fixed places in the catalog.
struct KmallocCaches: Hashable, Sendable, BitwiseCopyable {
    /// The two caches that SLUB itself lives in come first.
    static let first = 2

    /// Sizes of one kind.
    let sizes: Int
    /// The largest request that a cache serves: `KMALLOC_MAX_CACHE_SIZE`.
    let largest: UInt64
    /// Whether larger requests get whole pages; otherwise they get NULL.
    let usesPages: Bool
    /// What is taken off the logarithm of a size to get its place.
    private let shift: Int
    /// Logarithm of the smallest size, where all sizes are powers of two; 0 with 96 and 192.
    private let least: Int
    /// Places of the first caches of the kinds: accounted, reclaimable, DMA.
    private let accounted: Int
    private let reclaimable: Int
    private let dma: Int

    /// Thirteen sizes in four kinds.
    static let linux61 = KmallocCaches(
        sizes: 13,
        largest: 8_192,
        usesPages: true,
        shift: 1,
        least: 0,
        accounted: first + 13,
        reclaimable: first + 26,
        dma: first + 39
    )

    /// Powers of two up to 128 KiB in two kinds, and nothing beyond.
    ///
    /// - Parameters:
    ///   - smallest: 32 bytes, or 64 where the processor's cache lines are longer.
    ///   - largest: the largest request in bytes, up to 128 KiB.
    /// - Returns: places as `BuiltinCaches.Classic` creates the caches.
    static func classic(smallest: UInt64, largest: UInt64) -> KmallocCaches {
        let least = min(smallest, 128).trailingZeroBitCount
        let sizes = 18 - least
        return KmallocCaches(
            sizes: sizes,
            largest: min(largest, 1 << 17),
            usesPages: false,
            shift: least,
            least: least,
            accounted: first,
            reclaimable: first,
            dma: first + sizes
        )
    }

    /// The first cache behind them.
    var end: Int { dma + sizes }

    /// Places of the sizes up to 192, by eights: `kmalloc_index()`.
    private static let small: InlineArray<25, UInt8> = [
        0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6,
    ]

    /// The cache for a size from 1 to `largest`.
    @inline(__always)
    func cache(size: UInt64, flags: GFPFlags) -> Int {
        let place: Int
        if size <= 192 && least == 0 {
            place = Int(Self.small[Int(truncatingIfNeeded: (size + 7) >> 3)])
        } else {
            // 256 is the eighth size of 6.1; each further power of two follows.
            let logarithm = UInt64.bitWidth &- (size &- 1).leadingZeroBitCount
            place = max(logarithm, least) &- shift
        }
        return kind(flags) &+ place
    }

    /// The first cache of the kind: DMA beats reclaimable beats accounted, see the recording
    /// `kmalloc/buckets.json`.
    @inline(__always)
    private func kind(_ flags: GFPFlags) -> Int {
        if flags.isDisjoint(with: [.dma, .reclaimable, .account]) { return Self.first }
        if flags.contains(.dma) { return dma }
        return flags.contains(.reclaimable) ? reclaimable : accounted
    }
}
