/// Memory as a call asks for it: what can be varied and asked for again.
public enum MemoryRequest: Hashable, Sendable {
    /// A block of 2^order pages; `isMapped` where the caller wants its address.
    case pages(order: Int, flags: GFPFlags, isMapped: Bool)
    /// So many bytes in whole pages.
    case exactPages(bytes: UInt64, flags: GFPFlags)
    /// Up to so many single pages; one is enough.
    case bulkPages(count: Int, flags: GFPFlags)
    /// An object of a kmalloc cache, or pages where none is large enough.
    case object(bytes: UInt64, flags: GFPFlags)
    /// An object of a cache.
    case cacheObject(CacheArgument, flags: GFPFlags)

    public var flags: GFPFlags {
        get {
            switch self {
            case .pages(_, let flags, _), .exactPages(_, let flags), .bulkPages(_, let flags),
                .object(_, let flags), .cacheObject(_, let flags):
                flags
            }
        }
        set {
            switch self {
            case .pages(let order, _, let isMapped):
                self = .pages(order: order, flags: newValue, isMapped: isMapped)
            case .exactPages(let bytes, _): self = .exactPages(bytes: bytes, flags: newValue)
            case .bulkPages(let count, _): self = .bulkPages(count: count, flags: newValue)
            case .object(let bytes, _): self = .object(bytes: bytes, flags: newValue)
            case .cacheObject(let cache, _): self = .cacheObject(cache, flags: newValue)
            }
        }
    }

    /// Whether a call that asked for this got nothing.
    func isRefused(_ value: ReturnValue) -> Bool {
        switch self {
        case .pages, .exactPages, .object, .cacheObject: value == .pointer(0)
        case .bulkPages(let count, _): count > 0 && value == .unsigned(0)
        }
    }
}

/// A call that asks for memory once, so that it can be asked what would have been given.
protocol MemoryRequestingCall: KernelCall {
    /// Nil where the call refuses its arguments before it asks.
    var memoryRequest: MemoryRequest? { get }
}

extension MemoryRequestingCall {
    static func memoryRequest(_ arguments: borrowing CallArguments) -> MemoryRequest? {
        Self(arguments).memoryRequest
    }
}

extension Kernel {
    /// Asks for memory and says whether it came; nothing is logged.
    mutating func grants(_ request: MemoryRequest, in context: CallContext) -> Bool {
        var quiet = request
        quiet.flags.insert(.noWarn)
        switch quiet {
        case .pages(let order, let flags, _):
            return allocPages(order: order, flags: flags, in: context) != nil
        case .exactPages(let bytes, let flags):
            return allocPagesExact(bytes: bytes, flags: flags, in: context) != nil
        case .bulkPages(let count, let flags):
            return !allocPagesBulk(count, flags: flags, in: context).isEmpty
        case .object(let bytes, let flags):
            return kmalloc(size: bytes, flags: flags, in: context) != .null
        case .cacheObject(let argument, let flags):
            guard let cache = cache(argument) else { return false }
            return allocateObject(from: Int(cache.rawValue), flags: flags, in: context) != nil
        }
    }

    /// `alloc_pages_bulk_array()`: up to `count` single pages.
    mutating func allocPagesBulk(
        _ count: Int,
        flags: GFPFlags,
        in context: CallContext
    ) -> [UInt32] {
        let flags = gfpContext(flags, in: context)
        // Many pages at once are charged to nobody: who must be charged gets one.
        if cgroups.isOn, flags.contains(.account), count > 0 {
            let page = allocPages(order: 0, flags: flags, in: context)
            return page.map { [UInt32(truncatingIfNeeded: $0.rawValue)] } ?? []
        }
        mightAllocate(flags, in: context)
        let node = context.cpu % max(slab.nodeCount, 1)
        let request = AllocationRequest(
            order: 0,
            flags: withReserves(flags, in: context),
            cpu: context.cpu,
            node: node,
            zones: pages.gfpZones
        )
        var frames = pages.allocateBulk(count, request)
        if frames.isEmpty, count > 0 {
            frames =
                allocateUnderPressure(request, in: context) { kernel in
                    let frames = kernel.pages.allocateBulk(count, request)
                    return frames.isEmpty ? nil : frames
                } ?? []
        }
        if flags.contains(.zero) {
            for frame in frames { pages.contents.clear(frame, pages: 1) }
            clock.advance(by: MachineClock.clearedPageCost &* UInt64(frames.count))
        }
        if isSanitized {
            for frame in frames {
                let page = PFN(rawValue: UInt64(frame))
                noteSanitizedBlock(page, order: 0, flags, in: context)
            }
        }
        return frames
    }
}
