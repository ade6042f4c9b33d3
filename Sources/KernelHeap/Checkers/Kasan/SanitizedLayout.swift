/// How much larger KASAN makes an object's slot: `kasan_cache_create()`, `mm/kasan/generic.c`, 6.1.
///
///     | object | what SLUB keeps behind it | allocated by | freed by | rest of the redzone |
///
/// The tracks are kept beside the simulated memory; the room for them is there.
enum SanitizedLayout {
    /// Bytes of `struct kasan_alloc_meta` and of `struct kasan_free_meta`.
    static let trackBytes: UInt64 = 16
    /// `KMALLOC_MAX_SIZE`: what does not fit it is left out.
    static let largest: UInt64 = 4 << 20

    /// The bytes of a slot before it is aligned.
    ///
    /// - Parameters:
    ///   - request: what the cache's creator asks for; at most 4 GiB.
    ///   - size: bytes of the object and of what SLUB keeps behind it.
    ///   - isTouchedFree: whether somebody needs the bytes of free objects, so that the free's
    ///     track cannot lie in them.
    /// - Returns: at most 4 MiB, unless the object alone is larger.
    static func size(of request: SlabRequest, after size: UInt64, isTouchedFree: Bool) -> UInt64 {
        var size = size
        if size + trackBytes <= largest { size += trackBytes }
        if isTouchedFree || request.size < trackBytes, size + trackBytes <= largest {
            size += trackBytes
        }
        return max(size, min(request.size + redzone(of: request.size), largest))
    }

    /// The bytes that should lie between an object and the next: `optimal_redzone()`.
    static func redzone(of size: UInt64) -> UInt64 {
        let steps: [(limit: UInt64, redzone: UInt64)] = [
            (48, 16), (96, 32), (448, 64), (3_968, 128), (16_128, 256), (32_256, 512),
            (64_512, 1_024),
        ]
        return steps.first { size <= $0.limit }?.redzone ?? 2_048
    }
}
