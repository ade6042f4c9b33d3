public import KernelHeap

/// `/proc/slabinfo`, version 2.1: a line for each cache, newest first.
///
/// Follows `cache_show()`, `mm/slab_common.c`, 6.1. The tunables are SLAB's; SLUB prints zeros.
public enum SlabInfo {
    private static let header = """
        slabinfo - version: 2.1
        # name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> \
        : tunables <limit> <batchcount> <sharedfactor> \
        : slabdata <active_slabs> <num_slabs> <sharedavail>

        """

    /// The text for caches in the order of the kernel's list.
    public static func text(_ caches: [CacheView]) -> String {
        var text = header
        for cache in caches {
            text.append(CacheName.escaped(cache.name), left: 17)
            text += " "
            text.append(cache.activeObjects, right: 6)
            text += " "
            text.append(cache.objects, right: 6)
            text += " "
            text.append(cache.objectSize, right: 6)
            text += " "
            text.append(cache.objectsPerSlab, right: 4)
            text += " "
            text.append(cache.pagesPerSlab, right: 4)
            text += " : tunables    0    0    0 : slabdata "
            text.append(cache.activeSlabs, right: 6)
            text += " "
            text.append(cache.slabs, right: 6)
            text += "      0\n"
        }
        return text
    }
}
