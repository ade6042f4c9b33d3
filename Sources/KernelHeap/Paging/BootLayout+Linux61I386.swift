/// What 6.1 maps on i386, with two levels or PAE: the recorded `kwalk`.
///
///     c0000000  low memory: 4 KiB pages in the first large one, where the image's rights change,
///               and in the last, odd one; large pages elsewhere
///     fec00000  pkmap: a table, and nothing in it
///     ff400000  each CPU's descriptor tables
///     ffffc000  fixmap: the interrupt controller
extension BootLayout {
    static let lowMemoryStart: UInt64 = 0xc000_0000

    /// Lays out a machine with more low memory than its image.
    ///
    /// - Parameters:
    ///   - format: `twoLevel` or `pae`.
    ///   - image: of the kernel, in frames.
    ///   - lowEnd: the frame behind low memory.
    ///   - tableFrames: where the tables are.
    ///   - zeroFrame: `empty_zero_page`.
    /// - Returns: what the kernel maps, and where its tables are.
    static func linux61I386(
        _ format: PagingFormat,
        image: KernelImage,
        lowEnd: UInt64,
        tableFrames: [Range<UInt64>],
        zeroFrame: UInt64
    ) -> BootLayout {
        let rootIndex = format.index(lowMemoryStart, 0)
        var layout = BootLayout(format: format, firstKernelIndex: rootIndex)
        layout.tableFrames = tableFrames
        layout.zeroFrame = zeroFrame
        layout.addLow(0..<0x100, .kernelTable)
        let readOnly = PageTableEntry.Flags.kernelPage.subtracting(.writable)
        layout.addLow(0x100..<image.text.lowerBound, .kernelTable)
        if format.hasNoExecute {
            layout.addLow(image.text, .kernelTable, readOnly)
            layout.addLow(image.readOnlyData, .kernelTable, readOnly.union(.noExecute))
        } else {
            // Without NX both are alike, and large pages cross the border.
            let parts = image.text.lowerBound..<image.readOnlyData.upperBound
            layout.addLow(parts, .kernelTable, readOnly)
        }
        layout.addLow(image.readOnlyData.upperBound..<lowEnd, .table)
        layout.emptyTables = [(format.leafLevel, 0xfec0_0000...0xfeff_ffff)]
        layout.addPages(1, at: 0xff40_0000, image.end - 1, readOnly.union(.noExecute), .table)
        layout.addPages(
            1,
            at: 0xffff_c000,
            0xf_ee00,
            [.kernelDevice, .noExecute],
            format.hasNoExecute ? .table : .kernelTable
        )
        return layout
    }

    private mutating func addLow(
        _ frames: Range<UInt64>,
        _ tableFlags: PageTableEntry.Flags,
        _ flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
    ) {
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
