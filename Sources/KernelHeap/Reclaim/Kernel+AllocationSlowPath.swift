/// A request that found no memory, and may wait: the loop of `__alloc_pages_slowpath()`,
/// `mm/page_alloc.c`, 6.1.
///
///     attempt ─ no ─→ compaction (large) → direct reclaim → attempt → drain → compaction → attempt
///        ↑                                                                        │
///        │        NORETRY, or large without RETRY_MAYFAIL: NULL ←─────────────────┤
///        └── reclaim or compaction is worth another round ←───────────────────────┤
///        └── the OOM killer freed something ←─────────────────────────────────────┘ else NULL
extension Kernel {
    /// `MAX_RECLAIM_RETRIES`.
    private static let mostRounds = 16

    /// Frees memory for a request that got none, and asks again, as long as its flags say so.
    ///
    /// - Parameters:
    ///   - request: as the page allocator refused it.
    ///   - context: who waits.
    ///   - attempt: asks again; has no effect where it fails.
    /// - Returns: what the attempt gave; nil is NULL.
    @inline(never)
    mutating func allocateUnderPressure<Block>(
        _ request: AllocationRequest,
        in context: CallContext,
        _ attempt: (inout Kernel) -> Block?
    ) -> Block? {
        // What is refused on demand is not for want of memory.
        guard request.flags.contains(.directReclaim), pages.zonelist(of: request).count > 0,
            pages.faults.unlogged.isEmpty
        else {
            explainFragmentation(request)
            return nil
        }
        // The kernel asks once whether a request is to fail, however often it then tries.
        let wasSuspended = pages.faults.isSuspended
        pages.faults.isSuspended = true
        defer { pages.faults.isSuspended = wasSuspended }
        var retry = CompactRetry()
        if let block = compactFirst(request, &retry, in: context, attempt) { return block }
        if !endsAfterFirst(request, retry),
            let block = reclaimAndRetry(request, &retry, in: context, attempt)
        {
            return block
        }
        guard request.flags.contains(.noFail) else {
            explainGivingUp(request)
            return nil
        }
        return neverFail(request, in: context, attempt)
    }

    /// A large request's best hope: there may be enough pages, but not side by side.
    private mutating func compactFirst<Block>(
        _ request: AllocationRequest,
        _ retry: inout CompactRetry,
        in context: CallContext,
        _ attempt: (inout Kernel) -> Block?
    ) -> Block? {
        let isCostly = request.order > GFPFlags.costlyOrder
        let wantsBlocks = request.order > 0 && request.migrateType != .movable
        guard isCostly || wantsBlocks else { return nil }
        retry.priority = .async
        let block = directCompact(request, &retry, in: context, attempt)
        // Who gives up soon does not wait for more than that either.
        if !isCostly || !request.flags.contains(.noRetry) { retry.priority = .syncLight }
        return block
    }

    /// Whether a large request that gives up soon does so before it frees anything: compaction is
    /// known to be in vain.
    private func endsAfterFirst(_ request: AllocationRequest, _ retry: CompactRetry) -> Bool {
        request.order > GFPFlags.costlyOrder && request.flags.contains(.noRetry) && hasCompaction
            && (retry.result == .skipped || retry.result == .deferred)
    }

    private mutating func reclaimAndRetry<Block>(
        _ request: AllocationRequest,
        _ retry: inout CompactRetry,
        in context: CallContext,
        _ attempt: (inout Kernel) -> Block?
    ) -> Block? {
        let isCostly = request.order > GFPFlags.costlyOrder
        var fruitless = 0
        var kills = 0
        while true {
            let freed = directReclaim(request, in: context)
            if let block = attempt(&self) { return block }
            // Pages that were just freed are on this CPU's lists, where no mark sees them.
            if freed > 0 {
                drainPages()
                if let block = attempt(&self) { return block }
            }
            if let block = directCompact(request, &retry, in: context, attempt) { return block }
            if request.flags.contains(.noRetry) { return nil }
            if isCostly, !request.flags.contains(.retryMayFail) { return nil }
            fruitless = freed > 0 && !isCostly ? 0 : fruitless + 1
            if isWorthAnotherRound(request, fruitless) {
                // The caller sleeps a little: others run.
                endWriteback()
                runKswapd()
                if let block = attempt(&self) { return block }
                continue
            }
            if freed > 0, hasCompaction,
                retry.isWorthAnotherRound(
                    order: request.order,
                    { mayBecomeCompactable(request) }
                )
            {
                continue
            }
            if pages.unreserveHighAtomic(request, pages.zonelist(of: request)),
                let block = attempt(&self)
            {
                return block
            }
            switch outOfMemory(request, in: context) {
            case .nothing: return nil
            case .waiting:
                hang(.allocation(order: request.order, flags: profile.gfp.text(of: request.flags)))
                return nil
            case .killedCaller:
                pages.forcedFlags = [.high, .nonBlock]
                defer { pages.forcedFlags = nil }
                return attempt(&self)
            case .killed:
                if let block = attempt(&self) { return block }
                fruitless = 0
                kills += 1
                guard kills <= Self.maximumProcesses else { return nil }
            }
        }
    }

    /// Whether the request could be served if all were freed that may be: `should_reclaim_retry()`.
    private func isWorthAnotherRound(_ request: AllocationRequest, _ fruitless: Int) -> Bool {
        guard fruitless <= Self.mostRounds else { return false }
        let list = pages.zonelist(of: request)
        return (0..<list.count).contains { position in
            let zone = list[position]
            let mark = pages.zones[zone].watermarks.min + pages.zones[zone].watermarks.boost
            return pages.hasBlock(
                zone: zone,
                order: request.order,
                above: mark,
                highest: request.highestZone,
                further: reclaimablePages(zone: zone)
            )
        }
    }

    /// `drain_all_pages()`: every CPU's lists go back to the zones.
    mutating func drainPages() {
        for zone in pages.zones.indices { pages.drainPerCPU(zone: zone) }
    }

    /// A request that may not fail takes what is left; then it waits for ever.
    private mutating func neverFail<Block>(
        _ request: AllocationRequest,
        in context: CallContext,
        _ attempt: (inout Kernel) -> Block?
    ) -> Block? {
        defer { pages.forcedFlags = nil }
        let callsKiller =
            request.order <= GFPFlags.costlyOrder && request.highestZone >= .normal
            && request.flags.isDisjoint(with: [.thisNode, .retryMayFail])
        for flags in callsKiller ? [AllocFlags.noWatermarks, .high] : [.high] {
            if pages.decisions.isOn, flags == .noWatermarks {
                pages.decisions.add(
                    .slowPath(mark: "zero: __GFP_NOFAIL may have all memory")
                )
            }
            pages.forcedFlags = flags
            if let block = attempt(&self) { return block }
        }
        explainGivingUp(request)
        guard !isProbe, !isPanicked else { return nil }
        log.warnOnce(at: "mm/page_alloc.c", in: "__alloc_pages_slowpath", context)
        hang(.allocation(order: request.order, flags: profile.gfp.text(of: request.flags)))
        return nil
    }

    private mutating func explainGivingUp(_ request: AllocationRequest) {
        guard pages.decisions.isOn else { return }
        let reason =
            if request.flags.contains(.noFail) {
                "6.1 tries for ever, as __GFP_NOFAIL asks, and nothing else can be freed."
            } else if request.flags.contains(.noRetry) {
                "Direct reclaim did not free enough, and __GFP_NORETRY gives up at once: NULL."
            } else if request.order > GFPFlags.costlyOrder {
                "Direct reclaim made no block this large, and orders above 3 are not retried: NULL."
            } else {
                "Direct reclaim finds nothing that could be freed: NULL."
            }
        explainFragmentation(request)
        pages.decisions.add(.gaveUp(reason: reason))
    }
}
