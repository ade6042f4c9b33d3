/// System calls that make and end mappings: `mm/mmap.c`, 6.1.
extension Kernel {
    /// `mmap`.
    ///
    /// - Parameters:
    ///   - process: as an index.
    ///   - hint: where, as a hint or with `MAP_FIXED`.
    ///   - length: bytes.
    ///   - rights: what the process may do with the memory.
    ///   - flags: `MAP_*`.
    ///   - descriptor: of a file, unless `MAP_ANONYMOUS` is among the flags.
    ///   - offset: where in the file, in bytes.
    ///   - cpu: where memory is asked for.
    ///   - fill: how a device's file fills its area; nil where there can be none.
    /// - Returns: the address, or why there is none.
    mutating func mmap(
        _ process: Int,
        hint: UInt64,
        length: UInt64,
        rights: MemoryRights,
        flags: UInt64,
        descriptor: Int = -1,
        offset: UInt64 = 0,
        cpu: Int = 0,
        fill: ((inout Kernel, inout VMArea) -> Errno?)? = nil
    ) -> Result<UInt64, Errno> {
        guard offset & 4095 == 0 else { return .failure(.EINVAL) }
        let isAnonymous = flags & MapFlags.anonymous != 0
        let file = isAnonymous ? nil : processes[process].file(descriptor)
        guard isAnonymous || file != nil || fill != nil else { return .failure(.EBADF) }
        guard length > 0 else { return .failure(.EINVAL) }
        guard length <= UInt64.max - 4095 else { return .failure(.ENOMEM) }
        let rounded = (length + 4095) & ~4095
        guard offset >> 12 <= UInt64.max >> 12 - rounded >> 12 else { return .failure(.EOVERFLOW) }
        guard processes[process].space.areas.count <= AddressSpace.maximumAreas else {
            return .failure(.ENOMEM)
        }
        // No copy of the address space may live on here, or the insertion would copy it whole.
        let placed = processes[process].space.place(hint: hint, length: rounded, flags: flags)
        guard case .success(let start) = placed else { return placed }
        var area = VMArea(start: start, end: start + rounded, rights: rights)
        if let errno = describe(&area, flags: flags, process) { return .failure(errno) }
        if !isAnonymous { area.pageOffset = offset >> 12 }
        if area.isShared && isAnonymous { area.pageOffset = 0 }
        area.file = file
        if flags & MapFlags.fixed != 0 { unmap(process, start..<start + rounded, cpu: cpu) }
        guard !area.isAccounted || isEnoughMemory(area.pageCount) else { return .failure(.ENOMEM) }
        if let fill, !isAnonymous, let errno = fill(&self, &area) {
            // What the driver has mapped by then goes.
            zapUserPages(process, start..<start + rounded, cpu: cpu)
            freeUserTables(process, start..<start + rounded, cpu: cpu)
            return .failure(errno)
        }
        // The driver's steps may be calls of this process that map something else there.
        if fill != nil, !processes[process].space.isFree(start..<start + rounded) {
            return .failure(.EBUSY)
        }
        if area.isShared && isAnonymous {
            // shmem_acct_size(): without a reservation each page is promised when it comes.
            let isReserved = !area.flags.contains(.notReserved)
            guard !isReserved || isEnoughMemory(area.pageCount) else { return .failure(.ENOMEM) }
            area.file = makeSharedFile(rounded, isReserved: isReserved)
        }
        countMapping(area, isAdded: true, cpu: cpu)
        processes[process].space.insert(area)
        let populates = flags & (MapFlags.populate | MapFlags.nonBlocking) == MapFlags.populate
        if populates || area.flags.contains(.locked) {
            _ = populate(process, start..<start + rounded, cpu: cpu)
        }
        return .success(start)
    }

    /// Sets what the flags of `mmap` say of an area, or says what is wrong with them.
    private func describe(_ area: inout VMArea, flags: UInt64, _ process: Int) -> Errno? {
        let type = flags & MapFlags.typeMask
        let isShared = type == MapFlags.shared || type == MapFlags.sharedValidate
        let growsDown = flags & MapFlags.growsDown != 0
        if flags & MapFlags.locked != 0 {
            guard mayLock(process, area.pageCount) else { return .EAGAIN }
            area.flags.insert(.locked)
        }
        guard isShared || type == MapFlags.private else { return .EINVAL }
        // Anonymous memory has no type MAP_SHARED_VALIDATE.
        let isAnonymous = flags & MapFlags.anonymous != 0
        guard !isAnonymous || type != MapFlags.sharedValidate else { return .EINVAL }
        guard !(growsDown && (isShared || !isAnonymous)) else { return .EINVAL }
        if isShared { area.flags.insert(.shared) }
        if growsDown { area.flags.insert(.growsDown) }
        if flags & MapFlags.noReserve != 0 { area.flags.insert(.notReserved) }
        let isPromised = !isShared && area.rights.contains(.write)
        if isPromised && flags & MapFlags.noReserve == 0 { area.flags.insert(.accounted) }
        return nil
    }

    /// The file behind shared anonymous memory: `shmem_zero_setup()`.
    private mutating func makeSharedFile(_ length: UInt64, isReserved: Bool) -> Int {
        let file = files.make("/dev/zero")
        files[file]?.size = length
        files[file]?.isReserved = isReserved
        return file
    }

    /// `munmap`: pages go back, areas are cut.
    mutating func munmap(
        _ process: Int,
        _ address: UInt64,
        _ length: UInt64,
        cpu: Int = 0
    ) -> Errno? {
        guard address & 4095 == 0, length > 0, address <= layout.userEnd,
            length <= layout.userEnd - address
        else { return .EINVAL }
        let range = address..<address + ((length + 4095) & ~4095)
        guard processes[process].space.mayCut(range) else { return .ENOMEM }
        unmap(process, range, cpu: cpu)
        return nil
    }

    /// Cuts a range out of a process: pages go back, and tables that serve nothing else.
    mutating func unmap(_ process: Int, _ range: Range<UInt64>, cpu: Int) {
        let parts = processes[process].space.areas(in: range)
        guard !parts.isEmpty else { return }
        processes[process].space.remove(range)
        for part in parts { zapUserPages(process, part.start..<part.end, cpu: cpu) }
        freeUserTables(process, range, cpu: cpu)
        for part in parts { countMapping(part, isAdded: false, cpu: cpu) }
    }

    /// `mprotect`.
    ///
    /// - Returns: `ENOMEM` where a part is not mapped; what lies before it has changed.
    mutating func mprotect(
        _ process: Int,
        _ address: UInt64,
        _ length: UInt64,
        _ rights: MemoryRights,
        cpu: Int = 0
    ) -> Errno? {
        guard address & 4095 == 0 else { return .EINVAL }
        if length == 0 { return nil }
        guard address <= layout.userEnd, length <= layout.userEnd - address else {
            return .ENOMEM
        }
        let range = address..<address + ((length + 4095) & ~4095)
        let run = processes[process].space.run(range)
        for area in run.areas where area.rights != rights {
            if let errno = protect(process, area, rights, cpu: cpu) { return errno }
        }
        return run.isWhole ? nil : .ENOMEM
    }

    /// `mprotect_fixup()` of a part of one area.
    private mutating func protect(
        _ process: Int,
        _ area: VMArea,
        _ rights: MemoryRights,
        cpu: Int
    ) -> Errno? {
        let kept: VMFlags = [.accounted, .shared, .notReserved]
        let promises =
            rights.contains(.write) && !area.rights.contains(.write)
            && area.flags.isDisjoint(with: kept)
        if promises && !isEnoughMemory(area.pageCount) { return .ENOMEM }
        let range = area.start..<area.end
        guard processes[process].space.maySplit(range) else { return .ENOMEM }
        processes[process].space.change(range) { area in
            area.rights = rights
            if promises { area.flags.insert(.accounted) }
        }
        var changed = area
        changed.rights = rights
        protectUserPages(process, changed)
        let isLockedCopy = area.flags.contains(.locked) && !area.isShared
        if isLockedCopy && promises { _ = populate(process, range, cpu: cpu) }
        return nil
    }

    /// Pages that one call brings in, at most: 4 GiB.
    ///
    /// Those that are only read cost tables alone, so that the machine's memory ends no such call.
    static let populatedPages: UInt64 = 1 << 20

    /// Touches every page of a range, as stores where they may be: `__mm_populate()`.
    ///
    /// - Returns: why it ended early; `.outOfMemory` behind `limit` pages, too.
    mutating func populate(
        _ process: Int,
        _ range: Range<UInt64>,
        limit: UInt64 = populatedPages,
        cpu: Int
    ) -> UserFault.Stop? {
        var room = limit
        for area in processes[process].space.areas(in: range)
        where area.flags.isDisjoint(with: .special) {
            let isStore = area.rights.contains(.write) && !area.isShared
            let access: UserAccess = isStore ? .store : .load
            if let stop = populate(process, area, for: access, &room, cpu: cpu) { return stop }
        }
        return nil
    }

    /// Touches every page of an area's part, as far as there is room.
    mutating func populate(
        _ process: Int,
        _ area: VMArea,
        for access: UserAccess,
        _ room: inout UInt64,
        cpu: Int
    ) -> UserFault.Stop? {
        var address = area.start
        while address < area.end {
            guard room > 0 else { return UserFault.Stop(.outOfMemory) }
            room -= 1
            let page = userPage(process, at: address, for: access, cpu: cpu)
            if case .failure(let stop) = page { return stop }
            address += 4096
        }
        return nil
    }

    /// `brk`.
    ///
    /// - Returns: where the heap ends now; where it could not be moved, where it ended.
    mutating func setBreak(_ process: Int, to address: UInt64, cpu: Int) -> UInt64 {
        let heap = processes[process].space.heap
        guard address >= heap.lowerBound, address <= userEnd else { return heap.upperBound }
        let new = (address + 4095) & ~4095
        let old = (heap.upperBound + 4095) & ~4095
        if new > old {
            guard mayExtendHeap(process, old..<new) else { return heap.upperBound }
            processes[process].space.insert(
                VMArea(start: old, end: new, rights: [.read, .write], flags: .accounted)
            )
        } else if new < old {
            guard processes[process].space.mayCut(new..<old) else { return heap.upperBound }
            unmap(process, new..<old, cpu: cpu)
        }
        processes[process].space.heap = heap.lowerBound..<address
        return address
    }

    private func mayExtendHeap(_ process: Int, _ range: Range<UInt64>) -> Bool {
        let areas = processes[process].space.areas
        let next = processes[process].space.firstIndex(endingAfter: range.lowerBound)
        let end = range.upperBound &+ 4096
        return range.upperBound <= userEnd && areas.count <= AddressSpace.maximumAreas
            && (next == areas.count || end <= areas[next].guardedStart)
            && isEnoughMemory((range.upperBound - range.lowerBound) >> 12)
    }
}

/// The `MAP_*` bits of `mmap` that act here.
enum MapFlags {
    static let shared: UInt64 = 0x1
    static let `private`: UInt64 = 0x2
    static let sharedValidate: UInt64 = 0x3
    static let typeMask: UInt64 = 0xf
    static let fixed: UInt64 = 0x10
    static let anonymous: UInt64 = 0x20
    static let growsDown: UInt64 = 0x100
    static let locked: UInt64 = 0x2000
    static let noReserve: UInt64 = 0x4000
    static let populate: UInt64 = 0x8000
    static let nonBlocking: UInt64 = 0x1_0000
    static let fixedNoReplace: UInt64 = 0x10_0000

    static let names = FlagNames(
        "flags",
        [
            FlagName("MAP_SHARED", shared), FlagName("MAP_PRIVATE", `private`),
            FlagName("MAP_SHARED_VALIDATE", sharedValidate), FlagName("MAP_FIXED", fixed),
            FlagName("MAP_ANONYMOUS", anonymous), FlagName("MAP_ANON", anonymous),
            FlagName("MAP_GROWSDOWN", growsDown), FlagName("MAP_DENYWRITE", 0x800),
            FlagName("MAP_EXECUTABLE", 0x1000), FlagName("MAP_LOCKED", locked),
            FlagName("MAP_NORESERVE", noReserve), FlagName("MAP_POPULATE", populate),
            FlagName("MAP_NONBLOCK", nonBlocking), FlagName("MAP_STACK", 0x2_0000),
            FlagName("MAP_FIXED_NOREPLACE", fixedNoReplace),
        ]
    )
}
