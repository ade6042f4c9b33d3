/// Pages of files in processes: `do_fault()`, `mm/memory.c`, and `shmem_fault()`, `mm/shmem.c`, 6.1.
extension Kernel {
    /// Pages around a read fault that are mapped with it: `fault_around_bytes`.
    private static let faultAroundPages: UInt64 = 16

    /// Whether an area's file ends before a page of it.
    func endsBefore(_ area: VMArea, _ address: UInt64) -> Bool {
        guard let place = area.file, let file = files[place] else { return false }
        return !file.reaches(area.filePage(address))
    }

    /// Brings a page of a file into an empty entry.
    ///
    /// A store to private memory gets a copy at once; a load maps what is there around it, too.
    ///
    /// - Returns: why not, or nil.
    mutating func mapFile(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        for access: UserAccess,
        cpu: Int
    ) -> UserFault.Stop? {
        guard let file = area.file else { return UserFault.Stop(.notMapped) }
        if access == .store, !area.isShared {
            return copyFilePage(process, leaf, area, file, cpu: cpu)
        }
        if access != .store, mapAround(process, leaf, area, file) { return nil }
        guard let frame = cachedPage(file, area.filePage(leaf.address), cpu: cpu) else {
            return UserFault.Stop(.outOfMemory)
        }
        map(process, leaf, area, frame, isStore: access == .store)
        return nil
    }

    /// `do_cow_fault()`.
    private mutating func copyFilePage(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        _ file: Int,
        cpu: Int
    ) -> UserFault.Stop? {
        processes[process].space.preparePageOwner(at: leaf.address)
        guard let copy = allocateUserPage(cpu: cpu) else { return UserFault.Stop(.outOfMemory) }
        guard let frame = cachedPage(file, area.filePage(leaf.address), cpu: cpu) else {
            freePages(PFN(rawValue: UInt64(copy)), order: 0, in: CallContext(cpu: cpu))
            return UserFault.Stop(.outOfMemory)
        }
        copyFrame(frame, 0, to: copy, 0, count: 4096)
        mapAnonymous(process, leaf, area, copy)
        return nil
    }

    /// Maps the pages of the file that are in memory around a load: `do_fault_around()`.
    ///
    /// - Returns: whether the page of the load is among them.
    private mutating func mapAround(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        _ file: Int
    ) -> Bool {
        guard let known = files[file], known.pageCount > 0 else { return false }
        let window = Self.faultAroundPages << 12
        let tableEnd = (leaf.address | (paging.format.span(paging.format.leafLevel - 1) - 1)) &+ 1
        var address = max(leaf.address & ~(window - 1), area.start)
        let first = address
        let end = min(address + window, area.end, tableEnd == 0 ? .max : tableEnd)
        var isFound = false
        let boot = keptBootTables()
        while address < end {
            defer { address += 4096 }
            let number = area.filePage(address)
            let distance = (Int(address >> 12) - Int(leaf.address >> 12))
            let index = leaf.index + distance
            guard index >= 0, known.reaches(number), let frame = known.frame(number),
                tableEntry(leaf.table, index, boot)?.rawValue == 0
            else { continue }
            var place = leaf
            (place.index, place.address) = (index, address)
            map(process, place, area, frame, isStore: false)
            isFound = isFound || address == leaf.address
        }
        return isFound && first <= leaf.address
    }

    private mutating func map(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        _ frame: UInt32,
        isStore: Bool
    ) {
        mapFilePage(frame)
        countResident(process, isOfFile: true, by: 1)
        var flags = protection(area)
        if isStore {
            flags.formUnion([.writable, .dirty])
            if pages.map[Int(frame)].aging.contains(.onDisk) { markDirty(frame) }
        }
        if area.flags.contains(.locked) { age(frame, .unevictable) }
        setTableEntry(leaf.table, leaf.index, paging.format.entry(frame: UInt64(frame), flags))
        paging.buffer.flush(page: leaf.address)
        notePage(leaf.address, UInt64(frame))
    }

    /// The page of a file, brought into memory where it was not: `shmem_get_folio()`,
    /// `filemap_fault()`.
    mutating func cachedPage(
        _ file: Int,
        _ number: UInt64,
        toWrite: Bool = false,
        cpu: Int
    ) -> UInt32? {
        if let frame = files[file]?.frame(number) { return frame }
        guard let frame = allocateUserPage(toWrite: toWrite, cpu: cpu) else { return nil }
        // The file's last user may have been killed for the page.
        guard files[file] != nil else {
            freePages(PFN(rawValue: UInt64(frame)), order: 0, in: CallContext(cpu: cpu))
            return nil
        }
        // No copy of the file may live on when its table of frames is written.
        let isOnDisk = files[file]?.isOnDisk ?? false
        becomeFilePage(frame, of: file, number: number, isOnDisk: isOnDisk)
        files[file]?.set(number, frame)
        if isOnDisk {
            load(files[file]?.stored[number] ?? [], into: frame)
            events[.pgpgin] &+= 4
            events[.pgmajfault] &+= 1
        } else if let slot = files[file]?.swapped[number] {
            load(swap.bytes(slot), into: frame)
            files[file]?.setSwapped(number, nil)
            releaseSlot(slot, cpu: cpu)
            age(frame, .dirty)
            events[.pswpin] &+= 1
            events[.pgmajfault] &+= 1
        } else {
            pages.contents.clear(frame, pages: 1)
        }
        return frame
    }

    /// Whether the pages of an area are copies of what a disk holds.
    func isOnDisk(_ area: VMArea) -> Bool {
        area.file.map { files[$0]?.isOnDisk ?? false } ?? false
    }
}

/// Files as processes open, write and cut them: `mm/memfd.c`, `mm/shmem.c`, 6.1.
extension Kernel {
    /// `memfd_create()`.
    ///
    /// - Returns: the descriptor, or `EMFILE` where the process has none left.
    mutating func createFile(_ process: Int, named name: String) -> Result<Int, Errno> {
        let file = files.make("/memfd:" + name)
        guard let descriptor = processes[process].open(.memory(file)) else {
            files.remove(file)
            return .failure(.EMFILE)
        }
        files[file]?.descriptorCount = 1
        return .success(descriptor)
    }

    /// `close()`: a device's `release` runs with its last descriptor.
    mutating func closeFile(_ process: Int, _ descriptor: Int, cpu: Int) -> DeviceOutcome {
        switch processes[process].openFile(descriptor) {
        case nil: return .failure(.EBADF)
        case .memory(let file):
            _ = processes[process].close(descriptor)
            files[file]?.descriptorCount -= 1
            releaseFile(file, cpu: cpu)
            return DeviceOutcome(value: 0)
        case .device(let file):
            // The descriptor is free before the driver hears of it.
            _ = processes[process].close(descriptor)
            return releaseDeviceFile(
                file,
                in: CallContext(cpu: cpu, pid: processes[process].pid)
            )
        }
    }

    /// Gives a file's pages back when nothing uses it any more.
    mutating func releaseFile(_ place: Int, cpu: Int) {
        guard let file = files[place], !file.isUsed else { return }
        for frame in files[place]?.take(0..<UInt64.max) ?? [] { dropFilePage(frame, cpu: cpu) }
        for slot in files[place]?.takeSwapped(0..<UInt64.max) ?? [] { releaseSlot(slot, cpu: cpu) }
        files.remove(place)
    }

    /// Counts an area's pages in or out of its file.
    mutating func countMapping(_ area: VMArea, isAdded: Bool, cpu: Int) {
        if area.device != nil { countDeviceMapping(area, isAdded: isAdded) }
        guard let place = area.file, files[place] != nil else { return }
        if isAdded {
            files[place]?.mappedPages &+= area.pageCount
        } else {
            files[place]?.mappedPages &-= area.pageCount
            releaseFile(place, cpu: cpu)
        }
    }

    /// `ftruncate()`: a smaller file loses its pages, in every process that shows them.
    mutating func truncate(_ process: Int, _ descriptor: Int, to size: UInt64, cpu: Int) -> Errno? {
        guard size <= MemoryFile.maximumSize else { return .EINVAL }
        guard let place = processes[process].file(descriptor), let file = files[place] else {
            return .EBADF
        }
        files[place]?.size = size
        guard size < file.size else { return nil }
        files[place]?.cutStored(to: size)
        let first = (size + 4095) / 4096
        dropFilePages(place, first..<UInt64.max, cpu: cpu)
        if size % 4096 > 0 { cutPage(place, size / 4096, at: Int(size % 4096), cpu: cpu) }
        return nil
    }

    /// Clears a file's page from an offset on, wherever it is: `shmem_get_partial_folio()`.
    private mutating func cutPage(_ place: Int, _ number: UInt64, at offset: Int, cpu: Int) {
        let slot = files[place]?.swapped[number]
        let frame = slot == nil ? files[place]?.frame(number) : cachedPage(place, number, cpu: cpu)
        if let frame {
            fillFrame(frame, offset: offset, count: 4096 - offset, with: 0)
        } else if let slot {
            swap.store(Array(swap.bytes(slot).prefix(offset)), at: slot)
        }
    }

    /// Takes pages out of a file and out of every area that shows them, copies among them:
    /// `unmap_mapping_range()` and `shmem_undo_range()`.
    ///
    /// - Parameters:
    ///   - place: of the file.
    ///   - numbers: of the pages.
    ///   - keepingCopies: whether private copies stay, as where a hole is punched.
    ///   - cpu: where pages are given back.
    mutating func dropFilePages(
        _ place: Int,
        _ numbers: Range<UInt64>,
        keepingCopies: Bool = false,
        cpu: Int
    ) {
        for process in processes.indices {
            let areas = processes[process].space.areas
            for area in areas where area.file == place {
                let shown = area.pageOffset..<area.pageOffset + area.pageCount
                let part = shown.clamped(to: numbers)
                guard !part.isEmpty else { continue }
                let start = area.start + (part.lowerBound - area.pageOffset) << 12
                zapUserPages(
                    process,
                    start..<start + UInt64(part.count) << 12,
                    sparingCopies: keepingCopies,
                    cpu: cpu
                )
            }
        }
        for frame in files[place]?.take(numbers) ?? [] { dropFilePage(frame, cpu: cpu) }
        for slot in files[place]?.takeSwapped(numbers) ?? [] { releaseSlot(slot, cpu: cpu) }
        files[place]?.dropStored(numbers)
    }

    /// `pwrite()`: stores bytes into a file, and makes it longer where they go beyond its end.
    ///
    /// - Returns: bytes stored, or why none were.
    mutating func writeFile(
        _ process: Int,
        _ descriptor: Int,
        _ bytes: [UInt8],
        at offset: UInt64,
        cpu: Int
    ) -> Result<UInt64, Errno> {
        guard let place = processes[process].file(descriptor), files[place] != nil else {
            return .failure(.EBADF)
        }
        guard offset <= MemoryFile.maximumSize else { return .failure(.EINVAL) }
        guard UInt64(bytes.count) <= MemoryFile.maximumSize - offset else {
            return .failure(.EFBIG)
        }
        var rest = bytes[...]
        var position = offset
        while !rest.isEmpty {
            let toWrite = files[place]?.isOnDisk == true
            guard let frame = cachedPage(place, position / 4096, toWrite: toWrite, cpu: cpu)
            else { break }
            let start = Int(position % 4096)
            let part = rest.prefix(4096 - start)
            writeFrame(frame, offset: start, part)
            if toWrite { markDirty(frame) }
            rest = rest.dropFirst(part.count)
            position += UInt64(part.count)
        }
        if let file = files[place], position > file.size, position > offset {
            files[place]?.size = position
        }
        guard position > offset || bytes.isEmpty else { return .failure(.ENOMEM) }
        return .success(position - offset)
    }

    /// `pread()`: the bytes of a file from an offset on, to its end at most.
    mutating func readFile(
        _ process: Int,
        _ descriptor: Int,
        _ count: UInt64,
        at offset: UInt64,
        cpu: Int
    ) -> Result<[UInt8], Errno> {
        guard let place = processes[process].file(descriptor), let file = files[place] else {
            return .failure(.EBADF)
        }
        guard offset <= MemoryFile.maximumSize else { return .failure(.EINVAL) }
        var bytes: [UInt8] = []
        var position = offset
        let end = file.size > offset ? offset + min(count, file.size - offset) : offset
        while position < end {
            let start = Int(position % 4096)
            let length = min(4096 - start, Int(end - position))
            if file.isOnDisk || file.swapped[position / 4096] != nil {
                guard let frame = cachedPage(place, position / 4096, cpu: cpu) else {
                    return .failure(.ENOMEM)
                }
                readFrame(frame, offset: start, count: length, into: &bytes)
                markAccessed(frame)
            } else if let frame = file.frame(position / 4096) {
                readFrame(frame, offset: start, count: length, into: &bytes)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: length))
            }
            position += UInt64(length)
        }
        return .success(bytes)
    }
}
