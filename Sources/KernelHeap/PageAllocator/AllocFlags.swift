/// How deep and how hard one attempt may dig: the kernel's `ALLOC_*` flags.
struct AllocFlags: OptionSet, Sendable {
    let rawValue: UInt16

    /// Compare with the low mark; without it, with min.
    static let low = AllocFlags(rawValue: 1 << 0)
    /// No mark at all.
    static let noWatermarks = AllocFlags(rawValue: 1 << 1)
    /// Half of min: `__GFP_HIGH`.
    static let high = AllocFlags(rawValue: 1 << 2)
    /// The caller cannot wait: a quarter less below half of min, the reserve counts as free.
    static let nonBlock = AllocFlags(rawValue: 1 << 3)
    /// Do not break foreign blocks below a pageblock while another zone can serve.
    static let noFragment = AllocFlags(rawValue: 1 << 4)
    /// Wake kswapd.
    static let kswapd = AllocFlags(rawValue: 1 << 5)
    /// Use the high-atomic reserve first, and add to it.
    static let highAtomic = AllocFlags(rawValue: 1 << 6)

    /// A page that was given back long ago: the last of the per-CPU list.
    static let cold = AllocFlags(rawValue: 1 << 7)

    /// Whoever may go below min also sees the high-atomic reserve as free pages.
    static let reserves: AllocFlags = [.high, .nonBlock]
}
