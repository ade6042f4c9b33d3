/// Which cache serves a `kmalloc()`: the sizes of each kind stand at fixed places in the catalog.
struct KmallocCaches: Sendable, BitwiseCopyable {
    /// The two caches that SLUB itself lives in come first.
    static let first = 2

    /// Sizes of one kind.
    let sizes: Int
    /// The largest request that a cache serves: `KMALLOC_MAX_CACHE_SIZE`.
    let largest: UInt64
    /// Whether larger requests get whole pages; otherwise they get NULL.
    let usesPages: Bool
    /// What is taken off the logarithm of a size above 192 to get its place.
    private let shift: Int
    /// Places of the sizes up to 192, by eights: `kmalloc_index()`.
    private let small: InlineArray<25, UInt8>
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
        small: [
            0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6,
        ],
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
        var small = InlineArray<25, UInt8>(repeating: 0)
        for eights in 1..<25 {
            let logarithm = 3 + Int.bitWidth - (eights - 1).leadingZeroBitCount
            small[eights] = UInt8(max(logarithm, least) - least)
        }
        return KmallocCaches(
            sizes: sizes,
            largest: min(largest, 1 << 17),
            usesPages: false,
            shift: least,
            small: small,
            accounted: first,
            reclaimable: first,
            dma: first + sizes
        )
    }

    /// The first cache behind them.
    var end: Int { dma + sizes }

    /// The cache for a size from 1 to `largest`.
    @inline(__always)
    func cache(size: UInt64, flags: GFPFlags) -> Int {
        let place: Int
        if size <= 192 {
            place = Int(small[Int(truncatingIfNeeded: (size + 7) >> 3)])
        } else {
            // 256 is the eighth size of 6.1; each further power of two follows.
            let logarithm = UInt64.bitWidth &- (size &- 1).leadingZeroBitCount
            place = logarithm &- shift
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
