/// The caches that a booted Linux has.
///
/// The caches of `kmalloc()` follow a rule; the others are tables of what was recorded, the same
/// for every number of processors and every boot option (`slab/slab-*.json`, `i386/`).
public enum BuiltinCaches {
    /// Which kernel's caches.
    public enum Table: Hashable, Sendable {
        case x8664
        case i386(I386)
        case classic(Classic)

        /// Every cache in order of creation, which is the order that merging asks them in.
        ///
        /// The kernel's own list, and so `/proc/slabinfo`, has the newest first.
        public var inOrderOfCreation: [SlabRequest] {
            switch self {
            case .x8664: BuiltinCaches.x8664
            case .i386(let kernel): BuiltinCaches.caches(of: kernel)
            case .classic(let kernel): BuiltinCaches.caches(of: kernel)
            }
        }
    }

    /// What differs between 32-bit machines.
    public struct I386: Hashable, Sendable {
        /// Pages that the direct map does not reach, and so a pool to copy them for devices.
        public var hasHighMemory: Bool
        /// Three levels of page tables with entries of eight bytes.
        public var hasPAE: Bool
        /// Processes share the kernel's page tables: the processor needs no isolation of them.
        public var sharesKernelTables: Bool

        public init(
            hasHighMemory: Bool = true,
            hasPAE: Bool = false,
            sharesKernelTables: Bool = false
        ) {
            self.hasHighMemory = hasHighMemory
            self.hasPAE = hasPAE
            self.sharesKernelTables = sharesKernelTables
        }
    }

    private static let x8664 = first + allKmallocCaches + early + late
    static let allKmallocCaches = KmallocKind.allCases.flatMap(kmallocCaches)

    /// The kinds of `kmalloc()` caches, in order of creation.
    public enum KmallocKind: Int, CaseIterable, Hashable, Sendable {
        case normal, accounted, reclaimable, dma

        /// What stands before the size in a cache's name.
        public var prefix: String {
            switch self {
            case .normal: "kmalloc-"
            case .accounted: "kmalloc-cg-"
            case .reclaimable: "kmalloc-rcl-"
            case .dma: "dma-kmalloc-"
            }
        }

        /// The flags of the kind's caches.
        public var flags: SlabFlags {
            switch self {
            case .normal: .kmalloc
            case .accounted: [.kmalloc, .account]
            case .reclaimable: [.kmalloc, .reclaimAccount]
            case .dma: [.kmalloc, .cacheDMA]
            }
        }
    }

    /// The sizes of `kmalloc()` caches in bytes, in order of creation.
    public static let kmallocSizes: [UInt64] = [
        8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
    ]

    /// The place in `kmallocSizes` of the cache that serves a size: `kmalloc_index()`.
    ///
    /// - Parameter size: bytes asked for.
    /// - Returns: `nil` for 0, which has no memory, and above 8192, which takes whole pages.
    public static func kmallocIndex(_ size: UInt64) -> Int? {
        guard size > 0 else { return nil }
        return kmallocSizes.firstIndex { size <= $0 }
    }

    /// The caches of one kind, smallest first.
    ///
    /// Powers of two are aligned to themselves, 96 and 192 to a word. User copies may touch all
    /// of an object.
    ///
    /// - Parameter kind: which allocations they serve.
    /// - Returns: one request per size.
    public static func kmallocCaches(_ kind: KmallocKind) -> [SlabRequest] {
        kmallocSizes.map { size in
            SlabRequest(
                name: kind.prefix + (size < 1024 ? "\(size)" : "\(size / 1024)k"),
                size: size,
                align: size.nonzeroBitCount == 1 ? size : 8,
                flags: kind.flags,
                usercopySize: size
            )
        }
    }

    /// Whether a cache keeps its slabs for itself whatever comes later.
    ///
    /// The first caches and the plain ones of `kmalloc()` are exempt from merging, as are caches
    /// with constructors; the remaining `kmalloc()` caches are by their usercopy region.
    ///
    /// - Parameter request: the cache.
    /// - Returns: the `isExclusive` of `SlabGeometry.canShare`.
    public static func isExclusive(_ request: SlabRequest) -> Bool {
        request.hasConstructor || first.contains { $0.name == request.name }
    }
}
