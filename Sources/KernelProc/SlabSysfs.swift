public import KernelHeap

/// The files of a cache under `/sys/kernel/slab/`.
///
/// Follows the `slab_attribute`s of `mm/slub.c`, 6.1.
public enum SlabSysfs {
    /// The files that can be read, in alphabetical order.
    public static let attributes = [
        "aliases", "align", "cache_dma", "cpu_partial", "cpu_slabs", "ctor", "destroy_by_rcu",
        "hwcache_align", "min_partial", "object_size", "objects", "objects_partial",
        "objs_per_slab", "order", "partial", "poison", "reclaim_account", "red_zone",
        "remote_node_defrag_ratio", "sanity_checks", "slab_size", "slabs", "slabs_cpu_partial",
        "store_user", "total_objects", "trace", "usersize",
    ]

    /// The text of one file.
    ///
    /// - Parameters:
    ///   - attribute: the file's name.
    ///   - cache: whose file it is.
    /// - Returns: one line with its line feed; `nil` where there is no such file.
    public static func text(_ attribute: String, of cache: CacheDetailView) -> String? {
        (number(attribute, of: cache) ?? flag(attribute, of: cache)
            ?? count(attribute, of: cache) ?? other(attribute, of: cache)).map { $0 + "\n" }
    }

    private static func number(_ attribute: String, of cache: CacheDetailView) -> String? {
        let geometry = cache.geometry
        let value: Int? =
            switch attribute {
            case "aliases": cache.aliasCount
            case "align": geometry.align
            case "cpu_partial": geometry.cpuPartial
            case "min_partial": geometry.minPartial
            case "object_size": geometry.objectSize
            case "objs_per_slab": geometry.objectsPerSlab
            case "order": geometry.order
            // The default of a setting that prefers slabs of the CPU's own node.
            case "remote_node_defrag_ratio": 100
            case "slab_size": geometry.size
            case "usersize": geometry.usercopySize
            default: nil
            }
        return value.map { "\($0)" }
    }

    private static func flag(_ attribute: String, of cache: CacheDetailView) -> String? {
        let flag: SlabFlags? =
            switch attribute {
            case "cache_dma": .cacheDMA
            case "destroy_by_rcu": .typesafeByRCU
            // The recorded kernels are built without it, so it is not among `attributes`.
            case "failslab": .failSlab
            case "hwcache_align": .hardwareCacheAlign
            case "poison": .poison
            case "reclaim_account": .reclaimAccount
            case "red_zone": .redZone
            case "sanity_checks": .consistencyChecks
            case "store_user": .storeUser
            case "trace": .trace
            default: nil
            }
        return flag.map { cache.geometry.flags.contains($0) ? "1" : "0" }
    }

    /// A total with the share of each node that has any: `1536 N0=1536`.
    private static func count(_ attribute: String, of cache: CacheDetailView) -> String? {
        let part: ((CacheDetailView.Node) -> UInt64)? =
            switch attribute {
            case "cpu_slabs": { $0.cpuSlabs }
            case "objects": { $0.objects &- min($0.partialObjectsFree, $0.objects) }
            case "objects_partial": { $0.partialObjectsInUse }
            case "partial": { $0.partialSlabs }
            case "slabs": { $0.slabs }
            case "total_objects": { $0.objects }
            default: nil
            }
        guard let part else { return nil }
        var text = "\(cache.nodes.reduce(0) { $0 &+ part($1) })"
        for node in cache.nodes where part(node) > 0 { text += " N\(node.id)=\(part(node))" }
        return text
    }

    private static func other(_ attribute: String, of cache: CacheDetailView) -> String? {
        switch attribute {
        case "ctor": return cache.constructor
        case "slabs_cpu_partial":
            // The kernel takes each slab of a chain as half full.
            let half = UInt64(max(0, cache.geometry.objectsPerSlab))
            let slabs = cache.cpuPartialSlabs.reduce(0, &+)
            var text = "\(slabs &* half / 2)(\(slabs))"
            for (cpu, slabs) in cache.cpuPartialSlabs.enumerated() where slabs > 0 {
                text += " C\(cpu)=\(slabs &* half / 2)(\(slabs))"
            }
            return text
        default: return nil
        }
    }
}
