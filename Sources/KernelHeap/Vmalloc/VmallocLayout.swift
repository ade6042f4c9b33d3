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
    /// Freed addresses can be had again at once, as before 2.6.28.
    var purgesAtOnce = false

    init() {}

    /// The vmalloc area of a machine.
    ///
    /// - Parameters:
    ///   - layout: of the machine's addresses.
    ///   - cpus: how many; more wait longer with a purge.
    ///   - purgesAtOnce: whether there is nothing to wait for.
    init(_ layout: AddressLayout, cpus: Int, purgesAtOnce: Bool = false) {
        start = layout.vmallocStart
        end = layout.vmallocEnd
        space = 1..<layout.addressMask
        // 32 MiB of addresses for each binary digit of the number of CPUs.
        let digits = UInt64(Int.bitWidth - max(cpus, 1).leadingZeroBitCount)
        lazyMaximum = digits * (32 << 20) / 4096
        ioremapMaximumOrder = layout.is32Bit ? 22 : 30
        blockPages = layout.is32Bit ? 64 : 256
        blockMaximum = layout.is32Bit ? 32 : 64
        hugeOrder = layout.is32Bit ? 0 : 9
        self.purgesAtOnce = purgesAtOnce
    }

    /// Where `vmalloc`, `vmap` and `ioremap` look.
    var range: Range<UInt64> { start..<max(start, end) }

    func contains(_ address: UInt64) -> Bool { start <= address && address < end }
}
