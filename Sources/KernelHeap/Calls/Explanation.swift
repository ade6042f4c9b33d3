/// One step of the path to a decision, in the order in which the kernel took it.
///
/// The engine records facts; the sentence is made from them when somebody asks.
public enum ExplanationStep: Hashable, Sendable {
    /// A size was served by a kmalloc cache.
    case cacheChosen(cache: String, requested: UInt64, objectSize: UInt64)
    /// A size above the largest cache went to the page allocator.
    case largeKmalloc(requested: UInt64, order: Int)
    /// Which list an object came from.
    case objectTaken(from: ObjectSource, slab: PFN, index: Int)
    /// Which zone and mobility class the GFP flags ask for.
    case requestClassified(flags: GFPFlags, highestZone: ZoneType, migrateType: MigrateType)
    /// The watermark test of a zone passed.
    case zoneAccepted(WatermarkTest)
    /// The watermark test of a zone refused.
    case zoneRefused(WatermarkTest)
    /// The allocation goes on with lower marks.
    case slowPath(mark: String)
    /// A per-CPU list served the page.
    case perCPUListServed(zone: ZoneType, list: Int, pfn: PFN, count: Int)
    /// A per-CPU list was filled from the buddy lists.
    case perCPUListRefilled(zone: ZoneType, list: Int, blocks: Int)
    /// A free block was taken from a buddy list.
    case blockTaken(zone: ZoneType, order: Int, migrateType: MigrateType, pfn: PFN)
    /// The block was larger than asked for and was split down.
    case blockSplit(pfn: PFN, from: Int, to: Int)
    /// Another mobility class gave a block, and perhaps its whole pageblock.
    case fallback(from: MigrateType, to: MigrateType, order: Int, pfn: PFN, wholeBlock: Bool)
    /// A block was freed and merged upwards.
    case blockFreed(pfn: PFN, order: Int, mergedOrder: Int, atTail: Bool)
    /// Pages went back from the per-CPU lists.
    case perCPUListsTrimmed(zone: ZoneType, pages: Int)
    /// A range was checked against the end of user space.
    case userRangeChecked(address: LinearAddress, length: UInt64, accepted: Bool)
    /// A page of user space was faulted in.
    case pageFaulted(address: LinearAddress, pfn: PFN)
    /// A user copy stopped.
    case copyStopped(fault: UserFault, copied: UInt64)
    /// A pageblock was set aside for high-order atomic requests; `reserved` pages are now.
    case highAtomicReserved(zone: ZoneType, pageblock: PFN, reserved: Int)
    /// A pageblock set aside was given back, because memory is short.
    case highAtomicReturned(zone: ZoneType, pageblock: PFN, reserved: Int)
    /// The caller freed pages itself; `priority` says how hard it had to look, 12 hardly, 0 everywhere.
    case reclaimed(pages: Int, priority: Int)
    /// A zone was not compacted.
    case compactionSkipped(zone: ZoneType, order: Int, reason: CompactionRefusal)
    /// Pages were moved to bring free ones side by side.
    case compacted(CompactionSummary)
    /// A zone has free pages, but none side by side.
    case fragmented(FragmentationReport)
    /// The OOM killer chose a process.
    case processKilled(pid: Int, pages: UInt64)
    /// Nothing was left to try.
    case gaveUp(reason: String)
    /// What would have let the request succeed; tried on a fork of the machine.
    case wouldSucceedIf(Alternative)
}

/// Where a slab object came from.
public enum ObjectSource: String, Hashable, Sendable {
    case cpuFreelist = "cpu_freelist"
    case cpuSlab = "cpu_slab"
    case cpuPartial = "cpu_partial"
    case nodePartial = "node_partial"
    case newSlab = "new_slab"
}

/// The numbers that a watermark test compared, in pages.
public struct WatermarkTest: Hashable, Sendable {
    public var zone: ZoneType
    public var node: Int
    public var order: Int
    /// `min`, `low` or `high`.
    public var mark: String
    public var free: Int64
    public var markPages: Int64
    public var reserve: Int64
}
