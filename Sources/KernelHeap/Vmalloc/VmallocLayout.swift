/// Where a machine's vmalloc area is, and when freed addresses are collected.
struct VmallocLayout: Sendable {
    /// `VMALLOC_START`.
    var start: UInt64 = 0
    /// `VMALLOC_END`, as the kernel's searches take it: no area ends behind it.
    var end: UInt64 = 0
    /// All addresses that areas are cut from; modules and the like are beside the vmalloc area.
    var space: Range<UInt64> = 0..<0
    /// More pages than these, freed and not yet purged, call the worker: `lazy_max_pages()`.
    var lazyMaximum: UInt64 = 0
    /// The largest alignment of an `ioremap` area, as a shift: `IOREMAP_MAX_ORDER`.
    var ioremapMaximumOrder: UInt64 = 12
    /// Pages of a block of `vm_map_ram()`: `VMAP_BBMAP_BITS`.
    var blockPages: UInt64 = 0
    /// The most that a block gives at once: `VMAP_MAX_ALLOC`.
    var blockMaximum: UInt64 = 0
    /// Large pages that an area may be mapped by, as an order; 0 for none.
    var hugeOrder = 0

    init() {}

    init(_ profile: MachineProfile, cpus: Int) {
        func constant(_ name: String) -> UInt64? {
            profile.constants.first { $0.name == name }?.value
        }
        let is64Bit = profile.pagingFormat.entryBytes == 8 && profile.pagingFormat.levelCount == 4
        start = constant("VMALLOC_START") ?? 0
        end = constant("VMALLOC_END") ?? start
        space = 1..<(is64Bit ? UInt64.max : UInt64(UInt32.max))
        // 32 MiB of addresses for each binary digit of the number of CPUs.
        let digits = UInt64(Int.bitWidth - max(cpus, 1).leadingZeroBitCount)
        lazyMaximum = digits * (32 << 20) / 4096
        ioremapMaximumOrder = constant("IOREMAP_MAX_ORDER") ?? (is64Bit ? 30 : 22)
        blockPages = constant("VMAP_BBMAP_BITS") ?? (is64Bit ? 256 : 64)
        blockMaximum = is64Bit ? 64 : 32
        hugeOrder = is64Bit ? 9 : 0
    }

    /// Where `vmalloc`, `vmap` and `ioremap` look.
    var range: Range<UInt64> { start..<max(start, end) }

    func contains(_ address: UInt64) -> Bool { start <= address && address < end }
}
