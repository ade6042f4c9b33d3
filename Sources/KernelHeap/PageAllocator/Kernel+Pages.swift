extension Kernel {
    /// `alloc_pages()`: a block of 2^order pages, not cleared unless the flags say so.
    ///
    /// - Returns: the first frame; nil is NULL.
    public mutating func allocPages(
        order: Int,
        flags: GFPFlags,
        in context: CallContext = .standard
    ) -> PFN? {
        if order == 0, flags.isDisjoint(with: [.zero, .write]),
            !(slab.leavesFastPath || !context.canSleep),
            let pfn = pages.takeSingle(flags, cpu: context.cpu)
        {
            return PFN(rawValue: UInt64(pfn))
        }
        return allocPagesFully(order: order, flags: flags, in: context)
    }

    @inline(never)
    private mutating func allocPagesFully(
        order: Int,
        flags: GFPFlags,
        in context: CallContext
    ) -> PFN? {
        guard order >= 0, order <= Zone.maxOrder else {
            if !flags.contains(.noWarn) {
                log.warnOnce(
                    at: "mm/page_alloc.c:5634",
                    in: "__alloc_pages+0x2a9/0x330",
                    context
                )
            }
            return nil
        }
        let flags = gfpContext(flags, in: context)
        mightAllocate(flags, in: context)
        if pages.faults.isArmed { pages.faults.enter(context) }
        if order > 0, flags.isDisjoint(with: [.zero, .noFail, .write]), !slab.leavesFastPath,
            let pfn = pages.takeListed(order: order, flags, cpu: context.cpu)
        {
            return PFN(rawValue: UInt64(pfn))
        }
        let node = slab.nodeCount == 1 ? 0 : context.cpu % slab.nodeCount
        var request = AllocationRequest(
            order: order,
            flags: withReserves(flags, in: context),
            cpu: context.cpu,
            node: node,
            zones: pages.gfpZones
        )
        spreadDirtyPages(&request)
        let served =
            pages.allocate(request)
            ?? allocateUnderPressure(request, in: context) { [request] in
                $0.pages.allocate(request)
            }
        guard let pfn = served else {
            // A request that is refused on demand is refused before anything is reported.
            if !logInjectedFaults(context) { warnAboutFailure(order: order, flags, context) }
            return nil
        }
        guard chargeBlock(pfn, order: order, flags, in: context) else {
            freePages(PFN(rawValue: UInt64(pfn)), order: order, in: context)
            return nil
        }
        if order > 1 && flags.contains(.noFail) {
            // The kernel promises single pages and pairs alone: `rmqueue()`, case 83.
            log.warnOnce(
                at: "mm/page_alloc.c:3891",
                in: "get_page_from_freelist+0x1c2/0x11b0",
                context
            )
        }
        if flags.contains(.zero) || slab.catalog.options.initOnAlloc {
            pages.contents.clear(pfn, pages: 1 << order)
            clock.advance(by: MachineClock.clearedPageCost << UInt64(order))
        }
        if isSanitized {
            let block = PFN(rawValue: UInt64(pfn))
            noteSanitizedBlock(block, order: order, flags, in: context)
        }
        return PFN(rawValue: UInt64(pfn))
    }

    /// `warn_alloc()`: a line, and for the first of a burst of failures the memory report; the
    /// call trace between them is left out.
    mutating func warnAboutFailure(order: Int, _ flags: GFPFlags, _ context: CallContext) {
        guard !flags.contains(.noWarn), !isPanicked else { return }
        let name = process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
        let mode = hexadecimal(UInt64(profile.gfp.number(of: flags)))
        log.append(
            "\(name): page allocation failure: order:\(order), mode:\(mode)"
                + "(\(profile.gfp.text(of: flags))), nodemask=(null),cpuset=/,mems_allowed=0"
        )
        appendMemoryReport(flags, context)
    }

    /// The memory report, for the first failure of a burst.
    mutating func appendMemoryReport(_ flags: GFPFlags, _ context: CallContext) {
        guard log.startsMemoryReport(at: sequence) else { return }
        let report = memoryReport(highestZone: pages.gfpZones[flags], context)
        for line in report.lines { log.append(line) }
    }

    /// `show_mem()`.
    func memoryReport(highestZone: ZoneType, _ context: CallContext) -> MemInfoReport {
        var report = MemInfoReport(
            nodes: nodeViews(),
            highestZone: highestZone,
            cpu: context.cpu
        )
        report.swapFree = swap.freePages
        report.swapTotal = swap.totalPages
        return report
    }

    /// `alloc_pages_exact()`: so many bytes in whole pages; the rest of the block goes back.
    mutating func allocPagesExact(bytes: UInt64, flags: GFPFlags, in context: CallContext) -> PFN? {
        guard bytes > 0, let order = Self.order(ofBytes: bytes) else {
            return allocPages(order: Zone.orderCount, flags: flags, in: context)
        }
        let plain = flags.subtracting([.compound, .highMem])
        guard let pfn = allocPages(order: order, flags: plain, in: context) else { return nil }
        let frame = UInt32(truncatingIfNeeded: pfn.rawValue)
        let kept = Int((bytes + 4095) / 4096)
        splitBlock(frame)
        for offset in kept..<(1 << order) { uncharge(frame + UInt32(offset), pages: 1) }
        pages.releaseSurplus(frame, order: order, kept: kept, cpu: context.cpu)
        return pfn
    }

    /// `split_page()`: the pages of a block are blocks of their own from now on.
    mutating func splitBlock(_ frame: UInt32) {
        let page = pages.map[Int(frame)]
        pages.splitAllocated(frame)
        if page.isCharged { splitCharge(frame, order: page.order) }
    }

    /// `get_order()`, or nil where no block is large enough.
    static func order(ofBytes bytes: UInt64) -> Int? {
        guard bytes <= 4096 << UInt64(Zone.maxOrder) else { return nil }
        let pages = (max(bytes, 1) - 1) >> 12
        return UInt64.bitWidth - pages.leadingZeroBitCount
    }

    /// Where a block lies, for a call's detail.
    func detail(of pfn: UInt32) -> PagesDetail {
        let page = pages.map[Int(pfn)]
        let zone = pages.zones[min(page.zone, pages.zones.count - 1)]
        return PagesDetail(
            pfn: PFN(rawValue: UInt64(pfn)),
            order: UInt8(truncatingIfNeeded: page.order),
            zone: zone.type,
            node: UInt8(truncatingIfNeeded: zone.node),
            migrateType: pages.pageblockType(of: pfn),
            virtual: pageAddress(pfn)
        )
    }
}
