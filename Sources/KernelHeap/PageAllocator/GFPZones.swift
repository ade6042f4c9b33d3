/// The highest zone that a request may use, by the four zone bits of its flags: `GFP_ZONE_TABLE`.
///
/// Contradictory combinations mean DMA, as in the recordings `constants/gfp_constants.json` and
/// `i386/*/gfp.jsonl`.
public struct GFPZones: Sendable, BitwiseCopyable {
    private let types: InlineArray<16, UInt8>
    /// Whether the kernel is built with a zone DMA32.
    let hasDMA32: Bool

    /// A machine without high memory: what may lie there lies in zone Normal.
    public static let x8664 = GFPZones(
        types: [2, 0, 2, 0, 1, 0, 0, 0, 2, 0, 4, 0, 1, 0, 0, 0],
        hasDMA32: true
    )

    /// A machine with high memory, where all that is low counts as DMA32.
    public static let i386 = GFPZones(
        types: [2, 0, 3, 0, 2, 0, 0, 0, 2, 0, 4, 0, 2, 0, 0, 0],
        hasDMA32: false
    )

    /// The zone type of the flags: `gfp_zone()`.
    public subscript(flags: GFPFlags) -> ZoneType {
        ZoneType(rawValue: UInt8(truncatingIfNeeded: index(flags))) ?? .dma
    }

    /// Its raw value.
    @inline(__always)
    func index(_ flags: GFPFlags) -> Int { Int(types[Int(flags.rawValue & 0xf)]) }
}
