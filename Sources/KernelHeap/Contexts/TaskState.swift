/// What a task takes along when it changes its CPU: scopes of `current->flags`, and depths.
struct TaskState: Hashable, Sendable {
    /// The flags of `current->flags` that say how memory may be asked for: `include/linux/sched.h`.
    struct Flags: OptionSet, Hashable, Sendable {
        let rawValue: UInt32

        /// `PF_MEMALLOC`: the task frees memory, and may use the last of it.
        static let memAlloc = Flags(rawValue: 0x800)
        /// `PF_MEMALLOC_NOFS`: as if no request had `__GFP_FS`.
        static let noFS = Flags(rawValue: 0x4_0000)
        /// `PF_MEMALLOC_NOIO`: as if no request had `__GFP_IO` and `__GFP_FS`.
        static let noIO = Flags(rawValue: 0x8_0000)
        static let known: Flags = [.memAlloc, .noFS, .noIO]
    }

    /// A scope that was entered and not left.
    struct Scope: Hashable, Sendable {
        var flag: Flags
        /// What `…_save()` returned.
        var saved: Flags
    }

    /// Scopes that are remembered; more of them work, but nobody checks their order.
    static let scopeLimit = 64
    /// Where depths stay.
    static let depthLimit = 1 << 20

    var flags: Flags = []
    var scopes: [Scope] = []
    /// `rcu_preempt_depth()`.
    var readDepth = 0
    /// `current->pagefault_disabled`.
    var pagefaultDisabled = 0
    /// The call that found the task as others are, and left something behind.
    var call: UInt64 = 0

    /// As other tasks are.
    var isPlain: Bool { readDepth == 0 && pagefaultDisabled == 0 && flags.isEmpty }

    /// A call of the task has more to look at than others.
    var isSpecial: Bool { readDepth > 0 || !flags.isEmpty }
}
