/// The kernel address sanitizer in its generic mode: `CONFIG_KASAN_GENERIC`, 6.1.
///
/// Every byte of slab objects, pages and vmalloc areas has a shadow that says whether it may be
/// touched. No shadow is stored: it is worked out from what the allocators know, and from what
/// stands here and in `SlabAllocator.sanitized`.
///
///     memory         shadow
///     slab object    first usable bytes 0, then fc; fa fb fb … in quarantine; fb on a freelist
///     slab padding   fc
///     page           0; ff where it is free; fe behind what a large kmalloc was asked for
///     vmalloc area   0 up to the bytes asked for, then f8 to the end of its guard page; f8 elsewhere
///
/// A freed object goes through a quarantine before its freelist has it again. Loads and stores ask
/// `Kernel.checkShadow`; what it finds becomes a `KasanReport` in the call's warnings, and text in
/// dmesg. A machine without the option holds an empty value of this type.
struct Sanitizer: ~Copyable, Sendable {
    let isOn: Bool
    /// By frame: the blocks that the page allocator gave and got back, each at its first frame.
    var pages: ChunkedColumn<SanitizedBlock>
    /// By first address.
    var areas: [UInt64: SanitizedArea] = [:]
    /// The last areas that went, oldest first.
    private(set) var goneAreas: [GoneArea] = []
    var quarantine: Quarantine

    init() {
        isOn = false
        pages = ChunkedColumn(count: 1)
        quarantine = Quarantine(cpus: 0)
    }

    init(cpus: Int, frames: Int) {
        isOn = true
        pages = ChunkedColumn(count: frames)
        quarantine = Quarantine(cpus: cpus)
    }

    private init(forkOf other: inout Sanitizer) {
        isOn = other.isOn
        pages = other.pages.fork()
        areas = other.areas
        goneAreas = other.goneAreas
        quarantine = other.quarantine
    }

    mutating func fork() -> Sanitizer { isOn ? Sanitizer(forkOf: &self) : Sanitizer() }

    /// The area that begins at an address goes.
    mutating func release(_ start: UInt64, by track: MemoryTrack) {
        guard let area = areas.removeValue(forKey: start) else { return }
        if goneAreas.count == GoneArea.limit { goneAreas.removeFirst() }
        goneAreas.append(GoneArea(start: start, area: area, release: track))
    }

    /// The last area that held an address, of those that are remembered.
    func goneArea(holding address: UInt64) -> GoneArea? {
        goneAreas.last { $0.start <= address && address - $0.start < $0.area.requested }
    }

    var heldBytes: Int {
        isOn ? pages.heldBytes + areas.capacity * 48 + quarantine.heldBytes : 0
    }
}

/// A block of pages and its last two users.
struct SanitizedBlock: ColumnElement {
    private var allocatingCall: UInt64 = 0
    private var freeingCall: UInt64 = 0
    private var allocatingPID: Int32 = 0
    private var freeingPID: Int32 = 0
    /// Bytes that `kmalloc` was asked for; 0 for a block of any other function.
    private(set) var requested: UInt32 = 0
    private var allocatingCPU: UInt8 = 0
    private var freeingCPU: UInt8 = 0
    private(set) var order: UInt8 = 0
    private var unused: UInt8 = 0

    init() {}

    mutating func allocate(order: Int, by owner: MemoryTrack) {
        self = SanitizedBlock()
        allocatingCall = owner.call
        allocatingPID = Int32(truncatingIfNeeded: owner.pid)
        allocatingCPU = UInt8(truncatingIfNeeded: owner.cpu)
        self.order = UInt8(truncatingIfNeeded: order)
    }

    mutating func free(order: Int, by owner: MemoryTrack) {
        freeingCall = owner.call
        freeingPID = Int32(truncatingIfNeeded: owner.pid)
        freeingCPU = UInt8(truncatingIfNeeded: owner.cpu)
        self.order = UInt8(truncatingIfNeeded: order)
        requested = 0
    }

    /// A large `kmalloc` was asked for so many bytes; at least one, at most 4 MiB.
    mutating func request(_ bytes: UInt64) { requested = UInt32(clamping: bytes) }

    var allocation: MemoryTrack? {
        allocatingCall == 0
            ? nil
            : MemoryTrack(call: allocatingCall, cpu: Int(allocatingCPU), pid: Int(allocatingPID))
    }

    var release: MemoryTrack? {
        freeingCall == 0
            ? nil : MemoryTrack(call: freeingCall, cpu: Int(freeingCPU), pid: Int(freeingPID))
    }

    /// The newest call that is noted; 0 for none.
    var newestCall: UInt64 { max(allocatingCall, freeingCall) }
}

/// An area of `vmalloc`: what was asked for, and by whom.
struct SanitizedArea: Hashable, Sendable {
    var requested: UInt64
    var allocation: MemoryTrack
}

/// An area of `vmalloc` that is gone, and who freed it.
struct GoneArea: Hashable, Sendable {
    /// Areas that are remembered.
    static let limit = 128

    var start: UInt64
    var area: SanitizedArea
    var release: MemoryTrack
}
