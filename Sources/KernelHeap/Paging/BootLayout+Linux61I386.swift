/// What 6.1 maps on i386, with two levels or PAE: the recorded `kwalk`.
///
///     c0000000  low memory: 4 KiB pages in the first large one, where the image's rights change,
///               and in the last, odd one; large pages elsewhere
///     fec00000  pkmap: a table, and nothing in it
///     ff400000  each CPU's descriptor tables
///     ffffc000  fixmap: the interrupt controller
extension BootLayout {
    static let lowMemoryStart: UInt64 = 0xc000_0000

    /// The image as the recorded `iomem` has it; it ends where the modelled one does.
    static func imageI386(_ space: I386AddressSpace) -> KernelImage {
        let text: Range<UInt64> = space.hasPAE ? 0x1000..<0x1934 : 0x1000..<0x191c
        let readOnlyEnd: UInt64 = space.hasPAE ? 0x1c51 : 0x1c39
        return KernelImage(
            text: text,
            readOnlyData: text.upperBound..<readOnlyEnd,
            end: MemoryLayout61.dmaEnd + MemoryLayoutI386(space: space).imagePages
        )
    }
    /// Where the sections of the boot end, in frames; the recorded `iomem` has bss behind them.
    private static let initEndI386: UInt64 = 0x1e77
    /// Frames of the image that are data, of which nobody knows the contents.
    private static let dataFramesI386: Range<UInt64> = 0x1d80..<0x1e20
    /// Frames that a table's entry of four bytes can name and that are firmware on every PC: the tables
    /// of machines that leave the kernel no frame.
    private static let firmwareFrames: Range<UInt64> = 0xf_ff00..<0xf_ffff

    /// Lays out a machine.
    ///
    /// - Parameters:
    ///   - memory: low memory of the machine.
    ///   - space: the kernel's gigabyte.
    ///   - cpus: how many GDTs there are.
    /// - Returns: what the kernel maps, and where its tables are.
    static func linux61I386(
        _ memory: Memory,
        _ space: I386AddressSpace,
        cpus: Int
    ) -> BootLayout {
        let format: PagingFormat = space.hasPAE ? .pae : .twoLevel
        let rootIndex = format.index(lowMemoryStart, 0)
        var layout = BootLayout(format: format, firstKernelIndex: rootIndex)
        let image = imageI386(space)
        layout.tableFrames = [memory.hasImage ? dataFramesI386 : firmwareFrames]
        layout.zeroFrame =
            memory.hasImage ? image.end - 2 : firmwareFrames.lowerBound - 1
        for frames in memory.frames {
            layout.addLow(frames, memory.hasImage ? image : nil)
        }
        let windows = space.permanentMaps << 12
        let pkmap = space.pkmapBase...space.pkmapBase + windows - 1
        // Short maps of all CPUs may reach below the last table.
        let fixmap = space.fixmapStart...0xffff_ffff
        layout.emptyTables = [(format.leafLevel, pkmap), (format.leafLevel, fixmap)]
        if !space.isClassic {
            let readOnly = PageTableEntry.Flags.kernelPage.subtracting(.writable)
            let flags = readOnly.union(.noExecute)
            layout.addPages(1, at: space.cpuEntryAreas, image.end - 1, flags, .table)
        }
        layout.addDescriptors(cpus: cpus, memory.hasImage ? image : nil, space)
        layout.addPages(
            1,
            at: 0xffff_c000,
            0xf_ee00,
            [.kernelDevice, .noExecute],
            format.hasNoExecute ? .table : .kernelTable
        )
        return layout
    }

    /// Maps memory as the kernel leaves it: the image's parts have rights of their own.
    private mutating func addLow(_ frames: Range<UInt64>, _ image: KernelImage?) {
        // A large vmalloc area may leave so little low memory that the image is not all in it.
        guard let image, frames.contains(image.text.lowerBound),
            image.readOnlyData.upperBound <= frames.upperBound
        else {
            return addLow(frames, frames.lowerBound < 0x400 ? .kernelTable : .table)
        }
        let readOnly = PageTableEntry.Flags.kernelPage.subtracting(.writable)
        addLow(frames.lowerBound..<image.text.lowerBound, .kernelTable)
        if format.hasNoExecute {
            addLow(image.text, .kernelTable, readOnly)
            addLow(image.readOnlyData, .kernelTable, readOnly.union(.noExecute))
        } else {
            // Without NX both are alike, and large pages cross the border.
            let parts = image.text.lowerBound..<image.readOnlyData.upperBound
            addLow(parts, .kernelTable, readOnly)
        }
        // What is freed after the boot loses its right to execute by the page.
        let dataStart = image.readOnlyData.upperBound
        let cut = format.hasNoExecute ? min(Self.initEndI386, frames.upperBound) : dataStart
        addLow(dataStart..<max(cut, dataStart), .table)
        addLow(max(cut, dataStart)..<frames.upperBound, .table)
    }

    /// Gives the CPUs their descriptor tables, in frames of the image's data.
    private mutating func addDescriptors(
        cpus: Int,
        _ image: KernelImage?,
        _ space: I386AddressSpace
    ) {
        let end =
            image == nil ? Self.firmwareFrames.lowerBound - 1 : Self.dataFramesI386.lowerBound
        let cpus = min(max(cpus, 1), BootDescriptors.maximumCPUs)
        addDescriptors(
            cpus: cpus,
            first: end - UInt64(cpus * BootDescriptors.pagesPerCPU),
            // Without an image nothing in the direct map is the kernel's own.
            hasEntryAreas: !space.isClassic || image == nil
        )
    }

    private mutating func addLow(
        _ frames: Range<UInt64>,
        _ tableFlags: PageTableEntry.Flags,
        _ flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
    ) {
        guard !frames.isEmpty else { return }
        let start = Self.lowMemoryStart + frames.lowerBound << 12
        extents.append(
            BootExtent(
                start: start,
                end: start + UInt64(frames.count) << 12,
                physical: frames.lowerBound << 12,
                flags: flags,
                largestShift: format.shift(format.leafLevel - 1),
                tableFlags: tableFlags
            )
        )
    }
}
