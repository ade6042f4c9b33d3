/// Which cache serves a `kmalloc()`: thirteen sizes in four kinds, at fixed places in the catalog.
enum KmallocCaches {
    /// The two caches that SLUB itself lives in come first.
    static let first = 2
    static let sizes = 13
    /// The first cache behind them.
    static let end = first + 4 * sizes
    /// `KMALLOC_MAX_CACHE_SIZE`: above it whole pages are taken.
    static let largest: UInt64 = 8_192

    /// Places of the sizes up to 192, by eights: `kmalloc_index()`.
    private static let small: InlineArray<25, UInt8> = [
        0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6,
    ]

    /// The cache for a size from 1 to `largest`.
    @inline(__always)
    static func cache(size: UInt64, flags: GFPFlags) -> Int {
        let place: Int
        if size <= 192 {
            place = Int(small[Int(truncatingIfNeeded: (size + 7) >> 3)])
        } else {
            // 256 is the eighth size; each further power of two follows.
            place = UInt64.bitWidth - (size - 1).leadingZeroBitCount - 1
        }
        return first + kind(flags) * sizes + place
    }

    /// The kind: DMA beats reclaimable beats accounted, see the recording `kmalloc/buckets.json`.
    @inline(__always)
    private static func kind(_ flags: GFPFlags) -> Int {
        if flags.isDisjoint(with: [.dma, .reclaimable, .account]) { return 0 }
        if flags.contains(.dma) { return 3 }
        return flags.contains(.reclaimable) ? 2 : 1
    }
}
