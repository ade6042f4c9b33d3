/// Entries of vmalloc areas, a table at a time.
///
/// The first page of each table goes the common way, which makes the tables; the others are written
/// beside it.
extension Kernel {
    /// Maps pages one after another.
    ///
    /// - Parameters:
    ///   - start: of an area, page-aligned.
    ///   - frames: in the order of their addresses.
    ///   - flags: of every entry.
    ///   - cpu: where tables are asked for.
    /// - Returns: false where there is no memory for a table; the pages before it are mapped then.
    mutating func mapFrames(
        _ start: UInt64,
        _ frames: [UInt32],
        _ flags: PageTableEntry.Flags,
        cpu: Int
    ) -> Bool {
        mapEach(start, count: frames.count, flags, cpu: cpu) { UInt64(frames[$0]) }
    }

    /// Maps frames of memory or of devices, in order.
    mutating func mapEach(
        _ start: UInt64,
        count: Int,
        _ flags: PageTableEntry.Flags,
        cpu: Int,
        frame: (Int) -> UInt64
    ) -> Bool {
        let format = paging.format
        let bits = format.hasGlobal ? flags : flags.subtracting(.global)
        var index = 0
        while index < count {
            let address = start + UInt64(index) << 12
            guard mapKernel(address, frame: frame(index), flags, cpu: cpu) else { return false }
            index += 1
            let inTable = format.index(address, format.leafLevel)
            let more = min(count - index, format.entryCount(format.leafLevel) - inTable - 1)
            guard more > 0 else { continue }
            guard let table = leafTable(of: address) else { return false }
            for entry in inTable + 1...inTable + more {
                writeEntry(table, entry, format.entry(frame: frame(index), bits))
                index += 1
            }
        }
        return true
    }

    /// Empties the entries of an area; the TLB forgets them.
    ///
    /// - Parameters:
    ///   - range: whole pages.
    ///   - order: of the pages that map it.
    mutating func unmapArea(_ range: Range<UInt64>, order: Int) {
        let format = paging.format
        let span = format.span(format.leafLevel - 1)
        var address = range.lowerBound
        while address < range.upperBound {
            let end = min((address | (span - 1)) + 1, range.upperBound)
            if order > 0, let (table, index) = largeEntry(of: address) {
                setTableEntry(table, index, PageTableEntry(rawValue: 0))
            } else if let table = leafTable(of: address) {
                let first = format.index(address, format.leafLevel)
                for entry in first..<first + Int((end - address) >> 12) {
                    writeEntry(table, entry, PageTableEntry(rawValue: 0))
                }
            }
            address = end
        }
        if (range.upperBound - range.lowerBound) >> 12 > 64 {
            paging.flushAll()
        } else {
            for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
                paging.buffer.flush(page: page)
            }
        }
    }

    /// Maps blocks of frames by large pages: `vmap_try_huge_pmd()`.
    ///
    /// Tables are made down to the directory alone; an empty table that stands where a large page
    /// goes is given back.
    mutating func mapLarge(
        _ start: UInt64,
        _ frames: [UInt32],
        order: Int,
        _ flags: PageTableEntry.Flags,
        cpu: Int
    ) -> Bool {
        let format = paging.format
        let level = format.leafLevel - 1
        let bits = format.hasGlobal ? flags : flags.subtracting(.global)
        let boot = keptBootTables()
        for first in stride(from: 0, to: frames.count, by: 1 << order) {
            let address = start + UInt64(first) << 12
            guard let table = kernelTable(of: address, level: level, makes: true, cpu: cpu) else {
                return false
            }
            let index = format.index(address, level)
            let old = tableEntry(table, index, boot) ?? PageTableEntry(rawValue: 0)
            let entry = format.entry(frame: UInt64(frames[first]), bits.union(.large))
            setTableEntry(table, index, entry)
            guard old.isPresent, !old.flags.contains(.large),
                let below = UInt32(exactly: format.frame(of: old))
            else { continue }
            paging.flushAll()
            freeTable(below, level: format.leafLevel, isUser: false, cpu: cpu)
        }
        return true
    }

    private func kernelWalk(_ address: UInt64) -> PageWalk {
        let boot = bootTables()
        return walk(address, root: boot.root, boot)
    }

    /// The frame of the lowest table of an address; nil where there is none of the kernel's making.
    private mutating func leafTable(of address: UInt64) -> UInt64? {
        let boot = keptBootTables()
        let last = walk(address, root: boot.root, boot).last
        guard last.level == paging.format.leafLevel, isTable(last.table, boot) else { return nil }
        return last.table
    }

    private mutating func largeEntry(of address: UInt64) -> (table: UInt64, index: Int)? {
        let last = kernelWalk(address).last
        guard last.level == paging.format.leafLevel - 1, last.entry.flags.contains(.large) else {
            return nil
        }
        return (last.table, last.index)
    }

    /// Writes an entry of a table that has its bytes.
    private mutating func writeEntry(_ table: UInt64, _ index: Int, _ entry: PageTableEntry) {
        guard let frame = UInt32(exactly: table) else { return }
        let bytes = paging.format.entryBytes
        pages.contents.setWord(frame, offset: index * bytes, bytes: bytes, to: entry.rawValue)
    }
}
