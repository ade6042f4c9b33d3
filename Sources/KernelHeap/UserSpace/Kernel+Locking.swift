/// `mlock` and `munlock`: `mm/mlock.c`, 6.1; and `msync`.
extension Kernel {
    /// `mlock()`: the pages of a range are brought in and stay.
    ///
    /// - Returns: `ENOMEM` where a part is not mapped, where a page cannot be brought in for want of
    ///   rights, or above the limit; `EAGAIN` where there is no memory.
    mutating func lock(_ process: Int, _ address: UInt64, _ length: UInt64, cpu: Int) -> Errno? {
        guard let range = lockedRange(address, length) else { return .EINVAL }
        let asked = (range.upperBound - range.lowerBound) >> 12
        if !mayLock(process, asked) {
            let known = processes[process].space.areas(in: range)
                .filter { $0.flags.contains(.locked) }.reduce(0) { $0 + $1.pageCount }
            guard asked >= known, mayLock(process, asked - known) else { return .ENOMEM }
        }
        if let errno = setLocked(process, range, true) { return errno }
        switch populate(process, range, cpu: cpu)?.reason {
        case nil: return nil
        case .outOfMemory: return .EAGAIN
        default: return .ENOMEM
        }
    }

    /// `munlock()`.
    mutating func unlock(_ process: Int, _ address: UInt64, _ length: UInt64) -> Errno? {
        guard let range = lockedRange(address, length) else { return .EINVAL }
        return setLocked(process, range, false)
    }

    /// The pages of a range; nil where it wraps around.
    private func lockedRange(_ address: UInt64, _ length: UInt64) -> Range<UInt64>? {
        let (bytes, overflow) = length.addingReportingOverflow(address & 4095)
        let (rounded, isHuge) = bytes.addingReportingOverflow(4095)
        let start = address & ~4095
        let (end, wraps) = start.addingReportingOverflow(rounded & ~4095)
        return overflow || isHuge || wraps ? nil : start..<end
    }

    /// `apply_vma_lock_flags()`: ends at what is not mapped; what lies before it has changed.
    private mutating func setLocked(
        _ process: Int,
        _ range: Range<UInt64>,
        _ isLocked: Bool
    ) -> Errno? {
        guard !range.isEmpty else { return nil }
        let run = processes[process].space.run(range)
        for area in run.areas
        where area.flags.contains(.locked) != isLocked && area.flags.isDisjoint(with: .special) {
            let part = area.start..<area.end
            guard processes[process].space.maySplit(part) else { return .ENOMEM }
            processes[process].space.change(part) { area in
                if isLocked { area.flags.insert(.locked) } else { area.flags.remove(.locked) }
            }
            lockPages(process, part, isLocked)
        }
        return run.isWhole ? nil : .ENOMEM
    }

    /// `msync()`: there is no store behind files in memory, so only what is wrong shows.
    func sync(_ process: Int, _ address: UInt64, _ length: UInt64, _ flags: UInt64) -> Errno? {
        let isBoth = flags & (SyncFlags.async | SyncFlags.sync) == SyncFlags.async | SyncFlags.sync
        guard flags & ~7 == 0, !isBoth, address & 4095 == 0 else { return .EINVAL }
        let (rounded, isHuge) = length.addingReportingOverflow(4095)
        let (end, wraps) = address.addingReportingOverflow(rounded & ~4095)
        guard !isHuge, !wraps else { return .ENOMEM }
        let parts = processes[process].space.areas(in: address..<end)
        let hasLocked = parts.contains { $0.flags.contains(.locked) }
        if flags & SyncFlags.invalidate != 0 && hasLocked { return .EBUSY }
        let covered = parts.reduce(UInt64(0)) { $0 + $1.length }
        return covered == end - address ? nil : .ENOMEM
    }
}

/// The `MS_*` bits of `msync`.
enum SyncFlags {
    static let async: UInt64 = 1
    static let invalidate: UInt64 = 2
    static let sync: UInt64 = 4

    static let names = FlagNames(
        "flags",
        [
            FlagName("MS_ASYNC", async), FlagName("MS_INVALIDATE", invalidate),
            FlagName("MS_SYNC", sync),
        ]
    )
}
