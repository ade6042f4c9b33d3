/// An address in a slab: which object it belongs to, and whose that is.
public struct SlabPlace: Hashable, Sendable {
    public enum Region: String, Hashable, Sendable {
        /// The bytes that an owner may use.
        case object
        /// Between two objects: red zones, free pointers, what alignment leaves.
        case padding
        /// Behind the last object.
        case tail
    }

    public var cache: String
    /// First frame of the slab.
    public var slab: PFN
    public var address: LinearAddress
    public var region: Region
    /// The object; nil in the tail.
    public var index: Int?
    /// Where the object begins; the slab's first byte behind all objects in the tail.
    public var begin: LinearAddress
    /// Bytes that its owner may use; in the tail what is left of the slab.
    public var size: UInt64
    public var isAllocated: Bool
    /// Bytes that `kmalloc` was asked for; nil elsewhere and for free objects.
    public var requested: UInt64?
    /// The call that allocated or freed the object last; nil where none did since the slab was made.
    public var call: UInt64?
    /// The C name of the function that the call ran; nil where that is forgotten.
    public var function: String?

    /// Where the address lies in the object, in bytes; below zero in front of it.
    public var offset: Int64 { Int64(bitPattern: address.rawValue &- begin.rawValue) }

    /// Whether an object begins at the address.
    public var isExact: Bool { region == .object && offset == 0 }
}

extension Kernel {
    /// What lies at an address of a slab; nil where no slab is.
    func slabPlace(at address: UInt64) -> SlabPlace? {
        guard let frame = frame(ofDirectMapped: address) else { return nil }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else { return nil }
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let start = layout.virtual(owner.pfn)
        let offset = address &- start
        let slot = shape.slot(of: offset)
        let isTail = slot >= UInt32(owner.objects)
        let index = Int(isTail ? UInt32(owner.objects) : slot)
        let begin = isTail ? UInt64(index) &* UInt64(shape.size) : shape.begin(of: index)
        let bytes = UInt64(4096) << UInt64(owner.order)
        let size = isTail ? bytes - min(begin, bytes) : UInt64(shape.objectSize)
        let isInside = offset >= begin && offset - begin < size
        let state = isTail ? ObjectState() : slab.states[Int(owner.states) + index]
        let isOwned = !isTail && slab.isOwned(Int(owner.states) + index)
        // The state of an object in quarantine is still its last owner's.
        let freeing =
            state.isAllocated && !isOwned
            ? slab.sanitized[Int(owner.states) + index].freeingCall : nil
        let call = freeing ?? call(state.call)
        return SlabPlace(
            cache: slab.catalog.name(CacheID(rawValue: owner.cache)),
            slab: PFN(rawValue: UInt64(owner.pfn)),
            address: LinearAddress(rawValue: address),
            region: isTail ? .tail : isInside ? .object : .padding,
            index: isTail ? nil : index,
            begin: LinearAddress(rawValue: start &+ begin),
            size: size,
            isAllocated: isOwned,
            requested: isOwned && state.requested > 0 ? state.requested : nil,
            call: call,
            function: call.flatMap { function(ofCall: $0) }
        )
    }
}
