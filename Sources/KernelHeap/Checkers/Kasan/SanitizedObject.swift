/// What the address sanitizer keeps of one slab object: who allocated it, who freed it, how much
/// of it may be touched.
///
/// Stands for the object's shadow and for the tracks that the kernel puts into its redzone
/// (`struct kasan_alloc_meta`, `struct kasan_free_meta`). Zero bytes are an object of a new slab.
struct SanitizedObject: ColumnElement {
    enum State: UInt8 {
        /// Nobody had it since its slab was made: all redzone.
        case unused
        case allocated
        /// Freed, and kept from its freelist for a while.
        case quarantined
        /// Back on its freelist.
        case free
    }

    /// What is known of the bytes of an allocated object.
    enum Writes: UInt8 {
        /// Nobody has written any.
        case none
        /// The machine's `WrittenBytes` know which.
        case some
        /// Every byte was written, or nobody follows which.
        case all
    }

    private var allocatingCall: UInt64 = 0
    private(set) var freeingCall: UInt64 = 0
    private var allocatingPID: Int32 = 0
    private var freeingPID: Int32 = 0
    /// The state and the writes in the topmost bits, the usable bytes below.
    private var bits: UInt32 = 0
    private var allocatingCPU: UInt8 = 0
    private var freeingCPU: UInt8 = 0
    private var unused: UInt16 = 0

    init() {}

    private static let sizeMask: UInt32 = 1 << 28 - 1

    @inline(__always)
    var state: State {
        get { State(rawValue: UInt8(truncatingIfNeeded: bits >> 30)) ?? .unused }
        set { bits = bits & ~(3 << 30) | UInt32(newValue.rawValue) << 30 }
    }

    @inline(__always)
    var writes: Writes {
        get { Writes(rawValue: UInt8(truncatingIfNeeded: bits >> 28 & 3)) ?? .all }
        set { bits = bits & ~(3 << 28) | UInt32(newValue.rawValue) << 28 }
    }

    /// Bytes from the object's start that its owner may touch, while it has one.
    @inline(__always)
    var usableBytes: UInt64 {
        get { UInt64(bits & Self.sizeMask) }
        set {
            let size = min(UInt32(clamping: newValue), Self.sizeMask)
            bits = bits & ~Self.sizeMask | size
        }
    }

    @inline(__always)
    mutating func allocate(usableBytes: UInt64, writes: Writes, by owner: MemoryTrack) {
        allocatingCall = owner.call
        allocatingPID = Int32(truncatingIfNeeded: owner.pid)
        allocatingCPU = UInt8(truncatingIfNeeded: owner.cpu)
        bits = UInt32(State.allocated.rawValue) << 30 | UInt32(writes.rawValue) << 28
        self.usableBytes = usableBytes
        freeingCall = 0
    }

    @inline(__always)
    mutating func free(_ state: State, by owner: MemoryTrack) {
        freeingCall = owner.call
        freeingPID = Int32(truncatingIfNeeded: owner.pid)
        freeingCPU = UInt8(truncatingIfNeeded: owner.cpu)
        self.state = state
    }

    /// Who allocated it last; nil where nobody did.
    var allocation: MemoryTrack? {
        allocatingCall == 0
            ? nil
            : MemoryTrack(call: allocatingCall, cpu: Int(allocatingCPU), pid: Int(allocatingPID))
    }

    /// Who freed it since; nil while somebody owns it.
    var release: MemoryTrack? {
        freeingCall == 0
            ? nil : MemoryTrack(call: freeingCall, cpu: Int(freeingCPU), pid: Int(freeingPID))
    }
}

/// Who allocated or freed memory: `struct kasan_track`.
public struct MemoryTrack: Hashable, Sendable {
    public var call: UInt64
    public var cpu: Int
    public var pid: Int
}
