extension GFPTable {
    /// Linux 2.6, where one bit says that the caller may wait, and kswapd is always woken.
    public static let linux26: GFPTable = {
        let bits = [
            Bit(value: 0x1, flags: .dma), Bit(value: 0x2, flags: .highMem),
            Bit(value: 0x4, flags: .dma32), Bit(value: 0x10, flags: .directReclaim),
            Bit(value: 0x20, flags: .high), Bit(value: 0x40, flags: .io),
            Bit(value: 0x80, flags: .fs), Bit(value: 0x100, flags: .cold),
            Bit(value: 0x200, flags: .noWarn), Bit(value: 0x400, flags: .retryMayFail),
            Bit(value: 0x800, flags: .noFail), Bit(value: 0x1000, flags: .noRetry),
            Bit(value: 0x4000, flags: .compound), Bit(value: 0x8000, flags: .zero),
            Bit(value: 0x1_0000, flags: .noMemAlloc), Bit(value: 0x2_0000, flags: .hardWall),
            Bit(value: 0x4_0000, flags: .thisNode), Bit(value: 0x8_0000, flags: .reclaimable),
            Bit(value: 0x10_0000, flags: .movable),
        ]
        let compounds = [
            Entry("GFP_HIGHUSER_MOVABLE", 0x12_00d2), Entry("GFP_HIGHUSER", 0x2_00d2),
            Entry("GFP_USER", 0x2_00d0), Entry("GFP_KERNEL", 0xd0), Entry("GFP_NOFS", 0x50),
            Entry("GFP_ATOMIC", 0x20), Entry("GFP_NOIO", 0x10), Entry("GFP_DMA", 0x1),
        ]
        let names = [
            Entry("__GFP_HIGHMEM", 0x2), Entry("__GFP_DMA32", 0x4), Entry("__GFP_IO", 0x40),
            Entry("__GFP_FS", 0x80), Entry("__GFP_COLD", 0x100), Entry("__GFP_NOWARN", 0x200),
            Entry("__GFP_REPEAT", 0x400), Entry("__GFP_NOFAIL", 0x800),
            Entry("__GFP_NORETRY", 0x1000), Entry("__GFP_COMP", 0x4000),
            Entry("__GFP_ZERO", 0x8000), Entry("__GFP_NOMEMALLOC", 0x1_0000),
            Entry("__GFP_HARDWALL", 0x2_0000), Entry("__GFP_THISNODE", 0x4_0000),
            Entry("__GFP_RECLAIMABLE", 0x8_0000), Entry("__GFP_MOVABLE", 0x10_0000),
        ]
        let parsedOnly = [
            Entry("__GFP_DMA", 0x1), Entry("__GFP_WAIT", 0x10), Entry("__GFP_HIGH", 0x20),
            Entry("GFP_NOWAIT", 0), Entry("GFP_DMA32", 0x4),
        ]
        return GFPTable(
            entries: compounds + names + parsedOnly,
            printed: compounds + names,
            bitCount: 21,
            translation: bits,
            implied: .kswapdReclaim
        )
    }()
}
