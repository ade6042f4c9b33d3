/// An address of memory that is no slab's: what it is used for.
public struct PagePlace: Hashable, Sendable {
    public enum Use: String, Hashable, Sendable {
        /// No frame is there: user space, vmalloc, a number of no meaning.
        case unmapped
        /// A map of high memory: the page behind it is not what the arithmetic finds.
        case highMap = "high_map"
        /// Kept at boot: no allocator's.
        case reserved
        /// Free pages, or a slab that went back to the page allocator.
        case free
        /// Pages of the page allocator.
        case pages
        /// Compound pages, which `kmalloc` above 8 KiB gives, too.
        case compound
    }

    public var address: LinearAddress
    public var use: Use
    /// The first frame of the block; nil where there is none.
    public var block: PFN?
    public var order: Int?

    /// Where the address lies in the block, in bytes.
    public var offset: UInt64?
    /// The call that allocated the block, and what it was; nil where it is free, and for the boot's.
    public var call: UInt64?
    public var function: String?
}

/// Whose memory an address lies in.
public enum MemoryPlace: Hashable, Sendable {
    case object(SlabPlace)
    case page(PagePlace)

    /// The call that allocated or freed it last; nil where none did.
    public var call: UInt64? {
        switch self {
        case .object(let place): place.call
        case .page(let place): place.call
        }
    }
}

extension Kernel {
    /// What lies at an address; nil where that is a slab's.
    func pagePlace(at address: UInt64) -> PagePlace? {
        var place = PagePlace(address: LinearAddress(rawValue: address), use: .unmapped)
        guard let frame = frame(ofDirectMapped: address) else {
            let region = layout.is32Bit ? region(of: place.address)?.kind : nil
            if region == .pkmap || region == .fixmap { place.use = .highMap }
            return place
        }
        let run = frameRun(at: UInt64(frame), limit: UInt64(frame) + 1)
        switch run.use {
        case .slab: return nil
        case .hole: break
        case .reserved: place.use = .reserved
        case .untouched: place.use = .free
        case .block(let page):
            let isCompound = page.kind == .allocated && page.isCompound
            place.use = page.kind != .allocated ? .free : isCompound ? .compound : .pages
            place.block = PFN(rawValue: run.start)
            place.offset = address &- layout.pageOffset &- run.start << 12
            place.order = page.order
            guard page.kind == .allocated else { break }
            place.call = call(page.call)
            place.function = place.call.flatMap { function(ofCall: $0) }
        }
        return place
    }
}
