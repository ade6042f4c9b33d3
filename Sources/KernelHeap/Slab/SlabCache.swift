/// The part of a cache that every allocation reads: `struct kmem_cache`.
struct SlabCache: BitwiseCopyable {
    /// Bytes from object to object.
    let size: UInt32
    let objectSize: UInt32
    /// Where a free object's pointer lies, in bytes from its start.
    let pointerOffset: UInt32
    /// As large as the alignment where objects have red zones.
    let redLeftPad: UInt32
    /// 2^64 / size, rounded up: turns the division by `size` into a multiplication.
    let reciprocal: UInt64
    let objects: UInt16
    let order: UInt8
    let minOrder: UInt8
    let minObjects: UInt16
    let minPartial: UInt16
    let cpuPartialSlabs: UInt16
    let hasCPUPartial: Bool
    /// `slub_debug` is on: every object is taken and freed under checks.
    let isChecked: Bool
    /// Who allocates and who frees is noted with every object.
    let notesUsers: Bool
    /// A constructor runs on each object of a new slab.
    let isConstructed: Bool
    /// Pages of discarded slabs wait for the end of a grace period.
    let isTypesafe: Bool
    /// Zone, mobility and compound flags that the cache adds to each slab's pages.
    let flags: GFPFlags

    init(_ geometry: SlabGeometry, isConstructed: Bool) {
        self.isConstructed = isConstructed
        isTypesafe = geometry.flags.contains(.typesafeByRCU)
        size = UInt32(clamping: geometry.size)
        objectSize = UInt32(clamping: geometry.objectSize)
        pointerOffset = UInt32(clamping: geometry.offset)
        reciprocal = UInt64.max / UInt64(max(geometry.size, 1)) + 1
        objects = UInt16(clamping: geometry.objectsPerSlab)
        redLeftPad = UInt32(clamping: geometry.redLeftPad)
        order = UInt8(clamping: geometry.order)
        minOrder = UInt8(clamping: geometry.minOrder)
        minObjects = UInt16(clamping: geometry.minObjects)
        minPartial = UInt16(clamping: geometry.minPartial)
        cpuPartialSlabs = UInt16(clamping: geometry.cpuPartialSlabs)
        hasCPUPartial = geometry.cpuPartial > 0
        isChecked = !geometry.flags.isDisjoint(with: .debug)
        notesUsers = geometry.flags.contains(.storeUser)
        var flags: GFPFlags = []
        if geometry.order > 0 { flags.insert(.compound) }
        if geometry.flags.contains(.cacheDMA) { flags.insert(.dma) }
        if geometry.flags.contains(.cacheDMA32) { flags.insert(.dma32) }
        if geometry.flags.contains(.reclaimAccount) { flags.insert(.reclaimable) }
        self.flags = flags
    }

    /// The slot in which a byte of the slab lies.
    @inline(__always)
    func slot(of offset: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: offset.multipliedFullWidth(by: reciprocal).high)
    }

    /// Where an object begins, in bytes from the slab's start.
    @inline(__always)
    func begin(of index: Int) -> UInt64 { UInt64(index) &* UInt64(size) &+ UInt64(redLeftPad) }

    /// Where an object's free pointer lies, in bytes from the slab's start.
    @inline(__always)
    func pointer(of index: Int) -> UInt64 { begin(of: index) &+ UInt64(pointerOffset) }
}

/// What a cache keeps per node: `struct kmem_cache_node`; zero bytes are its state before use.
struct NodeSlabs: ColumnElement {
    var partial = SlabList()
    var slabCount = 0
    var objectCount = 0
}

/// A doubly linked list of slabs by their numbers.
struct SlabList: BitwiseCopyable {
    // One more than the number, so that zero means none.
    private var storedHead: UInt32 = 0
    private var storedTail: UInt32 = 0
    var count = 0

    var head: UInt32 {
        get { storedHead &- 1 }
        set { storedHead = newValue &+ 1 }
    }
    var tail: UInt32 {
        get { storedTail &- 1 }
        set { storedTail = newValue &+ 1 }
    }
}

/// What a cache keeps per CPU: `struct kmem_cache_cpu`; zero bytes are its state before use.
struct CPUSlab: ColumnElement {
    // One more than the number, so that zero means none.
    private var storedSlab: UInt32 = 0
    private var storedPartial: UInt32 = 0
    /// The address of the slab's first object.
    private var base: UInt64 = 0
    /// Copies of the cache's fields, so that an allocation reads no cache.
    private var reciprocal: UInt64 = 0
    private(set) var size: UInt32 = 0
    /// Copies of the slab's fields, so that it reads no slab either.
    var states: UInt32 = 0
    var pfn: UInt32 = 0
    private var objects: UInt16 = 0
    private var storedFreelist: UInt16 = 0
    /// Slabs in the chain.
    var partialCount: UInt16 = 0

    init() {}

    /// The slab that objects come from; `Slab.none` where there is none.
    @inline(__always)
    var slab: UInt32 {
        get { storedSlab &- 1 }
        set { storedSlab = newValue &+ 1 }
    }

    /// Head of the chain of partial slabs.
    @inline(__always)
    var partial: UInt32 {
        get { storedPartial &- 1 }
        set { storedPartial = newValue &+ 1 }
    }

    /// First free object of the slab's part that only this CPU sees.
    @inline(__always)
    var freelist: UInt16 {
        get { storedFreelist &- 1 }
        set { storedFreelist = newValue &+ 1 }
    }

    @inline(__always)
    var hasFreeObject: Bool { storedFreelist != 0 }

    /// The object's address.
    @inline(__always)
    func address(of index: UInt16) -> UInt64 { base &+ UInt64(index) &* UInt64(size) }

    /// The object of the CPU's slab that begins at an address.
    @inline(__always)
    func index(of address: UInt64) -> UInt16? {
        let offset = address &- base
        let slot = offset.multipliedFullWidth(by: reciprocal).high
        guard slot < UInt64(objects), slot &* UInt64(size) == offset else { return nil }
        return UInt16(truncatingIfNeeded: slot)
    }

    /// Takes a slab and its free objects.
    @inline(__always)
    mutating func use(
        _ slab: Slab,
        number: UInt32,
        of cache: SlabCache,
        _ layout: AddressLayout
    ) {
        size = cache.size
        objects = slab.objects
        base = layout.virtual(slab.pfn) &+ UInt64(cache.redLeftPad)
        reciprocal = cache.reciprocal
        self.slab = number
        freelist = slab.hasByteLists ? Slab.endOfList : slab.freelist
        states = slab.states
        pfn = slab.pfn
    }
}

/// A block of pages cut into objects: `struct slab`.
struct Slab: ColumnElement {
    static let none = UInt32.max
    static let endOfList = UInt16.max
    /// A freelist that begins with an address which is no object of the slab.
    static let stray = UInt16.max - 1

    var pfn: UInt32 = 0
    /// Where its objects' states begin.
    var states: UInt32 = 0
    var next: UInt32 = 0
    var prev: UInt32 = 0
    var cache: UInt16 = 0
    var objects: UInt16 = 0
    var inuse: UInt16 = 0
    /// First free object that no CPU has taken for itself.
    var freelist: UInt16 = 0
    var node: UInt8 = 0
    var order: UInt8 = 0
    /// Belongs to a CPU: its slab, or in its chain.
    var isFrozen = false
    /// The entry names a slab that exists.
    var isLive = false
    /// Its free objects are linked by what stands in their bytes, not by their states.
    var hasByteLists = false
    private var unused: UInt8 = 0
    private var unusedWord: UInt16 = 0

    /// A freed object becomes the head of the free ones.
    @inline(__always)
    mutating func takeBack(_ index: UInt16, freeze: Bool) {
        freelist = index
        inuse &-= 1
        if freeze { isFrozen = true }
    }

    /// A CPU gives a list of free objects back.
    mutating func takeBack(_ head: UInt16, count: UInt16) {
        freelist = head
        inuse = inuse > count ? inuse - count : 0
    }

    /// All free objects go to a CPU; a slab without any is let go.
    @inline(__always)
    mutating func handOver() {
        isFrozen = freelist != Self.endOfList
        inuse = objects
        freelist = Self.endOfList
    }

    /// Goes to the end of a node's list.
    @inline(__always)
    mutating func queue(behind tail: UInt32) {
        prev = tail
        next = Self.none
        isFrozen = false
    }
}

/// One object: its link in the freelist, what was asked for, and the call that touched it last.
///
///     63            32 31        30        29      16 15         0
///     | call number   | written | allocated | requested | next free |
///
/// The link stands for the free pointer in the object's bytes, which outlives an allocation until
/// its owner writes there.
struct ObjectState: ColumnElement {
    private var bits: UInt64 = 0

    init() {}

    init(next: UInt16) { bits = UInt64(next) }

    @inline(__always)
    init(next: UInt16, freedBy call: UInt64) { bits = UInt64(next) | call << 32 }

    @inline(__always)
    var next: UInt16 { UInt16(truncatingIfNeeded: bits) }

    /// Becomes allocated; the old link stays, as it does in the object's memory.
    @inline(__always)
    mutating func allocate(requested: UInt64, call: UInt64) -> UInt16 {
        let next = next
        bits = UInt64(next) | (requested & 0x3fff) << 16 | 1 << 30 | call << 32
        return next
    }

    /// Belongs to the boot from now on.
    mutating func giveToBoot() { bits &= 0xffff_ffff }

    /// Changes the link of a free object.
    mutating func link(to next: UInt16) { bits = bits & ~0xffff | UInt64(next) }

    var isAllocated: Bool { bits & 1 << 30 != 0 }
    /// What lies at the free pointer's place was written there; the link says nothing of it.
    var isWritten: Bool {
        get { bits & 1 << 31 != 0 }
        set { bits = newValue ? bits | 1 << 31 : bits & ~(1 << 31) }
    }
    /// Bytes that `kmalloc` was asked for; 0 in other caches.
    var requested: UInt64 { bits >> 16 & 0x3fff }
    /// Low half of the sequence number of the call that allocated or freed it.
    var call: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
}
