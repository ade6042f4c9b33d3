/// Who allocated and who freed an object of a cache with `SLAB_STORE_USER`, and what was asked for.
///
/// What `struct track` keeps in the slot's bytes; from here it gets there when somebody looks.
struct ObjectNotes: ColumnElement {
    private var allocatingCall: UInt64 = 0
    private var freeingCall: UInt64 = 0
    private var allocatingPID: Int32 = 0
    private var freeingPID: Int32 = 0
    // One more than the number, so that zero means that nobody is noted.
    private var allocatingCPU: UInt16 = 0
    private var freeingCPU: UInt16 = 0
    private var requestedBytes: UInt16 = 0
    private var unused: UInt16 = 0

    init() {}

    @inline(__always)
    mutating func noteAllocation(requested: UInt64, call: UInt64, _ context: CallContext) {
        allocatingCall = call
        allocatingPID = Int32(truncatingIfNeeded: context.pid)
        allocatingCPU = UInt16(truncatingIfNeeded: context.cpu &+ 1)
        requestedBytes = UInt16(truncatingIfNeeded: requested)
    }

    @inline(__always)
    mutating func noteFree(call: UInt64, _ context: CallContext) {
        freeingCall = call
        freeingPID = Int32(truncatingIfNeeded: context.pid)
        freeingCPU = UInt16(truncatingIfNeeded: context.cpu &+ 1)
    }

    /// What `kmalloc()` was asked for; nil for an object that nobody had yet.
    var requested: UInt32? { allocatingCPU == 0 ? nil : UInt32(requestedBytes) }

    var allocation: ObjectTrack? {
        guard allocatingCPU > 0 else { return nil }
        return ObjectTrack(
            call: allocatingCall,
            cpu: Int(allocatingCPU) - 1,
            pid: Int(allocatingPID)
        )
    }

    var free: ObjectTrack? {
        guard freeingCPU > 0 else { return nil }
        return ObjectTrack(call: freeingCall, cpu: Int(freeingCPU) - 1, pid: Int(freeingPID))
    }
}
