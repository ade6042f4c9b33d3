/// Free pages are brought side by side: `mm/compaction.c`, 6.1.
///
///     zone   | movable pages → ……………………………………………… ← free pages |
///              migrate scanner, upwards        free scanner, downwards
///
/// Pages that can be moved are taken from below and go to free pages above, until a block of the
/// wished order is free, or the scanners meet. What is moved, and to where, follows from the two
/// scanners alone; the kernel's short cuts through the free lists (`fast_isolate_freepages()`) and
/// its marks of pageblocks to be skipped are left out.
extension Kernel {
    /// Whether this kernel can move pages at all: kernels before 2.6.35 cannot.
    var hasCompaction: Bool { profile.platform != .classicI386 }

    /// Compacts for a request, and asks again: `__alloc_pages_direct_compact()`.
    ///
    /// - Parameters:
    ///   - request: as the page allocator refused it.
    ///   - retry: how hard to try; learns how it went.
    ///   - context: who waits meanwhile.
    ///   - attempt: asks again; has no effect where it fails.
    /// - Returns: what the attempt gave.
    mutating func directCompact<Block>(
        _ request: AllocationRequest,
        _ retry: inout CompactRetry,
        in context: CallContext,
        _ attempt: (inout Kernel) -> Block?
    ) -> Block? {
        guard request.order > 0, hasCompaction else {
            retry.result = .skipped
            return nil
        }
        let (result, zone) = tryToCompact(request, retry.priority, cpu: context.cpu)
        retry.result = result
        guard result != .skipped else { return nil }
        events[.compactStall] &+= 1
        guard let block = attempt(&self) else {
            events[.compactFail] &+= 1
            return nil
        }
        if let zone {
            changeCompaction(zone) { $0.noteSuccess(order: request.order, isServed: true) }
        }
        events[.compactSuccess] &+= 1
        return block
    }

    /// Compacts the request's zones until one has a block: `try_to_compact_pages()`.
    ///
    /// - Returns: the result that says most, and the zone that has a block now.
    private mutating func tryToCompact(
        _ request: AllocationRequest,
        _ priority: CompactPriority,
        cpu: Int
    ) -> (result: CompactResult, zone: Int?) {
        let list = pages.zonelist(of: request)
        var result = CompactResult.skipped
        guard request.flags.contains(.io) else {
            for position in 0..<list.count {
                explainSkipping(list[position], request.order, .needsIO)
            }
            return (result, nil)
        }
        for position in 0..<list.count {
            let zone = list[position]
            if priority != .syncFull, defersCompaction(zone, order: request.order) {
                result = max(result, .deferred)
                continue
            }
            let found = compact(zone: zone, request, priority, cpu: cpu)
            result = max(result, found)
            if found == .success {
                changeCompaction(zone) { $0.noteSuccess(order: request.order, isServed: false) }
                return (result, zone)
            }
            if priority != .async, found == .complete || found == .partialSkipped {
                changeCompaction(zone) { $0.noteFailure(order: request.order) }
            }
        }
        return (result, nil)
    }

    /// `compact_zone_order()`.
    private mutating func compact(
        zone: Int,
        _ request: AllocationRequest,
        _ priority: CompactPriority,
        cpu: Int
    ) -> CompactResult {
        let mode: MigrateMode = priority == .async ? .async : .syncLight
        var control = CompactControl(zone: zone, mode: mode, cpu: cpu)
        control.order = request.order
        control.migrateType = request.migrateType
        control.flags = request.flags
        control.highestZone = request.highestZone
        control.isDirect = true
        control.isWholeZone = priority == .syncFull
        control.ignoresPageblocks = priority == .syncFull
        return compact(&control)
    }

    /// Compacts a zone: `compact_zone()`.
    mutating func compact(_ control: inout CompactControl) -> CompactResult {
        if let refusal = refusesCompaction(control.zone, control.order, control.highestZone) {
            explainSkipping(control.zone, control.order ?? -1, refusal)
            return refusal == .blockIsThere ? .success : .skipped
        }
        let wasOn = pages.decisions.pause()
        pages.listBootMemory(zone: control.zone)
        setScanners(&control)
        let result = runScanners(&control)
        releaseFreePages(&control)
        renameDirtyPages(control.movedDirty)
        countScans(control)
        pages.decisions.resume(wasOn)
        explain(control, result)
        return result
    }

    private mutating func runScanners(_ control: inout CompactControl) -> CompactResult {
        var lastMigrated: Int?
        while true {
            if let result = finishedCompaction(&control) { return result }
            let start = control.migratePFN
            let block = start / pages.pageblockPages
            control.finishesPageblock =
                lastMigrated.map { $0 / pages.pageblockPages == block } ?? false
            isolateMigratePages(&control)
            if !control.migratePages.isEmpty {
                lastMigrated = start
                let outcome = migratePages(&control)
                if outcome == .noMemory, !scannersMet(control) { return .contended }
                if outcome != .allMoved, control.skipsOnFailure {
                    control.migratePFN = control.blockEnd(max(control.migratePFN - 1, 0))
                    lastMigrated = nil
                }
            }
            // What was freed merges only when it leaves the CPU's lists.
            guard let order = control.order, let last = lastMigrated,
                last < control.migratePFN & ~((1 << order) - 1)
            else { continue }
            pages.drainPerCPU(zone: control.zone, cpu: control.cpu)
            lastMigrated = nil
        }
    }

    /// Whether a compaction ends here: `__compact_finished()`.
    private mutating func finishedCompaction(_ control: inout CompactControl) -> CompactResult? {
        if scannersMet(control) {
            changeCompaction(control.zone) { $0.forgetPositions() }
            return control.isWholeZone ? .complete : .partialSkipped
        }
        guard let order = control.order, control.migratePFN % pages.pageblockPages == 0 else {
            return nil
        }
        let type = control.migrateType
        return pages.canServe(zone: control.zone, order: order, type: type) ? .success : nil
    }

    /// `compact_scanners_met()`.
    func scannersMet(_ control: CompactControl) -> Bool {
        control.freePFN >> pages.pageblockOrder <= control.migratePFN >> pages.pageblockOrder
    }

    /// Both scanners go on where they were, or begin at the ends of the zone.
    private mutating func setScanners(_ control: inout CompactControl) {
        let start = Int(clamping: pages.zones[control.zone].startPFN)
        let end = Int(clamping: pages.zones[control.zone].endPFN)
        let known = compactionState(control.zone)
        let last = (end - 1) & ~(pages.pageblockPages - 1)
        control.migratePFN = start
        control.freePFN = last
        guard !control.isWholeZone else { return }
        let migrate = control.isSync ? known.syncMigratePFN : known.asyncMigratePFN
        if (start..<end).contains(known.freePFN) { control.freePFN = known.freePFN }
        if (start..<end).contains(migrate) { control.migratePFN = migrate }
        changeCompaction(control.zone) { $0.freePFN = control.freePFN }
        if control.migratePFN == start { control.isWholeZone = true }
    }

    private mutating func countScans(_ control: CompactControl) {
        let migrated = UInt64(control.migrateScanned)
        let free = UInt64(control.freeScanned)
        events[.compactMigrateScanned] &+= migrated
        events[.compactFreeScanned] &+= free
        guard control.isDaemon else { return }
        events[.compactDaemonMigrateScanned] &+= migrated
        events[.compactDaemonFreeScanned] &+= free
    }

    func compactionState(_ zone: Int) -> ZoneCompaction {
        zoneCompaction.indices.contains(zone) ? zoneCompaction[zone] : ZoneCompaction()
    }

    /// Changes compaction's memory of a zone.
    mutating func changeCompaction(_ zone: Int, _ change: (inout ZoneCompaction) -> Void) {
        while zoneCompaction.count < pages.zones.count { zoneCompaction.append(ZoneCompaction()) }
        if zoneCompaction.indices.contains(zone) { change(&zoneCompaction[zone]) }
    }
}
