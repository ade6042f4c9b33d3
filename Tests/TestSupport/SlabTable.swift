public import KernelHeap

/// Every cache of a booted kernel, and of caches made for the purpose (`slab/slab-*.json`).
public struct SlabTable: Decodable, Sendable {
    /// What was asked and what `struct kmem_cache` held afterwards.
    public struct Cache: Decodable, Hashable, Sendable {
        /// `builtin`, or what was varied: `size`, `align_flags`, `ctor`.
        public let kind: String
        public let name: String
        public let reqSize: UInt64
        public let reqAlign: UInt64
        /// Names joined by `|`, or `0`; empty for built-in caches.
        public let reqFlags: String
        public let ctor: Bool
        public let reqUseroffset: UInt64
        public let reqUsersize: UInt64
        public let objectSize: Int
        public let slabSize: Int
        public let align: Int
        public let inuse: Int
        public let offset: Int
        public let redLeftPad: Int
        public let order: Int
        public let objsPerSlab: Int
        public let minOrder: Int
        public let minObjs: Int
        public let minPartial: Int
        public let cpuPartial: Int
        public let cpuPartialSlabs: Int
        /// Hexadecimal.
        public let flags: String
        /// How many caches share it.
        public let refcount: Int
        public let useroffset: Int
        public let usersize: Int

        public var isBuiltin: Bool { kind == "builtin" }
        public var flagBits: SlabFlags {
            SlabFlags(rawValue: UInt32(flags.dropFirst(2), radix: 16) ?? 0)
        }
    }

    public let nrCpuIds: Int
    /// In the order of the kernel's list, newest first; caches made for the purpose follow in the
    /// order in which they were made.
    public let caches: [Cache]

    /// A recording with the boot options that matter to it.
    public struct Variant: Hashable, Sendable {
        /// `slab-smp1`.
        public let name: String
        public let bootOptions: String
    }

    /// Every recording.
    public static let variants: [Variant] =
        [1, 2, 4, 16].map { Variant(name: "slab-smp\($0)", bootOptions: "slub_nomerge") }
        + [("", "FZPU"), ("-F", "F"), ("-P", "P"), ("-U", "U")].map {
            Variant(name: "slab-debug\($0)", bootOptions: "slub_nomerge slub_debug=\($1)")
        }
        + [
            "slub_max_order=0", "slub_max_order=5", "slub_min_objects=1", "slub_min_objects=4",
            "slub_min_objects=64", "slub_min_order=1", "slub_min_order=3",
        ].map { Variant(name: "slab-\($0)", bootOptions: "slub_nomerge \($0)") }
        + [
            Variant(name: "slab-init1", bootOptions: "slub_nomerge init_on_alloc=1"),
            Variant(name: "slab-memcg", bootOptions: "slub_nomerge"),
            Variant(name: "slab-merge", bootOptions: ""),
            Variant(name: "slab-merge-memcg", bootOptions: ""),
        ]

    /// Reads a recording by name.
    public static func named(_ name: String) throws -> SlabTable {
        try Recording.decode(SlabTable.self, from: "slab/\(name).json")
    }
}
