/// Something that would have let a failed request for memory succeed.
public enum Alternative: Hashable, Sendable {
    /// The same request with other flags.
    case flags(FlagVariation, GFPFlags)
    /// A smaller request: the largest order that is served, as bytes too.
    case order(Int, bytes: UInt64)
    /// Giving memory back first.
    case free(FreedMemory)
    /// Writing a knob of `/proc/sys/vm` first.
    case sysctl(name: String, value: String)
}

/// What is given back before a request is made again.
public struct FreedMemory: Hashable, Sendable {
    /// Allocations that the caller frees, ascending by address; may be empty.
    public var allocations: [FreedAllocation]
    /// Pages on the per-CPU lists of the request's zones, where those are emptied too; else 0.
    public var drainedPages: Int

    /// Pages that the caller's own allocations give back; an object gives none.
    public var pages: Int {
        allocations.reduce(0) { $0 + ($1.order.map { 1 << $0 } ?? 0) }
    }
}

/// An allocation that could be freed, and with what.
public struct FreedAllocation: Hashable, Sendable {
    public var pfn: PFN
    /// The address in the direct map.
    public var address: LinearAddress
    /// The order of a block of pages, for `free_pages`; nil for an object, for `kfree`.
    public var order: Int?
}

/// A change of flags that widens what a request may have.
///
/// In the order in which they are tried: first those that cost the machine least.
public enum FlagVariation: String, Hashable, Sendable, CaseIterable {
    case withoutThisNode = "without __GFP_THISNODE"
    case withoutDMA = "without GFP_DMA"
    case withoutDMA32 = "without GFP_DMA32"
    case asHighMovable = "with __GFP_HIGHMEM|__GFP_MOVABLE"
    case asKernel = "as GFP_KERNEL"
    case withRetryMayFail = "with __GFP_RETRY_MAYFAIL"
    case withHigh = "with __GFP_HIGH"
    case asAtomic = "as GFP_ATOMIC"
    case withoutNoMemAlloc = "without __GFP_NOMEMALLOC"
    case withMemAlloc = "with __GFP_MEMALLOC"

    /// The flags after the change; nil where there is nothing to change.
    func applied(to flags: GFPFlags) -> GFPFlags? {
        var varied = flags
        switch self {
        case .withoutThisNode: varied.subtract(.thisNode)
        case .withoutDMA: varied.subtract(.dma)
        case .withoutDMA32: varied.subtract(.dma32)
        case .asHighMovable:
            varied.subtract(.zoneMask)
            varied.formUnion([.highMem, .movable])
        case .asKernel:
            varied.subtract([.high, .atomicReserve, .noRetry])
            varied.formUnion(.kernel)
        case .withRetryMayFail:
            guard flags.contains(.directReclaim) else { return nil }
            varied.subtract(.noRetry)
            varied.insert(.retryMayFail)
        case .withHigh: varied.insert(.high)
        case .asAtomic:
            varied.subtract([.kernel, .retryMayFail, .noRetry, .noFail])
            varied.formUnion(.atomic)
        case .withoutNoMemAlloc: varied.subtract(.noMemAlloc)
        case .withMemAlloc:
            varied.subtract(.noMemAlloc)
            varied.insert(.memAlloc)
        }
        return varied == flags ? nil : varied
    }
}

extension Alternative {
    /// What kind of change it is, in JSON.
    var change: String {
        switch self {
        case .flags: "flags"
        case .order: "order"
        case .free: "free"
        case .sysctl: "sysctl"
        }
    }

    var facts: [Fact] {
        let change = Fact("change", .text(change))
        switch self {
        case .flags(let variation, let flags):
            return [change, Fact("how", .text(variation.rawValue)), Fact("flags", .gfp(flags))]
        case .order(let order, let bytes):
            return [change, .count("order", order), .count("size", bytes)]
        case .free(let freed):
            return [
                change, .count("pages", freed.pages), .count("drained_pages", freed.drainedPages),
                Fact("allocations", .list(freed.allocations.map { .facts($0.facts) })),
            ]
        case .sysctl(let name, let value):
            return [change, Fact("name", .text(name)), Fact("value", .text(value))]
        }
    }

    var sentence: String {
        switch self {
        case .flags(let variation, _): "It would succeed \(variation.rawValue)."
        case .order(let order, let bytes):
            "\(bytes) bytes, order \(order), are the most that would be given."
        case .free(let freed): freed.sentence
        case .sysctl(let name, let value):
            "It would succeed after \(name) is set to \"\(value)\"."
        }
    }
}

extension FreedMemory {
    fileprivate var sentence: String {
        let count = allocations.count
        let blocks = count == 1 ? "1 allocation" : "\(count) allocations"
        let drained = "the \(drainedPages) pages on per-CPU lists"
        if count == 0 {
            return "It would succeed if \(drained) went back to the free lists."
        }
        if let only = allocations.first, only.order == nil {
            return
                "It would succeed after freeing the object at \(hexadecimal(only.address.rawValue))."
        }
        let also = drainedPages > 0 ? " and emptying \(drained)" : ""
        return "It would succeed after freeing \(blocks) of \(pages) pages\(also)."
    }
}

extension FreedAllocation {
    fileprivate var facts: [Fact] {
        [
            Fact("address", .address(address.rawValue)), .count("pfn", pfn.rawValue),
            Fact("order", order.map { .number(Int64($0)) } ?? .null),
            Fact("free_with", .text(order == nil ? "kfree" : "free_pages")),
        ]
    }
}
