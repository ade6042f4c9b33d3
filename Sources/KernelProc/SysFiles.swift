public import KernelHeap

/// The files under `/sys` that show a machine's memory.
public enum SysFiles {
    /// The whole text of a file at this moment.
    ///
    /// - Parameters:
    ///   - path: below `/sys`, without a leading slash: `kernel/slab/kmalloc-64/objects`,
    ///     `kernel/debug/extfrag/unusable_index`, `kernel/debug/failslab/probability`,
    ///     `kernel/debug/page_owner`, `fs/cgroup/a/memory.max`.
    ///   - kernel: the machine.
    /// - Returns: `nil` where the machine has no such file.
    public static func text(path: String, of kernel: borrowing Kernel) -> String? {
        let groups = "fs/cgroup"
        if path.hasPrefix(groups + "/") {
            return CgroupFiles.text(path: String(path.dropFirst(groups.count)), of: kernel)
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if path == "kernel/debug/kmemleak" { return KmemleakText.text(of: kernel) }
        if path == PageOwnerText.path { return PageOwnerText.text(of: kernel) }
        guard parts.count == 4, parts[0] == "kernel" else { return nil }
        if parts[1] == "debug", parts[2] == "extfrag" {
            return ExtFrag.text(String(parts[3]), of: kernel.nodeViews())
        }
        if parts[1] == "debug", let site = FaultSite(rawValue: String(parts[2])),
            let knob = FaultKnob(rawValue: String(parts[3])),
            FaultKnob.knobs(of: site).contains(knob)
        {
            return knob.text(of: kernel.faultAttribute(site))
        }
        guard parts[1] == "slab", let cache = kernel.cacheDetail(inDirectory: String(parts[2]))
        else { return nil }
        return SlabSysfs.text(String(parts[3]), of: cache)
    }

    /// Whether a file goes through all memory, so that its text takes long where there is much.
    ///
    /// - Parameter path: below `/sys`, without a leading slash.
    /// - Returns: false for most.
    public static func goesThroughMemory(path: String) -> Bool { path == PageOwnerText.path }
}
