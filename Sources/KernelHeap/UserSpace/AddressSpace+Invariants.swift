extension AddressSpace {
    /// Everything that must hold of a process's areas.
    ///
    /// - Returns: what does not hold; empty where all is sound.
    func checkInvariants() -> [String] {
        var violations = Violations()
        // A fixed mapping into the middle of the last area that fits makes one more.
        violations.check(areas.count <= Self.maximumAreas + 1, "\(areas.count) areas")
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
            violations.check(
                left.end < right.start || left.rights != right.rights || left.isShared
                    || right.isShared,
                "areas at \(left.start) and \(right.start) did not merge"
            )
        }
        return violations.texts
    }
}
