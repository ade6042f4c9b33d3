/// Looking for areas and for room.
extension AddressSpace {
    /// Whether no area touches a range.
    func isFree(_ range: Range<UInt64>) -> Bool {
        let index = firstIndex(endingAfter: range.lowerBound)
        return index == areas.count || areas[index].start >= range.upperBound
    }

    /// Whether a mapping may go to a range that was asked for: stacks above keep their gap.
    private func hasRoom(_ range: Range<UInt64>) -> Bool {
        let index = firstIndex(endingAfter: range.lowerBound)
        return index == areas.count
            || (areas[index].start >= range.upperBound
                && areas[index].guardedStart >= range.upperBound)
    }

    /// The highest gap of a length below the base: the kernel's top-down search; where there is
    /// none, the lowest one above a third of the space.
    func gap(_ length: UInt64) -> UInt64? {
        var top = mmapBase
        for area in areas.reversed() where area.start < mmapBase {
            if area.end < top, top - area.end >= length { return top - length }
            top = min(top, area.guardedStart)
        }
        if top >= length, top - length >= Self.lowest { return top - length }
        return upperGap(length)
    }

    private func upperGap(_ length: UInt64) -> UInt64? {
        var bottom = unmappedBase
        for area in areas[firstIndex(endingAfter: bottom)...] {
            if area.guardedStart > bottom, area.guardedStart - bottom >= length { return bottom }
            bottom = max(bottom, area.end)
        }
        return bottom <= end && end - bottom >= length ? bottom : nil
    }

    /// Where `mmap` puts a mapping: the hint if it is free, else a gap; fixed, the hint.
    ///
    /// - Parameters:
    ///   - hint: the address asked for.
    ///   - length: bytes, whole pages.
    ///   - flags: of `mmap`.
    /// - Returns: the address, or why there is none.
    func place(hint: UInt64, length: UInt64, flags: UInt64) -> Result<UInt64, Errno> {
        guard length <= end else { return .failure(.ENOMEM) }
        guard flags & (MapFlags.fixed | MapFlags.fixedNoReplace) == 0 else {
            guard hint <= end - length else { return .failure(.ENOMEM) }
            guard hint & 4095 == 0 else { return .failure(.EINVAL) }
            guard hint >= Self.lowest else { return .failure(.EPERM) }
            let isTaken = flags & MapFlags.fixedNoReplace != 0 && !isFree(hint..<hint + length)
            return isTaken ? .failure(.EEXIST) : .success(hint)
        }
        // round_hint_to_min(): a hint below the lowest address is raised to it.
        let page = hint & ~4095
        let start = page != 0 ? max(page, Self.lowest) : 0
        if start > 0, start <= end - length, hasRoom(start..<start + length) {
            return .success(start)
        }
        guard let gap = gap(length) else { return .failure(.ENOMEM) }
        return .success(gap)
    }

    /// Whether a range can be cut out: only a hole inside an area makes one area more.
    func mayCut(_ range: Range<UInt64>) -> Bool {
        guard areas.count >= Self.maximumAreas, let area = area(at: range.lowerBound) else {
            return true
        }
        return area.start == range.lowerBound || range.upperBound >= area.end
    }

    /// The free space around a range without areas: from the end of the area before it to the
    /// start of the one behind it, nil where there is none.
    func gap(around range: Range<UInt64>) -> (floor: UInt64, ceiling: UInt64?) {
        let index = firstIndex(endingAfter: range.lowerBound)
        let floor = index > 0 ? areas[index - 1].end : 0
        return (floor, index < areas.count ? areas[index].start : nil)
    }

    /// The areas of a range, cut to it, ascending.
    func areas(in range: Range<UInt64>) -> [VMArea] {
        var parts: [VMArea] = []
        var index = firstIndex(endingAfter: range.lowerBound)
        while index < areas.count, areas[index].start < range.upperBound {
            var part = areas[index]
            if part.start < range.lowerBound {
                part.pageOffset &+= (range.lowerBound - part.start) >> 12
                part.start = range.lowerBound
            }
            part.end = min(part.end, range.upperBound)
            parts.append(part)
            index += 1
        }
        return parts
    }

    /// The parts of a range that areas cover, ascending.
    func covered(_ range: Range<UInt64>) -> [Range<UInt64>] {
        areas(in: range).map { $0.start..<$0.end }
    }

    /// The areas of a range from its beginning on, cut to it, as far as they follow each other.
    ///
    /// - Returns: the areas; and whether they cover the whole range.
    func run(_ range: Range<UInt64>) -> (areas: [VMArea], isWhole: Bool) {
        var next = range.lowerBound
        var run: [VMArea] = []
        for area in areas(in: range) {
            guard area.start == next else { break }
            run.append(area)
            next = area.end
        }
        return (run, next >= range.upperBound)
    }

    /// Whether a part of an area may become an area: `split_vma()` minds the limit.
    func maySplit(_ range: Range<UInt64>) -> Bool {
        let splits = [range.lowerBound, range.upperBound].count { border in
            area(at: border).map { $0.start < border } == true
        }
        return splits == 0 || areas.count + splits <= Self.maximumAreas
    }
}
