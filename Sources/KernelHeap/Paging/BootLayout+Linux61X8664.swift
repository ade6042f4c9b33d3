/// What 6.1 maps on x86_64: `init_mem_mapping()`, `mark_rodata_ro()`, `vmemmap_populate()`.
///
///     ffff8880 00000000  direct map: what the memory map calls usable, and the lowest MiB
///     ffffc900 00000000  vmalloc: a PUD for each 512 GiB is there, and empty
///     ffffea00 00000000  struct pages, section by section
///     fffffe00 00000000  each CPU's descriptor tables
///     ffffffff 80000000  the image a second time: text, read-only data, data
///     ffffffff ff579000  fixmap: the interrupt controllers
///
/// The image's borders are those of the recorded `iomem`. Tables stand in frames of the image and
/// in what the machine keeps at the top of memory; with zones spelled out there are no such frames.
extension BootLayout {
    /// `Kernel code`, `Kernel rodata` in the recorded `iomem`; the modelled image ends earlier.
    static let imageX8664 = KernelImage(
        text: 0x1000..<0x1e02,
        readOnlyData: 0x2000..<0x28eb,
        end: MemoryLayout61.dmaEnd + MemoryLayout61.imagePages
    )
    /// `swapper_pg_dir` and what follows it in the data section.
    private static let staticTables: Range<UInt64> = 0x2a10..<0x2a1a
    /// Frames of the image that are data, of which nobody knows the contents.
    private static let dataFrames: Range<UInt64> = 0x2c49..<0x3310
    private static let zeroPageX8664: UInt64 = 0x3310
    private static let interruptTable: UInt64 = 0x3311

    /// `MAXMEM`: how much the direct map can hold.
    private static let maximumMemory: UInt64 = 0x4000_0000_0000

    /// Frames of a machine as its boot finds them.
    struct Memory {
        /// Mapped by the direct map, ascending, whole pages.
        var frames: [Range<UInt64>]
        /// Kept at the top of memory for page structures and tables; empty where unknown.
        var top: Range<UInt64> = 0..<0
        /// Whether the kernel's image lies at its usual place.
        var hasImage = false
    }

    /// Lays out a machine.
    ///
    /// - Parameters:
    ///   - memory: of the machine.
    ///   - hasGigabytePages: `gbpages`: the processor maps 1 GiB at once.
    /// - Returns: what the kernel maps, and where its tables are.
    static func linux61X8664(_ memory: Memory, hasGigabytePages: Bool) -> BootLayout {
        var layout = BootLayout(format: .fourLevel, firstKernelIndex: 256)
        let image = memory.hasImage ? imageX8664 : nil
        layout.addDirectMap(memory.frames, image, largest: hasGigabytePages ? 30 : 21)
        let pool = layout.addDescriptors(of: memory)
        layout.addEntryArea(image)
        if let image { layout.addImage(image) }
        layout.addFixmap()
        layout.emptyTables = [(1, 0xffff_c900_0000_0000...0xffff_e8ff_ffff_ffff)]
        if image != nil {
            layout.tableFrames = [staticTables, dataFrames]
            layout.zeroFrame = zeroPageX8664
        } else {
            layout.zeroFrame = framesBeyondMemory.lowerBound - 1
        }
        layout.tableFrames += pool.filter { !$0.isEmpty }
        layout.tableFrames.append(framesBeyondMemory)
        return layout
    }

    private mutating func addDirectMap(
        _ frames: [Range<UInt64>],
        _ image: KernelImage?,
        largest: UInt64
    ) {
        let flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
        let readOnly = flags.subtracting(.writable)
        let parts = (image?.readOnlyParts ?? []).map { ($0, readOnly) }
        for range in frames where range.upperBound <= Self.maximumMemory >> 12 {
            let start = AddressLayout.x8664.pageOffset + range.lowerBound << 12
            add(
                BootExtent(
                    start: start,
                    end: start + UInt64(range.count) << 12,
                    physical: range.lowerBound << 12,
                    flags: flags,
                    largestShift: largest,
                    tableFlags: .table
                ),
                cutting: parts
            )
        }
    }

    /// Maps the struct pages of each section that has memory: 2 MiB of them from the top of memory.
    ///
    /// - Returns: the frames at the top that are left.
    private mutating func addDescriptors(of memory: Memory) -> [Range<UInt64>] {
        let sections = Self.sections(memory.frames)
        let needed = sections.reduce(0) { $0 + UInt64($1.count) } * 512
        guard needed <= UInt64(memory.top.count) else { return [memory.top] }
        // Where there is room for it, a section's are one large page.
        let aligned = (memory.top.lowerBound + 511) & ~511
        let base =
            aligned + needed <= memory.top.upperBound ? aligned : memory.top.lowerBound
        var frame = base
        for run in sections {
            let start = AddressLayout.x8664.descriptors + run.lowerBound << 21
            let count = UInt64(run.count)
            extents.append(
                BootExtent(
                    start: start,
                    end: start + count << 21,
                    physical: frame << 12,
                    flags: [.kernelPage, .noExecute],
                    largestShift: 21,
                    tableFlags: .table
                )
            )
            frame += count * 512
        }
        return [memory.top.lowerBound..<base, frame..<memory.top.upperBound]
    }

    /// Sections of 128 MiB that have memory, as runs.
    static func sections(_ frames: [Range<UInt64>]) -> [Range<UInt64>] {
        let size = MemoryLayout61.sectionPages
        var runs: [Range<UInt64>] = []
        for range in frames where !range.isEmpty {
            let first = range.lowerBound / size
            let end = (range.upperBound - 1) / size + 1
            if let last = runs.last, last.upperBound >= first {
                runs[runs.count - 1] = last.lowerBound..<max(end, last.upperBound)
            } else {
                runs.append(first..<end)
            }
        }
        return runs
    }

    private mutating func addEntryArea(_ image: KernelImage?) {
        guard image != nil else { return }
        let flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
        addPages(
            2,
            at: 0xffff_fe00_0000_0000,
            Self.interruptTable,
            flags.subtracting(.writable),
            .table
        )
    }

    private mutating func addImage(_ image: KernelImage) {
        let start = AddressLayout.x8664.imageOffset + image.text.lowerBound << 12
        let readOnly = PageTableEntry.Flags.kernelPage.subtracting(.writable)
        add(
            BootExtent(
                start: start,
                end: AddressLayout.x8664.imageOffset + image.end << 12,
                physical: image.text.lowerBound << 12,
                flags: [.kernelPage, .noExecute],
                largestShift: 21,
                tableFlags: .kernelTable
            ),
            cutting: [
                (image.text, readOnly), (image.readOnlyData, readOnly.union(.noExecute)),
            ]
        )
    }

    private mutating func addFixmap() {
        let flags: PageTableEntry.Flags = [.kernelDevice, .noExecute]
        addPages(1, at: 0xffff_ffff_ff5f_b000, 0xf_ec00, flags, .table)
        addPages(1, at: 0xffff_ffff_ff5f_c000, 0xf_ee00, flags, .table)
    }

    /// Maps single pages.
    mutating func addPages(
        _ count: UInt64,
        at start: UInt64,
        _ frame: UInt64,
        _ flags: PageTableEntry.Flags,
        _ tableFlags: PageTableEntry.Flags
    ) {
        extents.append(
            BootExtent(
                start: start,
                end: start + count << 12,
                physical: frame << 12,
                flags: flags,
                largestShift: 12,
                tableFlags: tableFlags
            )
        )
    }
}
