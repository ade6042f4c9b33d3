/// Events of memory management that the machine counted: what `/proc/vmstat` shows behind its pages.
struct VMEvents: Sendable {
    private var counts: [VMEventCounter: UInt64] = [:]

    subscript(counter: VMEventCounter) -> UInt64 {
        get { counts[counter] ?? 0 }
        set { counts[counter] = newValue }
    }

    /// Adds what was counted to a table.
    func add(to table: inout CounterTable<VMEventCounter>) {
        for (counter, count) in counts { table[counter] &+= count }
    }
}
