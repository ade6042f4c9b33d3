public import KernelHeap

/// The files of a memory cgroup: `Documentation/admin-guide/cgroup-v2.rst`, 6.1.
public enum CgroupFiles {
    /// The whole text of a file.
    ///
    /// - Parameters:
    ///   - path: below `/sys/fs/cgroup`, with a slash in front: `/a/memory.max`.
    ///   - kernel: the machine.
    /// - Returns: nil where there is no such group or file.
    public static func text(path: String, of kernel: borrowing Kernel) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        let file = String(path[path.index(after: slash)...])
        guard let group = kernel.cgroupView(at: directory) else { return nil }
        switch file {
        case "cgroup.procs": return group.processes.map { "\($0)\n" }.joined()
        case "cgroup.controllers": return "memory\n"
        case "memory.stat": return group.statLines.map { $0 + "\n" }.joined()
        default: break
        }
        // The root has no limits, and what it has is not counted.
        guard let current = group.current else { return nil }
        switch file {
        case "memory.current": return "\(current)\n"
        case "memory.peak": return "\(group.peak)\n"
        case "memory.events":
            return group.events.map { "\($0.name) \($0.count)\n" }.joined()
        case "memory.oom.group": return group.isKilledWhole ? "1\n" : "0\n"
        default:
            guard let limit = group.limits.first(where: { $0.name == file }) else { return nil }
            return limit.bytes.map { "\($0)\n" } ?? "max\n"
        }
    }
}
