/// What the roots of processes have of the kernel's half.
///
///     four levels, two levels   PGD of a process ─→ the kernel's own tables
///     PAE                       PGD of a process ─→ a PMD of its own, a copy ─→ the kernel's tables
extension Kernel {
    /// Gives a root the kernel's half: `pgd_ctor()`, and where tables are not shared
    /// `pgd_prepopulate_pmd()`.
    ///
    /// - Parameters:
    ///   - root: an empty table of the top level.
    ///   - cpu: where a table is asked for.
    /// - Returns: false where there is no memory for one.
    mutating func giveKernelHalf(to root: UInt32, cpu: Int) -> Bool {
        let boot = keptBootTables()
        let format = paging.format
        for index in boot.firstKernelIndex..<format.rootCount {
            guard let entry = tableEntry(boot.root, index, boot), entry.rawValue != 0 else {
                continue
            }
            guard !format.sharesKernelTables, entry.isPresent else {
                setTableEntry(UInt64(root), index, entry)
                continue
            }
            guard let copy = allocateTable(level: 1, isUser: true, cpu: cpu) else { return false }
            copyTable(format.frame(of: entry), to: copy, level: 1)
            setTableEntry(UInt64(root), index, format.entry(frame: UInt64(copy), .present))
        }
        return true
    }

    /// Takes the tables back that a root has for the kernel's half alone: `pgd_mop_up_pmds()`.
    mutating func takeKernelHalf(from root: UInt32, cpu: Int) {
        let format = paging.format
        guard !format.sharesKernelTables else { return }
        let boot = keptBootTables()
        for index in boot.firstKernelIndex..<format.rootCount {
            guard let entry = tableEntry(UInt64(root), index, boot), entry.isPresent,
                let copy = memoryFrame(format.frame(of: entry)), pages.map[Int(copy)].isPageTable,
                boot.table(at: UInt64(copy)) == nil
            else { continue }
            setTableEntry(UInt64(root), index, PageTableEntry(rawValue: 0))
            freeTable(copy, level: 1, isUser: true, cpu: cpu)
        }
    }

    private mutating func copyTable(_ source: UInt64, to target: UInt32, level: Int) {
        let boot = keptBootTables()
        for index in 0..<paging.format.entryCount(level) {
            guard let entry = tableEntry(source, index, boot), entry.rawValue != 0 else { continue }
            setTableEntry(UInt64(target), index, entry)
        }
    }

    /// Gives every process a new entry of the kernel's tables that it has a copy of:
    /// `arch_sync_kernel_mappings()`.
    mutating func syncProcesses(level: Int, _ index: Int, _ entry: PageTableEntry) {
        let isCopied = paging.format.sharesKernelTables ? level == 0 : level == 1
        guard isCopied else { return }
        let boot = keptBootTables()
        let roots = [boot.processRoot] + processes.compactMap { $0.space.root.map(UInt64.init) }
        for root in roots {
            if level == 0 {
                setTableEntry(root, index, entry)
            } else if let upper = tableEntry(root, boot.firstKernelIndex, boot), upper.isPresent {
                setTableEntry(paging.format.frame(of: upper), index, entry)
            }
        }
    }
}
