/// What of a machine's architecture and kernel shapes its slab caches.
public struct SlabArchitecture: Hashable, Sendable {
    /// Bytes of a pointer, and so of a free pointer and of a right red zone.
    public var wordBytes: UInt64
    /// Bytes of a `struct track`: caller, stack handle, CPU, process, time.
    public var trackBytes: UInt64
    /// Where `SLAB_HWCACHE_ALIGN` begins objects: `cache_line_size()`, which the processor tells.
    public var cacheLineBytes: UInt64
    /// The caches that a booted machine has.
    public var builtins: BuiltinCaches.Table

    /// 6.1 on x86_64.
    public static let x8664 = SlabArchitecture(
        wordBytes: 8,
        trackBytes: 32,
        cacheLineBytes: 64,
        builtins: .x8664
    )

    /// 6.1 on i386, on the processor of the recordings.
    public static let i386 = SlabArchitecture(
        wordBytes: 4,
        trackBytes: 20,
        cacheLineBytes: 32,
        builtins: .i386(BuiltinCaches.I386())
    )

    /// Which of the caches serve `kmalloc()`.
    var kmalloc: KmallocCaches {
        guard case .classic(let classic) = builtins else { return .linux61 }
        return .classic(smallest: classic.smallest, largest: classic.largest)
    }

    /// The least alignment of any object, `ARCH_SLAB_MINALIGN`: that of a `long long` on both.
    static let leastAlign: UInt64 = 8

    /// Processors have lines of these sizes; the option `cache_line_size` takes no others.
    static let cacheLines: ClosedRange<UInt64> = 16...256
}
