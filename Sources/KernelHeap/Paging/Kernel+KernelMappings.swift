/// Mappings that the kernel makes while it runs: vmalloc, ioremap, kmap.
///
/// These three functions are all that such a subsystem needs. Addresses are whole pages of the
/// kernel's half, and their choice is the caller's. Tables that are missing come from the page
/// allocator as for `pte_alloc_kernel()`, 6.1 (`GFP_KERNEL | __GFP_ZERO`, order 0); they stay when
/// their entries go, as there, and do not count as `PageTables`.
extension Kernel {
    /// Maps one page: `vmap_pte_range()`, `ioremap_page_range()`, `set_pte_at()`.
    ///
    /// - Parameters:
    ///   - address: page-aligned; what it mapped before is replaced.
    ///   - frame: memory, or a device's frame.
    ///   - flags: `.kernelPage` for memory, `.kernelDevice` for devices, with `.noExecute`.
    ///   - cpu: where tables are asked for.
    /// - Returns: false where there is no memory for a table, the address is user space, or a large
    ///   page maps it; nothing changed then, but for tables made on the way.
    mutating func mapKernel(
        _ address: UInt64,
        frame: UInt64,
        _ flags: PageTableEntry.Flags,
        cpu: Int
    ) -> Bool {
        guard address & 4095 == 0, let table = kernelTable(of: address, makes: true, cpu: cpu)
        else { return false }
        let format = paging.format
        let bits = format.hasGlobal ? flags : flags.subtracting(.global)
        let index = format.index(address, format.leafLevel)
        setTableEntry(table, index, format.entry(frame: frame, bits))
        paging.buffer.flush(page: address)
        return true
    }

    /// Empties the entries of a range: `vunmap_range_noflush()`.
    ///
    /// Costs the range's pages where tables are, and its tables where none are. The TLB still has
    /// them until `flushKernel`.
    mutating func unmapKernel(_ range: Range<UInt64>) {
        let format = paging.format
        let span = format.span(format.leafLevel - 1)
        var address = range.lowerBound & ~4095
        while address < range.upperBound {
            guard let table = kernelTable(of: address, makes: false, cpu: 0) else {
                let next = (address | (span - 1)).addingReportingOverflow(1)
                guard !next.overflow else { return }
                address = next.partialValue
                continue
            }
            let index = format.index(address, format.leafLevel)
            setTableEntry(table, index, PageTableEntry(rawValue: 0))
            address += 4096
        }
    }

    /// Forgets all translations: `flush_tlb_kernel_range()`.
    mutating func flushKernel() { paging.flushAll() }

    /// A table of a kernel address.
    ///
    /// - Parameters:
    ///   - address: any.
    ///   - wanted: the table's level; nil for the lowest one.
    ///   - makes: whether tables that are missing are made.
    ///   - cpu: where they are asked for.
    /// - Returns: its frame; nil where there is none, or no memory for it.
    mutating func kernelTable(
        of address: UInt64,
        level wanted: Int? = nil,
        makes: Bool,
        cpu: Int
    ) -> UInt64? {
        let boot = keptBootTables()
        let format = paging.format
        guard format.isCanonical(address), format.index(address, 0) >= boot.firstKernelIndex else {
            return nil
        }
        var table = boot.root
        for level in 0..<(wanted ?? format.leafLevel) {
            let index = format.index(address, level)
            guard let entry = tableEntry(table, index, boot) else { return nil }
            if entry.isPresent {
                table = format.frame(of: entry)
                guard !entry.flags.contains(.large), isTable(table, boot) else { return nil }
                continue
            }
            guard makes, entry.rawValue == 0,
                let frame = allocateTable(level: level + 1, isUser: false, cpu: cpu)
            else { return nil }
            let hasRights = level > 0 || format.rootHasRights
            let new = format.entry(frame: UInt64(frame), hasRights ? .table : .present)
            setTableEntry(table, index, new)
            syncProcesses(level: level, index, new)
            table = UInt64(frame)
        }
        return table
    }
}
