/// How a processor reads page tables: how many levels, how wide, which entries.
///
///     two levels   PGD 10 bits → PTE 10 bits → 4 KiB                       entries of 4 bytes
///     PAE          PGD 2 bits → PMD 9 bits → PTE 9 bits → 4 KiB            entries of 8 bytes
///     four levels  PGD 9 bits → PUD 9 bits → PMD 9 bits → PTE 9 bits → 4 KiB
///
/// One walker reads them all. Levels count from 0 at the root.
public struct PagingFormat: Hashable, Sendable, BitwiseCopyable {
    public let levelCount: Int
    /// Bits of an address that each level but the root takes.
    let indexBits: UInt64
    public let entryBytes: Int
    /// Bits of an address that are translated; those above repeat the highest one, or are 0.
    let addressBits: UInt64
    public let hasNoExecute: Bool
    /// Whether `_PAGE_GLOBAL` is in use for the kernel's own pages.
    let hasGlobal: Bool
    /// The lowest numbered level whose entries may map pages.
    let firstPageLevel: Int

    public static let twoLevel = PagingFormat(
        levelCount: 2,
        indexBits: 10,
        entryBytes: 4,
        addressBits: 32,
        hasNoExecute: false,
        hasGlobal: true,
        firstPageLevel: 0
    )
    public static let pae = PagingFormat(
        levelCount: 3,
        indexBits: 9,
        entryBytes: 8,
        addressBits: 32,
        hasNoExecute: true,
        hasGlobal: false,
        firstPageLevel: 1
    )
    public static let fourLevel = PagingFormat(
        levelCount: 4,
        indexBits: 9,
        entryBytes: 8,
        addressBits: 48,
        hasNoExecute: true,
        hasGlobal: true,
        firstPageLevel: 1
    )

    /// The level whose entries map single pages.
    var leafLevel: Int { levelCount - 1 }
    /// The entries of a PAE root have a present bit and no rights.
    var rootHasRights: Bool { self != .pae }
    /// Whether all processes use the same tables below the kernel's entries of the root.
    ///
    /// Under PAE with page-table isolation each has a copy of the one PMD that there is:
    /// `SHARED_KERNEL_PMD`, 6.1.
    var sharesKernelTables: Bool { self != .pae }
    /// How many entries the root has.
    var rootCount: Int { 1 << Int(addressBits - shift(0)) }

    /// The lowest bit of an address that a level's index takes; its entries span 2^shift bytes.
    @inline(__always)
    func shift(_ level: Int) -> UInt64 {
        12 &+ indexBits &* UInt64(truncatingIfNeeded: levelCount &- 1 &- level)
    }

    /// Bytes that one entry of a level spans.
    func span(_ level: Int) -> UInt64 { 1 << shift(level) }

    func entryCount(_ level: Int) -> Int { level == 0 ? rootCount : 1 << Int(indexBits) }

    @inline(__always)
    func index(_ address: UInt64, _ level: Int) -> Int {
        let bits = level == 0 ? addressBits &- shift(0) : indexBits
        return Int(truncatingIfNeeded: address >> shift(level) & (1 << bits &- 1))
    }

    /// Whether an entry of a level may map a page.
    func mapsPages(_ level: Int) -> Bool { level >= firstPageLevel }

    /// Whether the processor translates an address at all; otherwise it is a #GP.
    @inline(__always)
    func isCanonical(_ address: UInt64) -> Bool {
        guard addressBits == 48 else { return address >> addressBits == 0 }
        return UInt64(bitPattern: Int64(bitPattern: address << 16) >> 16) == address
    }

    /// The first address that an entry of the root spans.
    func rootAddress(_ index: Int) -> UInt64 {
        let address = UInt64(truncatingIfNeeded: index) << shift(0)
        guard addressBits == 48 else { return address }
        return UInt64(bitPattern: Int64(bitPattern: address << 16) >> 16)
    }

    /// The kernel's name of a level: `PGD`, `PUD`, `PMD`, `PTE`.
    public func name(_ level: Int) -> String {
        switch levelCount - level {
        case 1: "PTE"
        case 2 where level > 0: "PMD"
        case 3 where level > 0: "PUD"
        default: "PGD"
        }
    }
}
