/// The flags of a slab cache: `slab_flags_t`, with the numbers of Linux 6.1.
public struct SlabFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let consistencyChecks = SlabFlags(rawValue: 0x100)
    public static let redZone = SlabFlags(rawValue: 0x400)
    public static let poison = SlabFlags(rawValue: 0x800)
    /// A cache of `kmalloc()`.
    public static let kmalloc = SlabFlags(rawValue: 0x1000)
    public static let hardwareCacheAlign = SlabFlags(rawValue: 0x2000)
    public static let cacheDMA = SlabFlags(rawValue: 0x4000)
    public static let cacheDMA32 = SlabFlags(rawValue: 0x8000)
    public static let storeUser = SlabFlags(rawValue: 0x1_0000)
    public static let reclaimAccount = SlabFlags(rawValue: 0x2_0000)
    public static let panic = SlabFlags(rawValue: 0x4_0000)
    public static let typesafeByRCU = SlabFlags(rawValue: 0x8_0000)
    public static let memorySpread = SlabFlags(rawValue: 0x10_0000)
    public static let trace = SlabFlags(rawValue: 0x20_0000)
    public static let noLeakTrace = SlabFlags(rawValue: 0x80_0000)
    public static let failSlab = SlabFlags(rawValue: 0x200_0000)
    public static let account = SlabFlags(rawValue: 0x400_0000)
    /// Under the address sanitizer: `SLAB_KASAN`.
    public static let sanitized = SlabFlags(rawValue: 0x800_0000)
    public static let noUserFlags = SlabFlags(rawValue: 0x1000_0000)
    /// Set by SLUB itself: free objects are updated by one double-word exchange.
    public static let cmpxchgDouble = SlabFlags(rawValue: 0x4000_0000)
    /// Set by SLUB itself: the whole object is poisoned when free.
    public static let objectPoison = SlabFlags(rawValue: 0x8000_0000)

    /// Any of these makes a cache take the slow path for every object: `SLAB_DEBUG_FLAGS`.
    public static let debug: SlabFlags = [
        .redZone, .poison, .storeUser, .trace, .consistencyChecks,
    ]
    /// What `slub_debug` without letters turns on.
    public static let debugDefault: SlabFlags = [.consistencyChecks, .redZone, .poison, .storeUser]
    /// What makes an object larger: `DEBUG_METADATA_FLAGS`.
    static let debugMetadata: SlabFlags = [.redZone, .poison, .storeUser]
    /// A cache with one of these shares its slabs with no other: `SLAB_NEVER_MERGE`.
    static let neverMerge: SlabFlags = [
        .redZone, .poison, .storeUser, .trace, .typesafeByRCU, .noLeakTrace, .failSlab,
        .noUserFlags, .sanitized,
    ]
    /// Caches that share slabs agree on these: `SLAB_MERGE_SAME`.
    static let mergeSame: SlabFlags = [.reclaimAccount, .cacheDMA, .cacheDMA32, .account]

    /// What a caller may ask for: `SLAB_FLAGS_PERMITTED`; anything else is `-EINVAL`.
    static let permitted: SlabFlags = creation.union(.memorySpread)
    /// What a cache takes of it: `CACHE_CREATE_MASK`.
    static let creation: SlabFlags = [
        .hardwareCacheAlign, .cacheDMA, .cacheDMA32, .panic, .typesafeByRCU, .consistencyChecks,
        .redZone, .poison, .storeUser, .trace, .noLeakTrace, .reclaimAccount, .account,
        .noUserFlags, .kmalloc,
    ]

    /// The names that `kmem_cache_create()` callers use.
    public static let names: [(name: String, flag: SlabFlags)] = [
        ("SLAB_CONSISTENCY_CHECKS", .consistencyChecks), ("SLAB_RED_ZONE", .redZone),
        ("SLAB_POISON", .poison), ("SLAB_HWCACHE_ALIGN", .hardwareCacheAlign),
        ("SLAB_CACHE_DMA", .cacheDMA), ("SLAB_CACHE_DMA32", .cacheDMA32),
        ("SLAB_STORE_USER", .storeUser), ("SLAB_RECLAIM_ACCOUNT", .reclaimAccount),
        ("SLAB_PANIC", .panic), ("SLAB_TYPESAFE_BY_RCU", .typesafeByRCU),
        ("SLAB_MEM_SPREAD", .memorySpread), ("SLAB_TRACE", .trace),
        ("SLAB_NOLEAKTRACE", .noLeakTrace), ("SLAB_FAILSLAB", .failSlab),
        ("SLAB_ACCOUNT", .account), ("SLAB_NO_USER_FLAGS", .noUserFlags),
    ]
}
