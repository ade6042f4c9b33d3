/// A group that is at its limit frees memory of its own: `try_to_free_mem_cgroup_pages()`,
/// `mm/vmscan.c`, 6.1.
extension Kernel {
    /// Frees pages of a group and of those below it.
    ///
    /// - Parameters:
    ///   - group: at its limit.
    ///   - wanted: pages.
    ///   - flags: of the request; they say what may be done.
    ///   - cpu: where it runs.
    /// - Returns: pages freed.
    mutating func reclaim(in group: Int, wanted: UInt64, _ flags: GFPFlags, cpu: Int) -> Int {
        var scan = ScanControl(
            flags: flags,
            highestZone: .device,
            cpu: cpu,
            wanted: max(Int(clamping: wanted), ScanControl.clusterPages)
        )
        scan.group = group
        while scan.priority >= 0, mayReclaim(in: group) {
            scan.scanned = 0
            for node in 0..<max(slab.nodeCount, 1) { shrink(node: node, &scan) }
            if scan.reclaimed >= scan.wanted { break }
            scan.priority -= 1
        }
        return scan.reclaimed
    }

    private func mayReclaim(in group: Int) -> Bool {
        cgroups.subtree(of: group).contains { lru.hasEvictable(group: $0) }
    }

    /// The groups whose lists a scan looks at, those above before those below, without those that
    /// are protected: `mem_cgroup_below_min()`, `mem_cgroup_below_low()`.
    ///
    /// The group that is at its own limit is not protected from itself.
    mutating func scannedGroups(_ scan: ScanControl) -> [Int] {
        guard cgroups.isOn else { return [0] }
        let groups = cgroups.subtree(of: scan.group).filter { lru.hasEvictable(group: $0) }
        guard cgroups.hasProtection else { return groups }
        let open = groups.filter { $0 == scan.group || !isProtected($0, from: scan.group, \.min) }
        let preferred = open.filter {
            $0 == scan.group || !isProtected($0, from: scan.group, \.low)
        }
        // Memory below `memory.low` is taken only where there is no other.
        guard preferred.isEmpty else { return preferred }
        for group in open where !preferred.contains(group) { cgroups.count(\.low, in: group) }
        return open
    }

    /// Whether a group, or one between it and the one that reclaims, has no more than is left to it.
    private func isProtected(
        _ group: Int,
        from above: Int,
        _ limit: KeyPath<CgroupLimits, UInt64>
    ) -> Bool {
        // A group's protection counts only as far as those above it are protected, too.
        let line = cgroups.lineage(of: group).prefix { $0 != above }
        return !line.isEmpty
            && line.allSatisfy { place in
                let least = cgroups[place].limits[keyPath: limit]
                return least > 0 && cgroups[place].usage <= least
            }
    }
}
