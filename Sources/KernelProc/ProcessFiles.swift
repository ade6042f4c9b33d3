internal import KernelHeap

/// The files under `/proc/<pid>`.
enum ProcessFiles {
    /// The whole text of a file at this moment.
    ///
    /// - Parameters:
    ///   - path: `7/maps`.
    ///   - kernel: the machine.
    /// - Returns: `nil` where the machine has no such process or file.
    static func text(path: String, of kernel: borrowing Kernel) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let pid = Int(parts[0]), String(pid) == parts[0],
            let process = kernel.processView(pid, limit: .max)
        else { return nil }
        let wordBytes = kernel.layout.wordBytes
        switch parts[1] {
        case "maps": return ProcessMaps.text(process, wordBytes: wordBytes)
        case "smaps":
            let usages = kernel.areaUsages(of: pid) ?? []
            return ProcessSmaps.text(process, usages, wordBytes: wordBytes)
        case "status": return ProcessStatus.text(process)
        case "comm": return process.name + "\n"
        default: return nil
        }
    }
}
