/// What every size of `kmalloc()` becomes (`kmalloc/buckets*.json`).
public struct KmallocTable: Decodable, Sendable {
    /// Sizes that have one outcome.
    public struct Range: Decodable, Hashable, Sendable {
        public let from: UInt64
        public let to: UInt64
        public let ksize: UInt64
        /// The cache's name, or `none`, or `large` for whole pages.
        public let cache: String
        /// Of the slab or of the pages; -1 where there are none.
        public let pageOrder: Int
        public let observedMinAlign: UInt64
        public let zone: String
        /// `ptr`, `NULL` or `ZERO_SIZE_PTR`.
        public let result: String
    }

    /// One size, up to `SIZE_MAX`.
    public struct Single: Decodable, Hashable, Sendable {
        public let size: UInt64
        public let ksize: UInt64
        public let cache: String
        public let pageOrder: Int
        public let observedMinAlign: UInt64
        public let result: String
    }

    /// The outcomes under one set of flags.
    public struct Variant: Decodable, Sendable {
        /// As C writes it: `GFP_KERNEL|__GFP_ZERO`.
        public let gfp: String
        /// Hexadecimal.
        public let value: String
        /// Every size from 0 to 8200.
        public let ranges: [Range]
        public let large: [Single]
    }

    public let variants: [Variant]
    /// Pairs of size and rounded size.
    public let kmallocSizeRoundup: [[UInt64]]
    public let ksizeNull: UInt64
    public let ksizeZeroSizePtr: UInt64
    /// Whether `krealloc()` from 10 to 14 bytes kept the address.
    public let krealloc10To14Same: Bool
    public let krealloc14To17Same: Bool
    public let ksize17: UInt64
    public let krealloc17To3Same: Bool
    public let ksizeAfterShrink: UInt64
    public let kreallocTo0: String
    public let kreallocNull0: String
    public let kreallocZsp5Ksize: UInt64
    public let kcallocOverflow: String
    public let kcalloc08: String
    public let kreallocArrayOverflow: String
    public let kmemdup0: String

    /// A table with the boot options and processors that matter to it.
    public struct Setup: Hashable, Sendable {
        public let name: String
        public let bootOptions: String
        public let cpus: Int
    }

    /// Every table.
    public static let setups: [Setup] = [
        Setup(name: "buckets", bootOptions: "slub_nomerge init_on_alloc=0", cpus: 1),
        Setup(
            name: "buckets-debug",
            bootOptions: "slub_nomerge init_on_alloc=0 slub_debug=FZPU",
            cpus: 1
        ),
        Setup(name: "buckets-memcg", bootOptions: "slub_nomerge init_on_alloc=0", cpus: 1),
        Setup(name: "buckets-merge", bootOptions: "init_on_alloc=0", cpus: 1),
        Setup(name: "buckets-smp4", bootOptions: "slub_nomerge init_on_alloc=0", cpus: 4),
    ]

    /// Reads a table by name: `buckets-smp4`.
    public static func named(_ name: String) throws -> KmallocTable {
        try Recording.decode(KmallocTable.self, from: "kmalloc/\(name).json")
    }
}
