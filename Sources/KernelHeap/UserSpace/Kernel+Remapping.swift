/// `mremap`: `mm/mremap.c`, 6.1.
extension Kernel {
    /// What a client asks of `mremap`.
    struct Remapping {
        var address: UInt64
        var oldLength: UInt64
        var newLength: UInt64
        var flags: UInt64
        /// Where to, with `MREMAP_FIXED`; a hint with `MREMAP_DONTUNMAP`.
        var target: UInt64

        func has(_ flag: UInt64) -> Bool { flags & flag != 0 }
        var old: Range<UInt64> { address..<address + oldLength }
    }

    /// `mremap()`.
    ///
    /// - Returns: where the memory is now; `EINVAL`, `EFAULT` where the old range is not in one area,
    ///   `EAGAIN` above the limit of locked memory, `ENOMEM` where there is no room.
    mutating func mremap(
        _ process: Int,
        _ request: Remapping,
        cpu: Int
    ) -> Result<UInt64, Errno> {
        var request = request
        let moves = request.has(RemapFlags.mayMove)
        let keeps = request.has(RemapFlags.dontUnmap)
        guard request.flags & ~7 == 0,
            moves || !request.has(RemapFlags.fixed | RemapFlags.dontUnmap),
            !keeps || request.oldLength == request.newLength, request.address & 4095 == 0,
            request.oldLength <= UInt64.max - 4095, request.newLength <= UInt64.max - 4095
        else { return .failure(.EINVAL) }
        request.oldLength = (request.oldLength + 4095) & ~4095
        request.newLength = (request.newLength + 4095) & ~4095
        guard request.newLength > 0 else { return .failure(.EINVAL) }
        guard processes[process].space.area(at: request.address) != nil,
            request.oldLength <= userEnd - request.address
        else { return .failure(.EFAULT) }
        if request.has(RemapFlags.fixed | RemapFlags.dontUnmap) {
            return moveTo(process, request, cpu: cpu)
        }
        if request.oldLength >= request.newLength {
            let rest = request.address + request.newLength..<request.old.upperBound
            if !rest.isEmpty, let errno = shrink(process, rest, cpu: cpu) { return .failure(errno) }
            return .success(request.address)
        }
        switch resizable(process, request) {
        case .failure(let errno): return .failure(errno)
        case .success(let area):
            if extend(process, area, request, cpu: cpu) { return .success(request.address) }
            guard moves else { return .failure(.ENOMEM) }
            guard let target = processes[process].space.gap(request.newLength) else {
                return .failure(.ENOMEM)
            }
            return move(process, area, request, to: target, cpu: cpu)
        }
    }

    private mutating func shrink(_ process: Int, _ range: Range<UInt64>, cpu: Int) -> Errno? {
        guard processes[process].space.mayCut(range) else { return .ENOMEM }
        unmap(process, range, cpu: cpu)
        return nil
    }

    /// The area of a request, if the request may have what it asks for: `vma_to_resize()`.
    private func resizable(_ process: Int, _ request: Remapping) -> Result<VMArea, Errno> {
        guard let area = processes[process].space.area(at: request.address) else {
            return .failure(.EFAULT)
        }
        guard request.oldLength > 0 || area.isShared else { return .failure(.EINVAL) }
        guard request.oldLength <= area.end - request.address else { return .failure(.EFAULT) }
        guard request.newLength > request.oldLength else { return .success(area) }
        let page = area.filePage(request.address)
        let more = (request.newLength - request.oldLength) >> 12
        guard page <= UInt64.max >> 12 - request.newLength >> 12 else { return .failure(.EINVAL) }
        if area.flags.contains(.locked), !mayLock(process, more) { return .failure(.EAGAIN) }
        if area.isAccounted, !isEnoughMemory(more) { return .failure(.ENOMEM) }
        return .success(area)
    }

    /// Grows an area where it is: only at its end, and only into free space.
    private mutating func extend(
        _ process: Int,
        _ area: VMArea,
        _ request: Remapping,
        cpu: Int
    ) -> Bool {
        var added = area
        added.start = request.old.upperBound
        guard added.start == area.end, request.newLength <= userEnd - request.address else {
            return false
        }
        added.end = request.address + request.newLength
        added.pageOffset = area.filePage(added.start)
        let range = added.start..<added.end
        guard processes[process].space.isFree(range) else { return false }
        countMapping(added, isAdded: true, cpu: cpu)
        processes[process].space.insert(added)
        if area.flags.contains(.locked) { _ = populate(process, range, cpu: cpu) }
        return true
    }

    /// `mremap_to()`.
    private mutating func moveTo(
        _ process: Int,
        _ request: Remapping,
        cpu: Int
    ) -> Result<UInt64, Errno> {
        var request = request
        let target = request.target
        let isFixed = request.has(RemapFlags.fixed)
        guard !isFixed || target & 4095 == 0, request.newLength <= userEnd,
            target <= userEnd - request.newLength, target & 4095 == 0
        else { return .failure(.EINVAL) }
        guard !(request.old.upperBound > target && target + request.newLength > request.address)
        else { return .failure(.EINVAL) }
        guard processes[process].space.areas.count + 2 < AddressSpace.maximumAreas - 3 else {
            return .failure(.ENOMEM)
        }
        if isFixed {
            guard target >= AddressSpace.lowest else { return .failure(.EPERM) }
            unmap(process, target..<target + request.newLength, cpu: cpu)
        }
        if request.oldLength > request.newLength {
            let start = request.address + request.newLength
            unmap(process, start..<request.old.upperBound, cpu: cpu)
            request.oldLength = request.newLength
        }
        switch resizable(process, request) {
        case .failure(let errno): return .failure(errno)
        case .success(let area):
            let flags = isFixed ? MapFlags.fixed : 0
            let placed = processes[process].space.place(
                hint: target,
                length: request.newLength,
                flags: flags
            )
            guard case .success(let start) = placed else { return placed }
            return move(process, area, request, to: start, cpu: cpu)
        }
    }

    /// Moves a part of an area with its pages: `move_vma()`.
    private mutating func move(
        _ process: Int,
        _ area: VMArea,
        _ request: Remapping,
        to target: UInt64,
        cpu: Int
    ) -> Result<UInt64, Errno> {
        guard processes[process].space.areas.count < AddressSpace.maximumAreas - 3 else {
            return .failure(.ENOMEM)
        }
        var moved = area
        moved.start = target
        moved.end = target + request.newLength
        moved.pageOffset = area.filePage(request.address)
        // Memory without pages of its own begins anew, and so may join its neighbours.
        if area.file == nil && area.pageOwner == 0 { moved.pageOffset = target >> 12 }
        countMapping(moved, isAdded: true, cpu: cpu)
        processes[process].space.insert(moved)
        if let stop = moveEntries(process, request.old, to: target, cpu: cpu) {
            _ = moveEntries(
                process,
                target..<target + request.oldLength,
                to: request.address,
                cpu: cpu
            )
            unmap(process, target..<moved.end, cpu: cpu)
            return .failure(stop.reason == .outOfMemory ? .ENOMEM : .EFAULT)
        }
        if request.has(RemapFlags.dontUnmap) {
            if area.flags.contains(.locked) {
                processes[process].space.change(request.old) { $0.flags.remove(.locked) }
            }
            processes[process].space.forgetPageOwner(request.old)
        } else if request.oldLength > 0 {
            unmap(process, request.old, cpu: cpu)
        }
        if area.flags.contains(.locked) {
            _ = populate(process, target..<moved.end, cpu: cpu)
        }
        return .success(target)
    }

    /// Moves the entries of a range to other addresses: `move_page_tables()`.
    ///
    /// - Returns: why it ended early.
    private mutating func moveEntries(
        _ process: Int,
        _ range: Range<UInt64>,
        to target: UInt64,
        cpu: Int
    ) -> UserFault.Stop? {
        defer { paging.flushUser() }
        var budget = WalkBudget(processes[process].space)
        var start = range.lowerBound
        while start < range.upperBound {
            let part = start..<range.upperBound
            let (leaves, next) = userLeaves(process, part, limit: 4_096, &budget)
            for leaf in leaves {
                let place = target + (leaf.address - range.lowerBound)
                switch makeLeaf(process, at: place, cpu: cpu) {
                case .failure(let stop): return stop
                case .success(let new):
                    setTableEntry(leaf.table, leaf.index, PageTableEntry(rawValue: 0))
                    setTableEntry(new.table, new.index, leaf.entry)
                }
            }
            guard let next, next > start else { return nil }
            start = next
        }
        return nil
    }
}

/// The `MREMAP_*` bits.
enum RemapFlags {
    static let mayMove: UInt64 = 1
    static let fixed: UInt64 = 2
    static let dontUnmap: UInt64 = 4

    static let names = FlagNames(
        "flags",
        [
            FlagName("MREMAP_MAYMOVE", mayMove), FlagName("MREMAP_FIXED", fixed),
            FlagName("MREMAP_DONTUNMAP", dontUnmap),
        ]
    )
}
