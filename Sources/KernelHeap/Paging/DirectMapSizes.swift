/// How much of the direct map is mapped by pages of which size: `direct_pages_count`.
public struct DirectMapSizes: Hashable, Sendable {
    /// Bytes in pages of 4 KiB.
    public var small: UInt64 = 0
    /// Bytes in pages of 2 MiB; of 4 MiB with two levels of tables.
    public var large: UInt64 = 0
    /// Bytes in pages of 1 GiB; nil where the processor has none.
    public var gigabyte: UInt64?
}

extension BootExtent {
    /// Bytes of the extent that pages of a size may map.
    ///
    /// - Parameter shift: of the page's size.
    /// - Returns: the addresses between the first and the last boundary of that size; 0 where they
    ///   and the frames behind them are not aligned alike.
    func mappableBytes(shift: UInt64) -> UInt64 {
        let size: UInt64 = 1 << shift
        guard shift <= largestShift, (start &- physical) & (size - 1) == 0 else { return 0 }
        let first = start / size + (start % size == 0 ? 0 : 1)
        let end = end / size
        return end > first ? (end - first) << shift : 0
    }
}

extension BootLayout {
    /// What the entries of a range of addresses add up to, by the size of their pages.
    ///
    /// - Parameters:
    ///   - addresses: of the direct map.
    ///   - hasGigabytePages: whether the kernel counts those.
    /// - Returns: the bytes that the boot maps there.
    func pageSizes(
        in addresses: Range<UInt64>,
        hasGigabytePages: Bool
    ) -> DirectMapSizes {
        var sizes = DirectMapSizes()
        if hasGigabytePages { sizes.gigabyte = 0 }
        let largeShift = format.shift(format.leafLevel - 1)
        for extent in extents where addresses.contains(extent.start) {
            let gigabytes = hasGigabytePages ? extent.mappableBytes(shift: 30) : 0
            let large = extent.mappableBytes(shift: largeShift)
            sizes.gigabyte? &+= gigabytes
            sizes.large &+= large - min(large, gigabytes)
            sizes.small &+= extent.end - extent.start - max(large, gigabytes)
        }
        return sizes
    }
}

extension Kernel {
    /// How the direct map was made at boot.
    public func directMapSizes() -> DirectMapSizes {
        let boot = bootTables()
        return boot.layout.pageSizes(
            in: layout.pageOffset..<max(layout.vmallocStart, layout.pageOffset),
            hasGigabytePages: BootOptions(machine.bootOptions).contains("gbpages")
                && !layout.is32Bit
        )
    }
}
