/// A cache's slabs with every object, a part at a time.
public struct CacheSlabsView: Sendable {
    public var slabs: [SlabView] = []
    /// Where to go on; nil at the end.
    public var next: UInt64?
}

/// A slab with its objects: `struct slab`.
public struct SlabView: Hashable, Sendable {
    /// Who holds the slab.
    public enum Holder: Hashable, Sendable {
        /// The slab that a CPU takes objects from.
        case cpu(Int)
        /// In a CPU's chain of partial slabs; its head is 0.
        case cpuPartial(cpu: Int, position: Int)
        /// On a node's list; its head is 0. No position is given far down a long list.
        case nodePartial(node: Int, position: Int?)
        /// All objects are handed out: on no list.
        case full
        /// Empty and out of its cache; the pages wait for the end of a grace period.
        case gracePeriod
        /// On no list though objects are free: misuse or a failed check brought it there.
        case none
    }

    public var pfn: PFN
    public var order: Int
    public var node: Int
    public var objects: Int
    /// As the kernel counts: a CPU's slab counts whole.
    public var inuse: Int
    public var isFrozen: Bool
    /// The free objects are linked by what stands in their bytes.
    public var isLinkedByBytes: Bool
    public var holder: Holder
    public var freelists: [FreelistView] = []
    public var usage: SlabUsage
    /// The objects from the one that the cursor names, up to the limit.
    public var slots: [SlotView] = []
}

/// One of the two freelists of a slab, walked from its head.
public struct FreelistView: Hashable, Sendable {
    public enum Owner: Hashable, Sendable {
        /// The part that only this CPU sees.
        case cpu(Int)
        /// What other CPUs freed, and all free objects of a slab that no CPU holds.
        case slab
    }

    /// Where a walk ended.
    public enum End: Hashable, Sendable {
        /// At a NULL pointer, as it should.
        case null
        /// At an object that the list went through before.
        case loop(index: Int)
        /// At an address outside the slab; the allocator would hand it out.
        case outside(LinearAddress)
        /// After as many steps as the slab has objects, most of them at addresses that are none.
        case cut(LinearAddress)
    }

    public var owner: Owner
    /// Objects and strays passed.
    public var length = 0
    public var end = End.null
    /// Addresses of the slab on the list at which no object begins; the first few.
    public var strays: [LinearAddress] = []
}

/// What the bytes of slabs are used for; `allocated`, `free`, `padding` and `tail` add up to all.
public struct SlabUsage: Hashable, Sendable {
    public var slabs: UInt64 = 0
    public var objects: UInt64 = 0
    public var allocatedObjects: UInt64 = 0
    /// Bytes that callers asked for: the size given to `kmalloc`, elsewhere the object's.
    public var requested: UInt64 = 0
    /// Usable bytes of allocated objects.
    public var allocated: UInt64 = 0
    /// Usable bytes of free objects.
    public var free: UInt64 = 0
    /// Between objects: alignment, red zones, tracks, free pointers outside.
    public var padding: UInt64 = 0
    /// Behind the last object.
    public var tail: UInt64 = 0

    public var bytes: UInt64 { allocated + free + padding + tail }
}

/// One place for an object in a slab.
public struct SlotView: Hashable, Sendable {
    public var index: Int
    public var address: LinearAddress
    public var isAllocated: Bool
    /// The call that allocated or freed it last; nil where none did since the slab was made.
    public var call: UInt64?
    /// The C name of the function that the call ran; nil where that is forgotten.
    public var function: String?
    /// Bytes that `kmalloc` was asked for.
    public var requested: UInt64?
    /// The freelist that reaches it and how many objects are taken before it; nil where none does.
    public var freelist: FreelistView.Owner?
    public var position: Int?
    /// The marks of `slub_debug` in the slot's bytes; empty in caches without.
    public var marks: [SlotMark] = []
}

/// Bytes of a slot that `slub_debug` keeps at one value, as long as nobody else writes there.
public struct SlotMark: Hashable, Sendable {
    /// As the kernel's reports call it: `Left Redzone`, `Poison`.
    public var name: String
    public var address: LinearAddress
    public var length: UInt64
    /// The value that all the bytes should have.
    public var value: UInt8
    /// First and last byte that have another; nil where the mark is whole.
    public var overwritten: Range<UInt64>?
}
