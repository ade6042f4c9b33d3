/// Addresses that are constants of the kernel, one page each, counted downwards from `FIXADDR_TOP`.
///
///     index   0          3                      68 = FIX_KMAP_BEGIN
///             fffff000   ffffc000 (the APIC)    fffbb000  …  16 pages for each CPU  …
///
/// Slots up to `FIX_KMAP_BEGIN` have names; those behind it serve short maps of high memory, a block
/// for each CPU. The classic kernel has in each block a slot for every `km_type`.
struct Fixmap: Hashable, Sendable {
    /// `FIXADDR_TOP`: the address of index 0.
    let top: UInt64
    /// `FIXADDR_START`.
    let start: UInt64
    /// `FIX_KMAP_BEGIN`, where the kernel has short maps.
    let firstMap: UInt64?
    /// `KM_MAX_IDX`, or `KM_TYPE_NR` of the classic kernel.
    let mapsPerCPU: UInt64
    /// `NR_CPUS`.
    let cpuLimit: UInt64

    /// The recorded index of the first short map.
    static let firstMapI386: UInt64 = 68

    /// The fixed maps of a machine.
    ///
    /// - Parameters:
    ///   - layout: of its addresses.
    ///   - space: of a 32-bit machine.
    init(_ layout: AddressLayout, _ space: I386AddressSpace?) {
        start = layout.fixmapStart
        guard let space else {
            top = 0xffff_ffff_ff7f_f000
            firstMap = nil
            mapsPerCPU = 0
            cpuLimit = 0
            return
        }
        top = I386AddressSpace.fixmapTop
        firstMap = Self.firstMapI386
        mapsPerCPU = space.isClassic ? UInt64(KmapType.allCases.count) : I386AddressSpace.atomicMaps
        cpuLimit = I386AddressSpace.cpuLimit
    }

    /// `__end_of_permanent_fixed_addresses`.
    var slotCount: UInt64 { (top - start) >> 12 }

    /// `__fix_to_virt()`; the caller has checked the index.
    func address(of index: UInt64) -> UInt64 { top - index << 12 }

    /// `fix_to_virt()`, or nil for an index that would not compile.
    func checkedAddress(of index: UInt64) -> UInt64? {
        index < slotCount ? address(of: index) : nil
    }

    /// `virt_to_fix()`, or nil where the kernel stops.
    func index(of address: UInt64) -> UInt64? {
        guard address >= start, address < top else { return nil }
        return (top - address & ~4_095) >> 12
    }

    /// The index of a CPU's map, or nil on machines without.
    func mapIndex(cpu: Int, _ number: Int) -> UInt64? {
        firstMap.map { $0 + UInt64(cpu) % max(cpuLimit, 1) * mapsPerCPU + UInt64(number) }
    }

    /// Whether an address lies among the short maps of all CPUs.
    func isMap(_ address: UInt64) -> Bool {
        guard let firstMap else { return false }
        let last = firstMap + mapsPerCPU * cpuLimit - 1
        return address >= self.address(of: last) && address <= self.address(of: firstMap)
    }
}

/// What a short map of the classic kernel is for: `enum km_type` of 2.6.
enum KmapType: UInt64, CaseIterable, Sendable {
    case bounceRead, skbSunrpcData, skbDataSoftirq, user0, user1, bioSourceIRQ, bioTargetIRQ
    case pte0, pte1, irq0, irq1, softirq0, softirq1

    var name: String {
        switch self {
        case .bounceRead: "KM_BOUNCE_READ"
        case .skbSunrpcData: "KM_SKB_SUNRPC_DATA"
        case .skbDataSoftirq: "KM_SKB_DATA_SOFTIRQ"
        case .user0: "KM_USER0"
        case .user1: "KM_USER1"
        case .bioSourceIRQ: "KM_BIO_SRC_IRQ"
        case .bioTargetIRQ: "KM_BIO_DST_IRQ"
        case .pte0: "KM_PTE0"
        case .pte1: "KM_PTE1"
        case .irq0: "KM_IRQ0"
        case .irq1: "KM_IRQ1"
        case .softirq0: "KM_SOFTIRQ0"
        case .softirq1: "KM_SOFTIRQ1"
        }
    }
}
