/// Copies of kernel memory carry along which of their bytes nobody has written, as KMSAN's shadow
/// does: `kmsan_memmove_metadata()`, `mm/kmsan/core.c`, 6.1.
///
///     source   | written | ······ |        · nobody wrote it
///     target   | written | ······ |        whatever it was before the copy
extension Kernel {
    /// Parts of a range that are told or carried along, at most; behind them all counts as written.
    private static let unwrittenPartLimit = 4_096

    /// Which bytes nobody has written of memory that is about to be copied.
    ///
    /// - Parameters:
    ///   - source: where the copy begins.
    ///   - length: bytes.
    /// - Returns: ascending parts, as offsets from the copy's start.
    mutating func unwrittenParts(_ source: UInt64, _ length: UInt64) -> [Range<UInt64>] {
        guard isSanitized || !written.isEmpty, length > 0 else { return [] }
        let (end, overflow) = source.addingReportingOverflow(length)
        guard !overflow else { return [] }
        guard let place = slabPlace(at: source) else {
            return unwrittenParts(ofPages: source, length)
        }
        guard place.isAllocated else { return [] }
        return unwritten(source..<end, of: place).map {
            $0.lowerBound - source..<$0.upperBound - source
        }
    }

    /// The same of memory that is no slab's, page by page of the address.
    ///
    /// - Parameters:
    ///   - address: the range, up to its length, does not overflow.
    ///   - length: bytes.
    /// - Returns: ascending parts, as offsets from the address.
    mutating func unwrittenParts(ofPages address: UInt64, _ length: UInt64) -> [Range<UInt64>] {
        guard isSanitized else { return [] }
        var parts: [Range<UInt64>] = []
        var done: UInt64 = 0
        while done < length, parts.count < Self.unwrittenPartLimit {
            let offset = (address &+ done) % 4096
            let count = min(length - done, 4096 - offset)
            if let frame = followedFrame(address &+ done) {
                let range = Int(offset)..<Int(offset + count)
                for part in pages.contents.unwritten.gaps(frame, range) {
                    let start = done + UInt64(part.lowerBound) - offset
                    let next = start..<start + UInt64(part.count)
                    if let last = parts.last, last.upperBound == start {
                        parts[parts.count - 1] = last.lowerBound..<next.upperBound
                    } else {
                        parts.append(next)
                    }
                }
            }
            done += count
        }
        return parts
    }

    /// The frame behind a kernel address, of whichever map.
    mutating func followedFrame(_ address: UInt64) -> UInt32? {
        if let frame = frame(ofDirectMapped: address) { return frame }
        guard address >= layout.pageOffset, paging.format.isCanonical(address) else { return nil }
        let boot = keptBootTables()
        let walk = walk(address, root: boot.root, boot)
        return walk.end == .mapped ? memoryFrame(walk.frame) : nil
    }

    /// Notes that a copy stored bytes that nobody had written, after the stores themselves.
    ///
    /// - Parameters:
    ///   - parts: what `unwrittenParts` said before the copy.
    ///   - target: where the copy began to store.
    ///   - stored: offsets that the copy came to.
    mutating func noteUnwritten(
        _ parts: [Range<UInt64>],
        at target: UInt64,
        stored: Range<UInt64>
    ) {
        guard !parts.isEmpty, !target.addingReportingOverflow(stored.upperBound).overflow else {
            return
        }
        let ranges = parts.map { $0.clamped(to: stored) }.filter { !$0.isEmpty }.map {
            target + $0.lowerBound..<target + $0.upperBound
        }
        if let place = slabPlace(at: target + stored.lowerBound) {
            noteUnwritten(ranges, in: place)
        } else if isSanitized {
            for range in ranges { noteUnwrittenPages(range) }
        }
    }

    private mutating func noteUnwritten(_ ranges: [Range<UInt64>], in place: SlabPlace) {
        guard place.isAllocated else { return }
        let begin = place.begin.rawValue
        let object = begin..<begin &+ place.size
        let index = isSanitized ? sanitizedIndex(of: begin) : nil
        if let index, slab.sanitized[index].writes == .none { return }
        for range in ranges { written.forget(begin, range.clamped(to: object)) }
        if let index { slab.sanitized[index].writes = written.hasGaps(begin) ? .some : .all }
    }

    /// Pages that a caller got from the page allocator; any other page stays written.
    private mutating func noteUnwrittenPages(_ range: Range<UInt64>) {
        var place = range.lowerBound
        while place < range.upperBound {
            let offset = place % 4096
            let count = min(range.upperBound - place, 4096 - offset)
            if let frame = followedFrame(place), isFollowed(frame) {
                pages.contents.unwritten.forget(frame, Int(offset)..<Int(offset + count))
            }
            place += count
        }
    }

    /// Whether a frame lies in a block that a caller holds: user space's and tables are not followed.
    private func isFollowed(_ frame: UInt32) -> Bool {
        let run = frameRun(at: UInt64(frame), limit: UInt64(frame) + 1)
        guard case .block(let page) = run.use else { return false }
        return page.kind == .allocated && !page.isOnLRU && !page.isPageTable && !page.isReserved
    }

    /// A device may store into memory from now on: `kmsan_handle_dma()`.
    ///
    /// - Parameters:
    ///   - physical: the first byte.
    ///   - size: bytes.
    mutating func noteDeviceStores(_ physical: UInt64, _ size: UInt64) {
        guard isSanitized, !physical.addingReportingOverflow(size).overflow else { return }
        noteWrite(layout.pageOffset &+ physical, size)
        let end = min(physical + size, UInt64(pages.map.capacity) << 12)
        guard size > 0, physical < end else { return }
        let (first, last) = (physical >> 12, (end - 1) >> 12)
        let head = Int(min(end - physical, 4096 - physical % 4096))
        let frame = UInt32(truncatingIfNeeded: first)
        pages.contents.unwritten.write(frame, offset: Int(physical % 4096), count: head)
        guard last > first else { return }
        pages.contents.unwritten.end(frame + 1, pages: Int(last - first) - 1)
        let tail = Int((end - 1) % 4096) + 1
        pages.contents.unwritten.write(frame + UInt32(last - first), offset: 0, count: tail)
    }
}
