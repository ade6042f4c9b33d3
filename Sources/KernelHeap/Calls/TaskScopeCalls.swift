/// What a task takes along from CPU to CPU: readers, and scopes of its requests for memory.
let taskScopeCalls: [any KernelCall.Type] = [
    RCUReadLock.self, RCUReadUnlock.self, SynchronizeRCU.self, RCUBarrier.self,
    MemallocNofsSave.self, MemallocNofsRestore.self,
    MemallocNoioSave.self, MemallocNoioRestore.self, MemallocNoreclaimSave.self,
    MemallocNoreclaimRestore.self,
]

/// The call `void rcu_read_lock(void)`.
struct RCUReadLock: CPUStateCall {
    static let signature = CallSignature(
        "rcu_read_lock",
        returns: "void",
        [],
        "Begins a reader: no grace period ends before it does, and it must not sleep."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.beginReading(in: context)
    }
}

/// The call `void rcu_read_unlock(void)`.
struct RCUReadUnlock: CPUStateCall {
    static let signature = CallSignature(
        "rcu_read_unlock",
        returns: "void",
        [],
        "Ends one rcu_read_lock()."
    )

    static func change(_ kernel: inout Kernel, in context: CallContext) {
        kernel.endReading(in: context)
    }
}

/// A call that waits for what readers keep back.
private protocol GracePeriodCall: KernelCall {
    init()
}

extension GracePeriodCall {
    init(_ arguments: borrowing CallArguments) { self.init() }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let slabs = kernel.synchroniseReaders(in: context)
        return CallResult(.void, detail: .facts([Fact("slabs_freed", .number(Int64(slabs)))]))
    }
}

/// The call `void synchronize_rcu(void)`.
struct SynchronizeRCU: GracePeriodCall {
    static let signature = CallSignature(
        "synchronize_rcu",
        returns: "void",
        [],
        "Sleeps until a grace period ends: what SLAB_TYPESAFE_BY_RCU caches discarded goes back."
    )
}

/// The call `void rcu_barrier(void)`.
struct RCUBarrier: GracePeriodCall {
    static let signature = CallSignature(
        "rcu_barrier",
        returns: "void",
        [],
        "Waits for what a grace period still has to do; here the same as synchronize_rcu."
    )
}

/// A call that enters a scope of the task.
private protocol ScopeSaveCall: KernelCall {
    static var flag: TaskState.Flags { get }
    init()
}

extension ScopeSaveCall {
    init(_ arguments: borrowing CallArguments) { self.init() }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.unsigned(UInt64(kernel.saveScope(Self.flag, in: context))))
    }
}

/// A call that leaves it.
private protocol ScopeRestoreCall: KernelCall {
    static var flag: TaskState.Flags { get }
    var flags: UInt32 { get }
    init(flags: UInt32)
}

extension ScopeRestoreCall {
    init(_ arguments: borrowing CallArguments) { self.init(flags: arguments.uint(0)) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.restoreScope(Self.flag, flags, in: context)
        return .void
    }
}

private let scopeFlagsParameter = Parameter(
    "flags",
    .uint,
    "What the function that entered the scope returned."
)

/// The call `unsigned int memalloc_nofs_save(void)`.
struct MemallocNofsSave: ScopeSaveCall {
    static let signature = CallSignature(
        "memalloc_nofs_save",
        returns: "unsigned int",
        [],
        "From now on the task's requests are as if they had no __GFP_FS."
    )
    fileprivate static let flag = TaskState.Flags.noFS
}

/// The call `void memalloc_nofs_restore(unsigned int flags)`.
struct MemallocNofsRestore: ScopeRestoreCall {
    static let signature = CallSignature(
        "memalloc_nofs_restore",
        returns: "void",
        [scopeFlagsParameter],
        "Ends a memalloc_nofs_save()."
    )
    fileprivate static let flag = TaskState.Flags.noFS

    var flags: UInt32
}

/// The call `unsigned int memalloc_noio_save(void)`.
struct MemallocNoioSave: ScopeSaveCall {
    static let signature = CallSignature(
        "memalloc_noio_save",
        returns: "unsigned int",
        [],
        "From now on the task's requests are as if they had neither __GFP_IO nor __GFP_FS."
    )
    fileprivate static let flag = TaskState.Flags.noIO
}

/// The call `void memalloc_noio_restore(unsigned int flags)`.
struct MemallocNoioRestore: ScopeRestoreCall {
    static let signature = CallSignature(
        "memalloc_noio_restore",
        returns: "void",
        [scopeFlagsParameter],
        "Ends a memalloc_noio_save()."
    )
    fileprivate static let flag = TaskState.Flags.noIO

    var flags: UInt32
}

/// The call `unsigned int memalloc_noreclaim_save(void)`.
struct MemallocNoreclaimSave: ScopeSaveCall {
    static let signature = CallSignature(
        "memalloc_noreclaim_save",
        returns: "unsigned int",
        [],
        "From now on the task's requests reclaim nothing themselves, and may use the last reserves."
    )
    fileprivate static let flag = TaskState.Flags.memAlloc
}

/// The call `void memalloc_noreclaim_restore(unsigned int flags)`.
struct MemallocNoreclaimRestore: ScopeRestoreCall {
    static let signature = CallSignature(
        "memalloc_noreclaim_restore",
        returns: "void",
        [scopeFlagsParameter],
        "Ends a memalloc_noreclaim_save()."
    )
    fileprivate static let flag = TaskState.Flags.memAlloc

    var flags: UInt32
}
