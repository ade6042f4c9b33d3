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
        guard let (pid, name) = parts(of: path), names.contains(String(name)) else { return nil }
        let limit = name.hasSuffix("maps") ? Int.max : 0
        guard let process = kernel.processView(pid, limit: limit, countsPages: false) else {
            return nil
        }
        let wordBytes = kernel.layout.wordBytes
        switch name {
        case "maps": return ProcessMaps.text(process, wordBytes: wordBytes)
        case "smaps":
            let usages = kernel.areaUsages(of: pid) ?? []
            return ProcessSmaps.text(process, usages, wordBytes: wordBytes)
        case "status": return ProcessStatus.text(process)
        case "comm": return process.name + "\n"
        case "oom_score": return kernel.oomScore(pid: pid).map { "\($0.score)\n" }
        case "oom_score_adj": return kernel.oomScore(pid: pid).map { "\($0.adjustment)\n" }
        case "fail-nth": return "\(kernel.failNth(of: pid))\n"
        case "make-it-fail": return kernel.isMadeToFail(pid) ? "1\n" : "0\n"
        default: return nil
        }
    }

    private static let names: Set<String> = [
        "maps", "smaps", "status", "comm", "oom_score", "oom_score_adj", "fail-nth",
        "make-it-fail",
    ]

    /// The process whose pages a file counts one by one; nil for all other files.
    static func countedProcess(path: String) -> Int? {
        guard let (pid, name) = parts(of: path), name == "smaps" else { return nil }
        return pid
    }

    private static func parts(of path: String) -> (pid: Int, name: Substring)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let pid = Int(parts[0]), String(pid) == parts[0] else { return nil }
        return (pid, parts[1])
    }
}
