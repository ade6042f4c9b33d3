public import KernelHeap

/// The files under `/proc` that show a machine's memory.
public enum ProcFiles {
    /// Their names below `/proc`, in alphabetical order.
    public static let paths = [
        "buddyinfo", "meminfo", "pagetypeinfo", "slabinfo", "swaps", "vmallocinfo",
        "vmstat", "zoneinfo",
    ]

    /// The whole text of a file at this moment.
    ///
    /// - Parameters:
    ///   - path: below `/proc`, without a leading slash.
    ///   - kernel: the machine.
    /// - Returns: `nil` where the machine has no such file.
    public static func text(path: String, of kernel: borrowing Kernel) -> String? {
        switch path {
        case "buddyinfo": BuddyInfo.text(kernel.nodeViews())
        case "meminfo": MemInfo.text(kernel.memInfoView())
        case "pagetypeinfo":
            PageTypeInfo.text(kernel.nodeViews(), pageblockOrder: kernel.layout.pageblockOrder)
        case "slabinfo": SlabInfo.text(kernel.cacheViews())
        case "swaps": Swaps.text(kernel.swapAreaViews())
        case "vmallocinfo":
            VmallocInfo.text(
                kernel.vmallocView(from: LinearAddress(rawValue: 0), limit: Int.max)
            )
        case "vmstat": VMStat.text(kernel.vmStatView())
        case "zoneinfo": ZoneInfo.text(kernel.nodeViews())
        default: ProcessFiles.text(path: path, of: kernel)
        }
    }

    /// Whose pages a file counts one by one, so that its text takes long where there are many.
    ///
    /// - Parameter path: below `/proc`, without a leading slash.
    /// - Returns: the process; nil for all other files.
    public static func countedProcess(path: String) -> Int? {
        ProcessFiles.countedProcess(path: path)
    }
}
