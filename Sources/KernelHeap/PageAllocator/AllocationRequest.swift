/// One request as the page allocator sees it: `struct alloc_context`.
struct AllocationRequest {
    var order: Int
    var flags: GFPFlags
    var cpu: Int
    var node: Int
    /// The highest zone that the flags allow.
    var highestZone: ZoneType
    var migrateType: MigrateType
    /// Nodes, a bit each, that have as many dirty pages as they may: not asked at first by who is
    /// about to dirty a page.
    var dirtyNodes: UInt8 = 0

    @inline(__always)
    init(
        order: Int,
        flags: GFPFlags,
        cpu: Int,
        node: Int = 0,
        zones: GFPZones = .x8664
    ) {
        self.order = order
        self.flags = flags
        self.cpu = cpu
        self.node = node
        highestZone = zones[flags]
        migrateType = flags.migrateType
    }
}

extension GFPFlags {
    /// The mobility class: `gfp_migratetype()`.
    ///
    /// Both mobility bits together are undefined in the kernel; here the reclaimable one counts.
    @inline(__always)
    var migrateType: MigrateType {
        if contains(.reclaimable) { return .reclaimable }
        return contains(.movable) ? .movable : .unmovable
    }

    /// What the first attempt may do.
    ///
    /// - Parameter keepingBlocksWhole: whether a lower zone may serve before a foreign pageblock is
    ///   broken: only zone Normal of kernels with a zone DMA32 asks for it.
    /// - Returns: the kernel's `ALLOC_*` flags.
    func firstAttempt(keepingBlocksWhole: Bool) -> AllocFlags {
        var flags: AllocFlags = .low
        if contains(.kswapdReclaim) { flags.insert(.kswapd) }
        if keepingBlocksWhole { flags.insert(.noFragment) }
        if contains(.cold) { flags.insert(.cold) }
        return flags
    }

    /// What the slow path may do: `gfp_to_alloc_flags()` of 6.1 stable.
    ///
    /// As `fallback/` of the recordings shows it, not to be able to wait counts, `__GFP_ATOMIC`
    /// does not: it only deepens what `__GFP_HIGH` opened.
    func slowAttempt(order: Int) -> AllocFlags {
        var flags: AllocFlags = []
        if contains(.kswapdReclaim) { flags.insert(.kswapd) }
        if contains(.high) { flags.insert(.high) }
        if contains(.cold) { flags.insert(.cold) }
        if !contains(.directReclaim) && !contains(.noMemAlloc) {
            flags.insert(.nonBlock)
            if order > 0 && contains(.high) { flags.insert(.highAtomic) }
        }
        return flags
    }

    /// Whether the high-atomic reserve is given back before the request gives up:
    /// `should_reclaim_retry()`, which large orders reach only with `__GFP_RETRY_MAYFAIL`.
    func exhaustsHighAtomic(order: Int) -> Bool {
        contains(.directReclaim) && !contains(.noRetry)
            && (order <= Self.costlyOrder || contains(.retryMayFail))
    }

    /// `PAGE_ALLOC_COSTLY_ORDER`.
    static let costlyOrder = 3
}
