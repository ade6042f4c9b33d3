extension Kernel {
    /// `mmap` of anonymous memory.
    ///
    /// - Returns: the address, or the negative error number as the system call returns it.
    mutating func mmap(
        _ process: Int,
        hint: UInt64,
        length: UInt64,
        rights: MemoryRights,
        flags: UInt64
    ) -> Result<UInt64, Errno> {
        let isShared = flags & MapFlags.shared != 0
        guard length > 0, isShared != (flags & MapFlags.private != 0) else {
            return .failure(.EINVAL)
        }
        guard flags & MapFlags.anonymous != 0 else { return .failure(.EBADF) }
        guard length <= layout.userEnd else { return .failure(.ENOMEM) }
        let rounded = (length + 4095) & ~4095
        // No copy of the address space may live on here, or the insertion would copy it whole.
        let placed = processes[process].space.place(hint: hint, length: rounded, flags: flags)
        guard case .success(let start) = placed else { return placed }
        if flags & MapFlags.fixed != 0 { unmap(process, start..<start + rounded) }
        processes[process].space.insert(
            VMArea(start: start, end: start + rounded, rights: rights, isShared: isShared)
        )
        return .success(start)
    }

    /// `munmap`: pages go back, areas are cut.
    mutating func munmap(_ process: Int, _ address: UInt64, _ length: UInt64) -> Errno? {
        guard address & 4095 == 0, length > 0, address <= layout.userEnd,
            length <= layout.userEnd - address
        else { return .EINVAL }
        let range = address..<address + ((length + 4095) & ~4095)
        guard processes[process].space.mayCut(range) else { return .ENOMEM }
        unmap(process, range)
        return nil
    }

    /// Cuts a range out of a process: pages go back, and tables that serve nothing else.
    private mutating func unmap(_ process: Int, _ range: Range<UInt64>) {
        let parts = processes[process].space.covered(range)
        processes[process].space.remove(range)
        for part in parts { zapUserPages(process, part, cpu: 0) }
        guard !parts.isEmpty else { return }
        freeUserTables(process, range, cpu: 0)
    }

    /// `madvise`: `MADV_DONTNEED` gives the pages of a range back, and the next touch finds zeros.
    ///
    /// - Returns: `EINVAL` for advice that is unknown; `ENOMEM` where a part is not mapped, after
    ///   the rest was done.
    mutating func madvise(
        _ process: Int,
        _ address: UInt64,
        _ length: UInt64,
        _ advice: UInt64
    ) -> Errno? {
        guard address & 4095 == 0, MemoryAdvice.all.contains(advice) else { return .EINVAL }
        let (rounded, overflow) = length.addingReportingOverflow(4095)
        let (end, wraps) = address.addingReportingOverflow(rounded & ~4095)
        guard !overflow, !wraps else { return .EINVAL }
        let range = address..<min(max(end, address), max(userEnd, address))
        let parts = processes[process].space.covered(range)
        if advice == MemoryAdvice.dontNeed {
            for part in parts { zapUserPages(process, part, cpu: 0) }
        }
        let covered = parts.reduce(UInt64(0)) { $0 + UInt64($1.count) }
        return covered == end - address ? nil : .ENOMEM
    }

    /// `mprotect` of a mapped range.
    mutating func mprotect(
        _ process: Int,
        _ address: UInt64,
        _ length: UInt64,
        _ rights: MemoryRights
    ) -> Errno? {
        guard address & 4095 == 0 else { return .EINVAL }
        if length == 0 { return nil }
        guard address <= layout.userEnd, length <= layout.userEnd - address else {
            return .ENOMEM
        }
        let range = address..<address + ((length + 4095) & ~4095)
        guard processes[process].space.covers(range),
            processes[process].space.areasAfterCutting(range) <= AddressSpace.maximumAreas
        else { return .ENOMEM }
        processes[process].space.protect(range, rights)
        protectUserPages(process, range, rights)
        return nil
    }
}

/// The values of `madvise` that are known; all but one say nothing to this machine.
enum MemoryAdvice {
    static let dontNeed: UInt64 = 4
    static let all: ClosedRange<UInt64> = 0...dontNeed

    static let names = FlagNames(
        "advice",
        [
            FlagName("MADV_NORMAL", 0), FlagName("MADV_RANDOM", 1), FlagName("MADV_SEQUENTIAL", 2),
            FlagName("MADV_WILLNEED", 3), FlagName("MADV_DONTNEED", dontNeed),
        ]
    )
}

/// The `MAP_*` bits of `mmap` that act here.
enum MapFlags {
    static let shared: UInt64 = 0x1
    static let `private`: UInt64 = 0x2
    static let fixed: UInt64 = 0x10
    static let anonymous: UInt64 = 0x20
    static let fixedNoReplace: UInt64 = 0x10_0000

    static let names = FlagNames(
        "flags",
        [
            FlagName("MAP_SHARED", shared), FlagName("MAP_PRIVATE", `private`),
            FlagName("MAP_FIXED", fixed), FlagName("MAP_ANONYMOUS", anonymous),
            FlagName("MAP_ANON", anonymous), FlagName("MAP_FIXED_NOREPLACE", fixedNoReplace),
        ]
    )
}
