extension Kernel {
    /// `__free_pages()`: drops a reference; the last one gives the block back.
    ///
    /// Follows 6.1: while others hold the head of a block that is not compound, the halves above it
    /// go back at once, and the last holder frees one page. A page that is free already, or inside a
    /// block, loses a reference below zero and nothing else happens; it is reported when it next
    /// leaves a list, or when its block is freed. A block larger than was allocated holds pages that
    /// others use or that were never free: it is reported and kept, and so is a page that a process
    /// maps.
    public mutating func freePages(
        _ pfn: PFN,
        order: Int,
        in context: CallContext = .standard
    ) {
        guard pfn.rawValue < UInt64(pages.map.capacity) else { return }
        let frame = UInt32(truncatingIfNeeded: pfn.rawValue)
        if order == 0, pages.releaseSingle(frame, cpu: context.cpu) { return }
        freeSlowly(frame, order: order, in: context)
    }

    @inline(never)
    private mutating func freeSlowly(_ frame: UInt32, order: Int, in context: CallContext) {
        if isSanitized {
            noteFreedBlock(PFN(rawValue: UInt64(frame)), order: order, in: context)
        }
        if pages.releaseListed(frame, order: order, cpu: context.cpu) { return }
        let page = pages.map[Int(frame)]
        defer { if !pages.badPages.isEmpty { logBadPages(context) } }
        guard page.kind == .allocated else {
            if page.kind == .slab {
                return report(frame, .flags, references: 1)
            }
            // A page that the boot kept has one reference, and its flag.
            if page.kind == .inner, case .reserved = frameRun(at: UInt64(frame), limit: 0).use {
                return report(frame, .flags, references: 0)
            }
            return pages.dropReference(frame)
        }
        if page.word > 1 {
            pages.map[Int(frame)].word = page.word - 1
            if !page.isCompound && order > 0 && order <= page.order && !page.isOnLRU {
                uncharge(frame, pages: UInt64(1) << UInt64(page.order) - 1, isWhole: false)
                pages.releaseUpperHalves(frame, order: order, cpu: context.cpu)
                pages.map[Int(frame)].isCharged = page.isCharged
            }
            return
        }
        // A process would give its page back a second time, whoever had it then; a page table has
        // its type where a map count would be.
        guard !page.isOnLRU, !page.isPageTable else {
            return report(frame, .mapCount, references: 0)
        }
        guard (0...page.order).contains(order) else {
            return report(frame, .references, references: 0)
        }
        guard !page.isReserved else { return report(frame, .flags, references: 0) }
        uncharge(frame, pages: UInt64(1) << UInt64(page.order))
        pages.releaseChecked(frame, order: order, cpu: context.cpu)
    }

    /// `get_page()`: takes a reference; to a compound page's head, whichever page is named.
    mutating func getPage(_ frame: UInt32) {
        let head = pages.compoundHead(of: frame)
        let page = pages.map[Int(head)]
        switch page.kind {
        case .allocated:
            if page.word < UInt32(Int32.max) { pages.map[Int(head)].word = page.word + 1 }
        case .slab: break
        case .perCPU: pages.map[Int(head)].word = page.word &+ 1
        case .buddy, .inner: pages.strayReferences.change(head, by: 1)
        }
    }

    /// `put_page()`: drops a reference; the last one frees a compound page as a whole, and of any
    /// other block one page.
    mutating func putPage(_ frame: UInt32, in context: CallContext) {
        let head = pages.compoundHead(of: frame)
        let page = pages.map[Int(head)]
        let order = page.kind == .allocated && page.isCompound ? page.order : 0
        freePages(PFN(rawValue: UInt64(head)), order: order, in: context)
    }

    /// `mark_page_reserved()`: the page is not the allocator's; its count of managed pages falls.
    mutating func markPageReserved(_ frame: UInt32) {
        let page = pages.map[Int(frame)]
        guard page.kind == .allocated, !page.isReserved, page.zone < pages.zones.count else {
            return
        }
        pages.map[Int(frame)].isReserved = true
        if pages.zones[page.zone].managed > 0 { pages.zones[page.zone].managed -= 1 }
    }

    /// `free_reserved_page()`: a reserved page becomes the allocator's, free.
    ///
    /// Only pages that `mark_page_reserved()` took are known to be nobody's.
    mutating func freeReservedPage(_ frame: UInt32, in context: CallContext) {
        let page = pages.map[Int(frame)]
        guard page.kind == .allocated, page.isReserved, page.order == 0, !page.isOnLRU,
            !page.isPageTable
        else {
            return
        }
        pages.map[Int(frame)].isReserved = false
        pages.map[Int(frame)].word = 1
        pages.zones[page.zone].managed += 1
        freePages(PFN(rawValue: UInt64(frame)), order: 0, in: context)
    }

    private mutating func report(_ frame: UInt32, _ reason: BadPage.Reason, references: Int32) {
        pages.report(
            BadPage(
                frame: frame,
                reason: reason,
                references: references,
                place: .head,
                layout: layout
            )
        )
    }

    /// Prints what the allocator found: `bad_page()`; modules and the call trace are left out.
    ///
    /// Of many reports the kernel prints the first ones.
    mutating func logBadPages(_ context: CallContext) {
        let name = process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
        for page in pages.badPages where log.startsBadPageReport(at: sequence) {
            let zone = pages.zoneIndex(of: UInt64(page.frame)).map { pages.zones[$0] }
            for line in page.lines(process: name, zone: zone?.type ?? .dma, node: zone?.node ?? 0) {
                log.append(line)
            }
            if let owner = page.owner { for line in dumpLines(of: owner) { log.append(line) } }
        }
        log.omitBadPages(pages.omittedBadPages)
        pages.omittedBadPages = 0
        pages.badPages = []
        log.taint.insert(.badPage)
        log.appendOnce("Disabling lock debugging due to kernel taint")
    }
}
