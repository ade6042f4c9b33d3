public import KernelHeap

/// `/proc/<pid>/status`: the lines that a simulated process has an answer to.
///
/// Follows `proc_pid_status()`, `fs/proc/array.c`, and `task_mem()`, `fs/proc/task_mmu.c`, 6.1; lines
/// on users, signals and scheduling are left out.
public enum ProcessStatus {
    /// The text for a process.
    public static func text(_ process: ProcessView) -> String {
        let memory = process.memory
        let name = process.name.unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar == "\\" ? "\\\\" : String(scalar)
        }
        var text = "Name:\t\(name)\nState:\tS (sleeping)\nTgid:\t\(process.pid)\n"
        text += "Pid:\t\(process.pid)\nPPid:\t\(process.parent)\n"
        let lines: [(String, UInt64)] = [
            ("VmPeak", memory.peakMapped), ("VmSize", memory.mapped), ("VmLck", memory.locked),
            ("VmPin", 0), ("VmHWM", memory.peakResident),
            ("VmRSS", memory.anonymous &+ memory.ofFiles), ("RssAnon", memory.anonymous),
            // All files live in memory, so that their pages are shmem's.
            ("RssFile", 0), ("RssShmem", memory.ofFiles), ("VmData", memory.data),
            ("VmStk", memory.stack), ("VmExe", 0), ("VmLib", memory.executable),
            ("VmPTE", memory.tables), ("VmSwap", memory.swapped), ("HugetlbPages", 0),
        ]
        for (name, pages) in lines {
            text += name + ":\t"
            text.append(pages &* 4, right: 8)
            text += " kB\n"
        }
        return text + "CoreDumping:\t0\nTHP_enabled:\t1\nThreads:\t1\n"
    }
}
