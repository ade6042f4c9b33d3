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
        guard length <= AddressSpace.end else { return .failure(.ENOMEM) }
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
        guard address & 4095 == 0, length > 0, address <= AddressSpace.end,
            length <= AddressSpace.end - address
        else { return .EINVAL }
        let range = address..<address + ((length + 4095) & ~4095)
        guard processes[process].space.mayCut(range) else { return .ENOMEM }
        unmap(process, range)
        return nil
    }

    private mutating func unmap(_ process: Int, _ range: Range<UInt64>) {
        for pfn in processes[process].space.remove(range) { dropUserPage(pfn, cpu: 0) }
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
        guard address <= AddressSpace.end, length <= AddressSpace.end - address else {
            return .ENOMEM
        }
        let range = address..<address + ((length + 4095) & ~4095)
        guard processes[process].space.covers(range),
            processes[process].space.areasAfterCutting(range) <= AddressSpace.maximumAreas
        else { return .ENOMEM }
        processes[process].space.protect(range, rights)
        return nil
    }
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
