/// The short maps that one thread holds, oldest first: `struct kmap_ctrl`, and its preemption count.
///
/// A thread is a process on a CPU. Its maps lie in that CPU's fixed maps, from the first one on; when
/// another thread comes to run there, the entries of the former go and those of the latter come, as
/// `__kmap_local_sched_out()` and `_in()` do it.
struct LocalMaps: Hashable, Sendable {
    let cpu: Int
    let pid: Int
    /// The frame of each map; in the order in which they were made.
    var frames: [UInt32] = []
    /// Calls of `kmap_atomic` that were not undone: preemption and page faults are off.
    var atomicDepth = 0
    /// The call that made the first of them.
    var call: UInt64 = 0

    /// More maps than these are a BUG: `KM_MAX_IDX`, of which the last is never reached.
    static let limit = 15
    /// Where the count of `kmap_atomic` stays.
    static let depthLimit = 1 << 20

    init(cpu: Int, pid: Int) {
        self.cpu = cpu
        self.pid = pid
    }

    var isEmpty: Bool { frames.isEmpty && atomicDepth == 0 }
}

/// A short map of the classic kernel: in the slot of its type, on its CPU.
struct TypedMap: Hashable, Sendable {
    var cpu: Int
    var type: KmapType
    var frame: UInt32
}
