/// The areas that a freshly booted 6.1 on x86_64 has: the recorded `vmallocinfo` of one CPU.
///
/// Addresses alone: what is behind them, nobody knows, and nothing is mapped there. All recorded
/// machines with one CPU have these areas, whatever their memory; machines with more CPUs, which
/// have more of them, are given the same.
enum BootAreas {
    private struct Row {
        var start: UInt64
        var size: UInt64
        var maker: UInt32
        var pageCount: UInt32
        var flags: VmapUse.Flags
        var address: UInt64

        init(
            _ start: UInt64,
            _ size: UInt64,
            _ maker: UInt32,
            _ pageCount: UInt32,
            _ flags: VmapUse.Flags,
            at address: UInt64 = 0
        ) {
            self.start = start
            self.size = size
            self.maker = maker
            self.pageCount = pageCount
            self.flags = flags
            self.address = address
        }
    }

    /// Who made the areas, as `/proc/vmallocinfo` names them.
    static let makers = makersX8664 + makersI386
    static let makersX8664 = [
        "irq_init_percpu_irqstack+0xf0/0x120",
        "acpi_os_map_iomem+0x1b6/0x1d0",
        "hpet_enable+0xef/0x46d",
        "gen_pool_add_owner+0x3a/0xc0",
        "kernel_clone+0xbf/0x430",
        "bpf_prog_alloc_no_stats+0x31/0x1f0",
        "memremap+0x159/0x210",
        "pcpu_create_chunk+0x167/0x1b0",
        "pcpu_create_chunk+0x4e/0x1b0",
        "pcpu_create_chunk+0x75/0x1b0",
        "pcpu_create_chunk+0x92/0x1b0",
        "crypto_scomp_init_tfm+0x75/0xe0",
        "crypto_scomp_init_tfm+0x93/0xe0",
        "n_tty_open+0x14/0xa0",
        "pcpu_get_vm_areas+0x0/0x1080",
        "bpf_prog_pack_alloc+0x292/0x3b0",
        "load_module+0xbb7/0x21a0",
    ]
    private static let stackMaker: UInt32 = 4

    /// Kernel stacks of 16 KiB with a guard page, each at a multiple of 32 KiB.
    private static let stacks: [Range<UInt64>] = [2..<37, 170..<178, 179..<181]
    private static let rows = [
        Row(0xffffc90000000000, 0x5000, 0, 0, .map),
        Row(0xffffc90000005000, 0x2000, 1, 0, .ioremap, at: tables + 0x1000),
        Row(0xffffc90000008000, 0x3000, 1, 0, .ioremap, at: tables),
        Row(0xffffc9000000b000, 0x2000, 2, 0, .ioremap, at: 0xfed00000),
        Row(0xffffc9000000d000, 0x2000, 3, 1, .alloc),
        Row(0xffffc90000015000, 0x2000, 5, 1, .alloc),
        Row(0xffffc9000001d000, 0x2000, 3, 1, .alloc),
        Row(0xffffc90000025000, 0x2000, 3, 1, .alloc),
        Row(0xffffc9000002d000, 0x2000, 3, 1, .alloc),
        Row(0xffffc90000035000, 0x2000, 1, 0, .ioremap, at: 0xfed00000),
        Row(0xffffc9000003d000, 0x2000, 6, 0, .ioremap, at: 0xf5000),
        Row(pageArray, 0x3000, 7, 2, .alloc),
        Row(0xffffc90000125000, 0x11000, 8, 16, .alloc),
        Row(0xffffc90000136000, 0x12000, 9, 17, .alloc),
        Row(0xffffc90000148000, 0x5000, 10, 4, .alloc),
        Row(0xffffc9000014d000, 0x401000, 7, 1024, .alloc, at: pageArray),
        Row(0xffffc900005e7000, 0x21000, 11, 32, .alloc),
        Row(0xffffc90000608000, 0x21000, 12, 32, .alloc),
        Row(0xffffc90000900000, 0x4000, 13, 3, .alloc),
        Row(0xffffe8ffffc00000, 0x200000, 14, 0, .alloc),
        Row(0xffffffffc0000000, 0x201000, 15, 512, .alloc),
        Row(0xffffffffc0201000, 0x1d000, 16, 28, .alloc),
        Row(0xffffc9000062c000, 0x5000, stackMaker, 4, .alloc),
        Row(0xffffc90000634000, 0x5000, stackMaker, 4, .alloc),
    ]
    /// Holds the page pointers of the one boot area that has too many for a page.
    private static let pageArray: UInt64 = 0xffff_c900_0004_5000
    /// Stands for the firmware's tables, which lie at the top of memory below 3 GiB.
    private static let tables: UInt64 = 0x3ffe_0000

    /// The areas of a machine, ascending.
    ///
    /// - Parameter memory: bytes of the machine.
    /// - Returns: with what `vmallocinfo` says of each.
    static func linux61X8664(memory: UInt64) -> [VmallocArea] {
        let top = min(memory, 0xc000_0000) & ~4095
        let tables = top > 0x10_0000 ? top - 0x2_0000 : 0
        var areas = rows.map { row in
            let isTable = row.flags == .ioremap && row.address >> 16 == Self.tables >> 16
            let address = isTable ? row.address - Self.tables + tables : row.address
            var use = VmapUse(
                row.flags,
                maker: row.maker,
                pageCount: row.pageCount,
                address: address,
                isBoot: true
            )
            use.isPageArray = row.start == Self.pageArray
            return VmallocArea(row.start..<row.start + row.size, use)
        }
        for number in stacks.joined() {
            let start = 0xffff_c900_0000_0000 + number * 0x8000
            let use = VmapUse(.alloc, maker: stackMaker, pageCount: 4, isBoot: true)
            areas.append(VmallocArea(start..<start + 0x5000, use))
        }
        return areas.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}
