public import KernelHeap

/// `/proc/vmstat`: every counter of memory management, one a line.
///
/// Follows `vmstat_show()`, `mm/vmstat.c`, 6.1.
public enum VMStat {
    /// The text for a machine.
    public static func text(_ view: VMStatView) -> String {
        view.counters.reduce(into: "") { $0 += "\($1.name) \($1.value)\n" }
    }
}
