/// The caches of the classic kernel: `kmalloc()`'s powers of two, and the best known others.
extension BuiltinCaches {
    /// What differs between classic machines.
    public struct Classic: Hashable, Sendable {
        /// The smallest `kmalloc()` object: 32 bytes, or 64 where cache lines are longer.
        public var smallest: UInt64
        /// The largest request in bytes: the last cache's size less a block descriptor.
        public var largest: UInt64

        /// 128 KiB, of which a descriptor takes 16 bytes.
        public static let defaultLimit: UInt64 = (128 << 10) - 16

        public init(smallest: UInt64 = 32, largest: UInt64 = Classic.defaultLimit) {
            self.smallest = smallest
            self.largest = largest
        }
    }

    /// The other caches; their sizes are those of the 6.1 kernel.
    private static let wellKnown: Set<String> = [
        "mm_struct", "task_struct", "sighand_cache", "signal_cache", "files_cache", "fs_cache",
        "vm_area_struct", "anon_vma", "pid", "names_cache", "dentry", "inode_cache", "filp",
        "buffer_head", "proc_inode_cache", "radix_tree_node", "skbuff_head_cache",
        "sock_inode_cache",
    ]

    /// The caches of one classic kernel in order of creation.
    static func caches(of kernel: Classic) -> [SlabRequest] {
        let sizes = (kernel.smallest.trailingZeroBitCount...17).map { UInt64(1) << UInt64($0) }
        let plain = sizes.map { kmallocCache("size-\($0)", $0, .kmalloc) }
        let dma = sizes.map { kmallocCache("size-\($0)(DMA)", $0, [.kmalloc, .cacheDMA]) }
        return firstI386 + plain + dma + earlyI386.filter { wellKnown.contains($0.name) }
    }

    private static func kmallocCache(
        _ name: String,
        _ size: UInt64,
        _ flags: SlabFlags
    ) -> SlabRequest {
        SlabRequest(name: name, size: size, align: size, flags: flags, usercopySize: size)
    }
}
