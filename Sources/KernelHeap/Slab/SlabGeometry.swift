/// How SLUB lays objects out in a slab, and how many slabs it keeps at hand.
///
///     one slot: | red_left_pad | object … | red zone | free pointer | 2 × track | (padding) |
///                              ^ objects are aligned here
///
/// Without checks a slot is the object alone, and the free pointer lies in its middle. The number
/// of pages in a slab is the smallest order that wastes at most 1/16 (then 1/8, 1/4) of it and
/// holds as many objects as the number of processors makes worth while.
///
/// Follows `calculate_sizes()`, `calculate_order()` and `set_cpu_partial()` of `mm/slub.c`, 6.1.
/// The recordings `slab/slab-*.json` hold every number.
public struct SlabGeometry: Hashable, Sendable {
    /// The bytes that the caller uses; the largest caller's where caches were merged.
    public internal(set) var objectSize: Int
    /// The distance between objects: `objsize` in `/proc/slabinfo`.
    public let size: Int
    /// Bytes; at least 8 and a multiple of a word, not always a power of two.
    public let align: Int
    /// Bytes to the end of the object or its right red zone.
    public internal(set) var inuse: Int
    /// Where the free pointer lies, from the object's start.
    public let offset: Int
    /// Bytes between the slot's start and the object.
    public let redLeftPad: Int
    public let order: Int
    public let objectsPerSlab: Int
    /// The order of a slab when memory is short.
    public let minOrder: Int
    public let minObjects: Int
    /// Empty slabs that a node keeps.
    public let minPartial: Int
    /// Objects that a CPU may keep in partial slabs.
    public let cpuPartial: Int
    /// The same as slabs, each taken as half full.
    public let cpuPartialSlabs: Int
    public internal(set) var flags: SlabFlags
    public let usercopyOffset: Int
    public let usercopySize: Int

    /// Sizes and alignments above this cannot fit any slab.
    private static let sizeLimit: UInt64 = 1 << 32

    /// Computes the geometry of a cache.
    ///
    /// The result is `nil` for size 0 and where not even one object fits the largest block, which
    /// `kmem_cache_create()` answers with `-EINVAL`.
    ///
    /// - Parameters:
    ///   - request: what the cache's creator asks for.
    ///   - options: the machine's boot options.
    public init?(request: SlabRequest, options: SlabOptions) {
        let limit = Self.sizeLimit
        guard request.size > 0, request.size <= limit, request.align <= limit else { return nil }
        var flags = options.flags(request.flags, ofCache: request.name)
        if options.isSanitized { flags.insert(.sanitized) }
        let architecture = options.architecture
        let align = Self.alignment(
            flags: flags,
            align: request.align,
            size: request.size,
            architecture
        )
        var slot = Slot(request, flags: flags, align: align, architecture)
        if options.omitsCostlyDebug,
            Self.order(ofBytes: slot.size) > Self.order(ofBytes: request.size)
        {
            flags.subtract(.debugMetadata)
            slot = Slot(request, flags: flags, align: align, architecture)
        }
        if flags.contains(.poison), !flags.contains(.typesafeByRCU), !request.hasConstructor {
            flags.insert(.objectPoison)
        }
        if flags.isDisjoint(with: [.consistencyChecks, .storeUser, .trace]) {
            flags.insert(.cmpxchgDouble)
        }
        guard let order = Self.slabOrder(slot.size, options) else { return nil }

        objectSize = Int(request.size)
        size = Int(slot.size)
        self.align = Int(align)
        inuse = Int(slot.inuse)
        offset = Int(slot.offset)
        redLeftPad = Int(slot.redLeftPad)
        self.order = order
        let objects = Self.objects(order: order, slot.size)
        objectsPerSlab = Int(objects)
        minOrder = Self.order(ofBytes: slot.size)
        minObjects = Int(Self.objects(order: minOrder, slot.size))
        minPartial = max(5, min(10, (63 - slot.size.leadingZeroBitCount) / 2))
        let kept = Self.cpuPartialObjects(slot.size, flags)
        cpuPartial = Int(kept)
        cpuPartialSlabs = Int((2 * kept + objects - 1) / objects)
        self.flags = flags
        let (end, overflow) = request.usercopyOffset.addingReportingOverflow(request.usercopySize)
        let isInside = !overflow && end <= request.size && request.usercopySize > 0
        usercopyOffset = isInside ? Int(request.usercopyOffset) : 0
        usercopySize = isInside ? Int(request.usercopySize) : 0
    }
}

extension SlabGeometry {
    /// The parts of a slot, in bytes.
    private struct Slot {
        var size: UInt64
        var inuse: UInt64
        var offset: UInt64
        var redLeftPad: UInt64 = 0

        init(
            _ request: SlabRequest,
            flags: SlabFlags,
            align: UInt64,
            _ architecture: SlabArchitecture
        ) {
            let word = architecture.wordBytes
            size = aligned(request.size, word)
            // The red zone may be the rounding's slack; an exact size needs a word for it.
            if flags.contains(.redZone), size == request.size { size += word }
            inuse = size
            let isFreeObjectInUse =
                !flags.isDisjoint(with: [.typesafeByRCU, .poison]) || request.hasConstructor
                || (flags.contains(.redZone) && request.size < word)
            if isFreeObjectInUse {
                offset = size
                size += word
            } else {
                offset = request.size / 2 / word * word
            }
            if flags.contains(.storeUser) {
                size += 2 * architecture.trackBytes
                // kmalloc() notes the size that its caller asked for.
                if flags.contains(.kmalloc) { size += 4 }
            }
            if flags.contains(.sanitized) {
                size = SanitizedLayout.size(
                    of: request,
                    after: size,
                    isTouchedFree: flags.contains(.typesafeByRCU) || request.hasConstructor
                )
            }
            if flags.contains(.redZone) {
                redLeftPad = aligned(word, align)
                size += word + redLeftPad
            }
            size = aligned(size, align)
        }
    }

    /// The alignment that a cache gets: `calculate_alignment()`.
    static func alignment(
        flags: SlabFlags,
        align: UInt64,
        size: UInt64,
        _ architecture: SlabArchitecture
    ) -> UInt64 {
        var align = align
        if flags.contains(.hardwareCacheAlign) {
            var line = architecture.cacheLineBytes
            while size <= line / 2, line > 1 { line /= 2 }
            align = max(align, line)
        }
        return aligned(max(align, SlabArchitecture.leastAlign), architecture.wordBytes)
    }

    /// `get_order()`: the smallest block that holds so many bytes.
    private static func order(ofBytes bytes: UInt64) -> Int {
        let pages = (bytes - 1) / SlabOptions.pageSize
        return UInt64.bitWidth - pages.leadingZeroBitCount
    }

    private static func objects(order: Int, _ size: UInt64) -> UInt64 {
        (SlabOptions.pageSize << UInt64(order)) / size
    }

    private static func cpuPartialObjects(_ size: UInt64, _ flags: SlabFlags) -> UInt64 {
        guard flags.isDisjoint(with: .debug) else { return 0 }
        return size >= 4096 ? 6 : size >= 1024 ? 24 : size >= 256 ? 52 : 120
    }

    /// The order of a cache's slabs: `calculate_order()`.
    private static func slabOrder(_ size: UInt64, _ options: SlabOptions) -> Int? {
        let cpuBits = UInt64(Int.bitWidth - options.cpus.leadingZeroBitCount)
        var wished = options.minObjects > 0 ? options.minObjects : 4 * (cpuBits + 1)
        wished = min(wished, objects(order: options.maxOrder, size))
        // A wish that no order meets is lowered one object at a time: at most 32767 in a slab.
        wished = min(wished, 32_767)
        while wished > 1 {
            for fraction: UInt64 in [16, 8, 4] {
                let order = firstOrder(size, wished, options.maxOrder, fraction, options.minOrder)
                if order <= options.maxOrder { return order }
            }
            wished -= 1
        }
        let single = firstOrder(size, 1, options.maxOrder, 1, options.minOrder)
        if single <= options.maxOrder { return single }
        let any = firstOrder(size, 1, SlabOptions.orderLimit, 1, options.minOrder)
        return any < SlabOptions.orderLimit ? any : nil
    }

    /// The first order that holds the objects and wastes at most one part in `fraction`:
    /// `calc_slab_order()`.
    private static func firstOrder(
        _ size: UInt64,
        _ minObjects: UInt64,
        _ maxOrder: Int,
        _ fraction: UInt64,
        _ minOrder: Int
    ) -> Int {
        if objects(order: minOrder, size) > 32_767 { return order(ofBytes: size * 32_767) - 1 }
        var order = max(minOrder, order(ofBytes: minObjects * size))
        while order <= maxOrder {
            let slab = SlabOptions.pageSize << UInt64(order)
            if slab % size <= slab / fraction { break }
            order += 1
        }
        return order
    }
}

/// The kernel's `ALIGN()`.
///
/// It masks and so means powers of two; other values act as they do in C. Both numbers are at
/// most 2^33 here.
private func aligned(_ value: UInt64, _ align: UInt64) -> UInt64 {
    (value + align - 1) & ~(align - 1)
}
