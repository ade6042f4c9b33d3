public import KernelHeap

/// `/proc/meminfo`: the machine's memory in KiB.
///
/// Follows `meminfo_proc_show()`, `fs/proc/meminfo.c`, 6.1.
public enum MemInfo {
    /// The text for a machine.
    public static func text(_ view: MemInfoView) -> String {
        var text = ""
        for counter in view.counters {
            let label = counter.rawValue + ":"
            text.append(label, left: 16)
            // Numbers end in column 24; one label is wider than its column.
            text.append(view[counter], right: 24 - max(16, label.utf8.count))
            text += counter.isHugePageCount ? "\n" : " kB\n"
        }
        return text
    }
}
