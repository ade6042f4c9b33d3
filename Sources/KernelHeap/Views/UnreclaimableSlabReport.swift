/// The OOM killer's list of caches that reclaim cannot shrink.
///
/// Follows `dump_unreclaimable_slab()`, `mm/slab_common.c`, 6.1.
public enum UnreclaimableSlabReport {
    /// The log's lines, without time stamps.
    ///
    /// - Parameter caches: all caches, newest first.
    /// - Returns: a heading and a line for each cache that has objects.
    public static func lines(_ caches: [CacheView]) -> [String] {
        let rows = caches.filter { !$0.isReclaimable && $0.objects > 0 }.map { cache in
            let used = cache.activeObjects &* cache.objectSize / 1024
            let total = cache.objects &* cache.objectSize / 1024
            let name = CacheName.escaped(cache.name)
            return padded(name, left: 17) + " " + padded("\(used)", right: 10) + "KB "
                + padded("\(total)", right: 10) + "KB"
        }
        return ["Unreclaimable slab info:", "Name                      Used          Total"] + rows
    }

    private static func padded(_ text: String, left width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    private static func padded(_ text: String, right width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}
