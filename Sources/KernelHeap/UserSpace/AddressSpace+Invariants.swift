extension AddressSpace {
    /// Everything that must hold of a process's areas.
    ///
    /// - Returns: what does not hold; empty where all is sound.
    func checkInvariants() -> [String] {
        var violations = Violations()
        // A fixed mapping into the middle of the last area that fits makes one more.
        violations.check(areas.count <= Self.maximumAreas + 2, "\(areas.count) areas")
        for area in areas {
            violations.check(
                area.start < area.end && area.start % Self.pageBytes == 0
                    && area.end % Self.pageBytes == 0 && area.end <= end,
                "area \(area.start)..<\(area.end) is empty, unaligned or too high"
            )
        }
        for (left, right) in zip(areas, areas.dropFirst()) {
            violations.check(
                left.end <= right.start,
                "areas at \(left.start) and \(right.start) overlap or are out of order"
            )
        }
        let pages = areas.reduce(0) { $0 &+ $1.pageCount }
        let locked = areas.reduce(0) { $0 &+ ($1.flags.contains(.locked) ? $1.pageCount : 0) }
        violations.check(pages == mappedPages, "\(mappedPages) mapped pages counted of \(pages)")
        violations.check(locked == lockedPages, "\(lockedPages) locked pages counted of \(locked)")
        return violations.texts
    }
}
