/// Caches of like objects share their slabs, unless `slub_nomerge` was given.
extension SlabGeometry {
    /// Whether a new cache may share this cache's slabs.
    ///
    /// Follows `find_mergeable()`, `mm/slab_common.c`, 6.1, which asks the caches oldest first.
    ///
    /// - Parameters:
    ///   - request: the new cache.
    ///   - isExclusive: whether this cache runs a constructor, or was made before all others and
    ///     keeps itself (`kmem_cache` and `kmem_cache_node`).
    ///   - options: the machine's boot options.
    /// - Returns: `false` for all caches of `kmalloc()` and all that user copies may touch.
    public func canShare(
        with request: SlabRequest,
        isExclusive: Bool,
        options: SlabOptions
    ) -> Bool {
        guard !options.isMergingOff, !isExclusive, !request.hasConstructor,
            request.usercopySize == 0, usercopySize == 0, flags.isDisjoint(with: .neverMerge),
            request.flags.intersection(.mergeSame) == flags.intersection(.mergeSame),
            request.size > 0, request.size <= 1 << 32, request.align <= 1 << 32
        else { return false }
        let word = options.architecture.wordBytes
        let words = (request.size + word - 1) & ~(word - 1)
        let align = Self.alignment(
            flags: request.flags,
            align: request.align,
            size: words,
            options.architecture
        )
        let needed = (words + align - 1) & ~(align - 1)
        let own = UInt64(size)
        guard needed <= own, own & ~(align - 1) == own, own - needed < word else { return false }
        // Last, for it looks through the names given to slub_debug.
        return options.flags(request.flags, ofCache: request.name).isDisjoint(with: .neverMerge)
    }

    /// What a cache that others may join is called under `/sys/kernel/slab/`: `create_unique_id()`.
    var sharedDirectory: String {
        var letters = ""
        if flags.contains(.cacheDMA) { letters += "d" }
        if flags.contains(.cacheDMA32) { letters += "D" }
        if flags.contains(.reclaimAccount) { letters += "a" }
        if flags.contains(.consistencyChecks) { letters += "F" }
        if flags.contains(.account) { letters += "A" }
        let digits = String(size)
        return ":" + letters + (letters.isEmpty ? "" : "-")
            + String(repeating: "0", count: max(0, 7 - digits.count)) + digits
    }

    /// Takes a further cache's objects in, which may be a little larger.
    ///
    /// - Parameters:
    ///   - request: a cache that `canShare` accepted.
    ///   - options: the machine's boot options.
    public mutating func share(with request: SlabRequest, options: SlabOptions) {
        // Accepted requests are no larger than a slot, so both fit.
        let bytes = Int(clamping: request.size)
        objectSize = max(objectSize, bytes)
        let word = Int(clamping: options.architecture.wordBytes)
        inuse = max(inuse, (min(bytes, size) + word - 1) & ~(word - 1))
    }
}
