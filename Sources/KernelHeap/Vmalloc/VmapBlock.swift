/// A block of addresses from which `vm_map_ram()` takes small runs: `struct vmap_block`, 6.1.
///
/// Runs are powers of two, handed out upwards; what is unmapped is dirty, and comes back when the
/// whole block is.
struct VmapBlock: Hashable, Sendable {
    var start: UInt64
    var cpu: Int
    /// Pages that were never handed out; 0 takes the block out of its CPU's queue.
    var freePages: UInt64
    /// Pages that were unmapped; one that a client unmaps twice counts twice.
    var dirtyPages: UInt64 = 0
}
