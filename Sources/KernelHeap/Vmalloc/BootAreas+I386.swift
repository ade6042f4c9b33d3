/// The areas that a freshly booted 6.1 on i386 has.
///
/// Sizes, makers and order are those of the recorded `vmallocinfo`, which hides addresses; these follow
/// from the recorded sequences of `vmalloc`, which fill the holes between (`i386/*/serve`, `conv`). All
/// recorded boots have the same distances from VMALLOC_START.
extension BootAreas {
    private struct Distance {
        var start: UInt64
        var size: UInt64
        /// Its place among the makers.
        var maker: Int
        var pageCount: UInt32 = 0
        /// Of devices; nil for the areas of pages.
        var physical: UInt64?
    }

    /// The makers of kernels without PAE, and then of those with it.
    static let makersI386 =
        [
            "acpi_os_map_iomem+0x211/0x240", "hpet_enable+0xc5/0x3da", "memremap+0xa9/0x170",
            "acpi_os_map_iomem+0x215/0x240", "hpet_enable+0xc7/0x3dc", "memremap+0xc4/0x1a0",
        ] + [
            "bpf_prog_alloc_no_stats+0x2b/0x1b0", "n_tty_open+0x16/0x90",
            "crypto_scomp_init_tfm+0x65/0xb0", "crypto_scomp_init_tfm+0x78/0xb0",
        ]

    /// A range that was freed and not purged when the boot ended.
    static func lazyI386(_ layout: AddressLayout) -> [Range<UInt64>] {
        let start = layout.vmallocStart + 0xd000
        return start + 0x4000 <= layout.vmallocEnd ? [start..<start + 0x4000] : []
    }

    /// The areas of a machine, ascending.
    ///
    /// - Parameters:
    ///   - memory: bytes of the machine, for the place of the firmware's tables.
    ///   - layout: of its addresses.
    ///   - hasPAE: whose makers have other offsets.
    /// - Returns: with what `vmallocinfo` says of each.
    static func linux61I386(
        memory: UInt64,
        _ layout: AddressLayout,
        hasPAE: Bool
    ) -> [VmallocArea] {
        let tables = max(min(memory, 0xc000_0000) & ~4_095, 0x12_0000) - 0x2_0000
        let first = hasPAE ? 3 : 0
        let distances = [
            Distance(start: 0, size: 0x2000, maker: first, physical: tables + 0x1000),
            Distance(start: 0x2000, size: 0x3000, maker: first, physical: tables),
            Distance(start: 0x5000, size: 0x2000, maker: first + 1, physical: 0xfed0_0000),
            Distance(start: 0x7000, size: 0x2000, maker: 6, pageCount: 1),
            Distance(start: 0x9000, size: 0x2000, maker: first, physical: 0xfed0_0000),
            Distance(start: 0xb000, size: 0x2000, maker: first + 2, physical: 0xf_5000),
            Distance(start: 0x1_1000, size: 0x4000, maker: 7, pageCount: 3),
            Distance(start: 0x5_3000, size: 0x2_1000, maker: 8, pageCount: 32),
            Distance(start: 0x7_4000, size: 0x2_1000, maker: 9, pageCount: 32),
            Distance(start: 0x35_c000, size: 0x4000, maker: 7, pageCount: 3),
        ]
        return distances.compactMap { distance in
            let start = layout.vmallocStart + distance.start
            guard start + distance.size <= layout.vmallocEnd else { return nil }
            let use = VmapUse(
                distance.physical == nil ? .alloc : .ioremap,
                maker: UInt32(makersX8664.count + distance.maker),
                pageCount: distance.pageCount,
                address: distance.physical ?? 0,
                isBoot: true
            )
            return VmallocArea(start..<start + distance.size, use)
        }
    }
}
