/// Files of a disk and their pages in memory: `mm/filemap.c`, `mm/page-writeback.c`, 6.1.
///
///     disk ── read ─→ clean ── written ─→ dirty ── writeback begins ─→ under writeback ── ends ─→ clean
///                       └── reclaimed: the next read finds it on the disk
///
/// The disk is one store of files by name. Nothing is read ahead.
extension Kernel {
    /// Most files of a disk.
    static let maximumDiskFiles = 1_024
    /// Largest file of a disk, in bytes.
    static let maximumDiskFileBytes: UInt64 = 1 << 40

    /// The file of a name.
    func diskFile(_ path: String) -> Int? { files.diskPlaces[path] }

    /// Finds the file of a name, or makes an empty one.
    ///
    /// - Returns: `ENOSPC` where the disk has too many.
    mutating func makeDiskFile(_ path: String) -> Result<Int, Errno> {
        if let place = diskFile(path) { return .success(place) }
        guard files.diskPlaces.count < Self.maximumDiskFiles else { return .failure(.ENOSPC) }
        return .success(files.makeOnDisk(path))
    }

    /// `open()` of a file of the disk.
    ///
    /// - Returns: the descriptor; `EMFILE`, `ENOSPC`.
    mutating func openDiskFile(_ process: Int, _ path: String) -> Result<Int, Errno> {
        guard processes[process].hasFreeDescriptor else { return .failure(.EMFILE) }
        return makeDiskFile(path).flatMap { place in
            guard let descriptor = processes[process].open(.memory(place)) else {
                return .failure(.EMFILE)
            }
            files[place]?.descriptorCount += 1
            return .success(descriptor)
        }
    }

    /// Reads pages of a file into memory: `filemap_read()`.
    ///
    /// - Parameters:
    ///   - place: the file's.
    ///   - numbers: of its pages.
    ///   - context: who reads.
    /// - Returns: pages that are in memory now, and how many of them were before.
    mutating func readPages(
        _ place: Int,
        _ numbers: Range<UInt64>,
        in context: CallContext
    ) -> (read: Int, found: Int) {
        var result = (read: 0, found: 0)
        for number in numbers {
            let isThere = files[place]?.frame(number) != nil
            guard let frame = cachedPage(place, number, cpu: context.cpu) else { break }
            markAccessed(frame)
            result.read += 1
            if isThere { result.found += 1 }
        }
        return result
    }

    /// Writes to pages of a file: `generic_perform_write()`.
    ///
    /// - Parameters:
    ///   - bytes: what is written.
    ///   - place: the file's.
    ///   - offset: in bytes.
    ///   - context: who writes; waits where too much is dirty.
    /// - Returns: bytes written; fewer where memory ran out.
    mutating func write(
        _ bytes: [UInt8],
        to place: Int,
        at offset: UInt64,
        in context: CallContext
    ) -> UInt64 {
        var done = 0
        while done < bytes.count {
            let position = offset &+ UInt64(done)
            let frame = cachedPage(place, position / 4096, toWrite: true, cpu: context.cpu)
            guard let frame else { break }
            let start = Int(position % 4096)
            let length = min(4096 - start, bytes.count - done)
            writeFrame(frame, offset: start, bytes[done..<done + length])
            markDirty(frame)
            done += length
            balanceDirtyPages(context)
        }
        let end = offset &+ UInt64(done)
        if done > 0, let file = files[place], end > file.size { files[place]?.size = end }
        return UInt64(done)
    }

    /// A page of a disk's file was written to: `folio_mark_dirty()`.
    mutating func markDirty(_ pfn: UInt32) {
        guard !pages.map[Int(pfn)].aging.contains(.dirty) else { return }
        age(pfn, .dirty)
        diskCounts.dirtied &+= 1
        dirtyPages.append(pfn)
        // Pages that were dropped while they were dirty are still named there.
        guard dirtyPages.count > 2 * dirtyPageCount + 1_024 else { return }
        var known: Set<UInt32> = []
        dirtyPages = dirtyPages.filter { page in
            pages.map[Int(page)].aging.contains(.dirty) && known.insert(page).inserted
        }
    }
}

/// What was written to and read from disks since boot, in pages.
struct DiskCounts: Sendable {
    /// `nr_dirtied`.
    var dirtied: UInt64 = 0
    /// `nr_written`.
    var written: UInt64 = 0
    /// `nr_vmscan_write`: by reclaim.
    var writtenByReclaim: UInt64 = 0
    /// `nr_vmscan_immediate_reclaim`: met dirty by reclaim, to be freed once written.
    var markedByReclaim: UInt64 = 0
}
