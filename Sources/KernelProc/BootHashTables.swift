/// The hash tables that a kernel sizes by its memory at boot, as their log lines.
///
/// Follows `alloc_large_system_hash()`, `mm/page_alloc.c`, 6.1: one bucket for so much memory, a
/// power of two, at least a page.
struct BootHashTables {
    /// Allocatable pages.
    let pages: UInt64
    let cpus: Int
    /// Tables are spread over the nodes where there are several.
    let nodes: Int

    private enum Origin { case early, late }

    /// Those of the file system's names.
    var early: [String] {
        [
            line("Dentry cache", bucket: 8, scale: 13, .early),
            line("Inode-cache", bucket: 8, scale: 14, .early),
        ]
    }

    /// Those made once pages can be allocated.
    var late: [String] {
        let futexes = Self.powerOfTwo(UInt64(max(cpus, 1)) * 256)
        return [
            line("Mount-cache", bucket: 8, scale: 19),
            line("Mountpoint-cache", bucket: 8, scale: 19),
            line("futex", bucket: 64, entries: futexes),
        ]
    }

    /// Those of quotas and of the network.
    var network: [String] {
        let established = entries(bucket: 8, scale: 17, most: 512 << 10)
        return [
            "VFS: Dquot-cache hash table entries: 512 (order 0, 4096 bytes)",
            line("IP idents", bucket: 8, scale: 16, least: 2048, most: 256 << 10),
            line("tcp_listen_portaddr_hash", bucket: 16, scale: 21, most: 64 << 10),
            line("Table-perturb", bucket: 4, entries: 64 << 10),
            line("TCP established", bucket: 8, entries: established),
            line("TCP bind", bucket: 32, entries: min(established, 64 << 10)),
            line("MPTCP token", bucket: 24, scale: 20, most: 64 << 10),
            line("UDP", bucket: 32, scale: 21, least: 256, most: 64 << 10),
            line("UDP-Lite", bucket: 32, scale: 21, least: 256, most: 64 << 10),
        ]
    }

    private func line(
        _ name: String,
        bucket: UInt64,
        scale: UInt64,
        least: UInt64 = 0,
        most: UInt64 = 0,
        _ origin: Origin = .late
    ) -> String {
        let count = entries(bucket: bucket, scale: scale, least: least, most: most)
        return line(name, bucket: bucket, entries: count, origin)
    }

    private func line(
        _ name: String,
        bucket: UInt64,
        entries: UInt64,
        _ origin: Origin = .late
    ) -> String {
        let bytes = entries * bucket
        let order = max(UInt64.bitWidth - (max(bytes, 1) - 1).leadingZeroBitCount - 12, 0)
        let isMapped = nodes > 1 || origin == .late && order > 10
        let isHuge = isMapped && bytes / UInt64(nodes) >= 2 << 20
        let place = isHuge ? "vmalloc hugepage" : isMapped ? "vmalloc" : "linear"
        return "\(name) hash table entries: \(entries) (order: \(order), \(bytes) bytes, \(place))"
    }

    /// Buckets of a table that has one for each 2^scale bytes of memory.
    private func entries(
        bucket: UInt64,
        scale: UInt64,
        least: UInt64 = 0,
        most: UInt64 = 0
    ) -> UInt64 {
        let rounded = (pages + 255) & ~255
        var scale = scale
        if most == 0 {
            // Beyond 64 GiB a table without a limit doubles only with each fourfold memory.
            var step: UInt64 = (64 << 30) >> 12
            while step < rounded {
                scale += 1
                step <<= 2
            }
        }
        var count = scale > 12 ? rounded >> (scale - 12) : rounded << (12 - scale)
        if count * bucket < 4096 { count = 4096 / bucket }
        count = Self.powerOfTwo(count)
        let limit = most > 0 ? most : (pages << 8) / bucket
        count = min(max(count, least), max(limit, 1))
        return 1 << UInt64(UInt64.bitWidth - 1 - count.leadingZeroBitCount)
    }

    private static func powerOfTwo(_ count: UInt64) -> UInt64 {
        count <= 1 ? 1 : 1 << UInt64(UInt64.bitWidth - (count - 1).leadingZeroBitCount)
    }
}
