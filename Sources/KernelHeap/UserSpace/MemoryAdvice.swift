/// The values of `madvise`: `include/uapi/asm-generic/mman-common.h`, 6.1.
enum MemoryAdvice: UInt64, CaseIterable {
    case normal = 0
    case random = 1
    case sequential = 2
    case willNeed = 3
    case dontNeed = 4
    case free = 8
    case remove = 9
    case dontFork = 10
    case doFork = 11
    case mergeable = 12
    case unmergeable = 13
    case hugePage = 14
    case noHugePage = 15
    case dontDump = 16
    case doDump = 17
    case wipeOnFork = 18
    case keepOnFork = 19
    case cold = 20
    case pageOut = 21
    case populateRead = 22
    case populateWrite = 23
    case dontNeedLocked = 24

    /// The bits of an area that advice sets and clears; nil where it does something else.
    var change: (set: VMFlags, cleared: VMFlags)? {
        switch self {
        case .normal: ([], [.random, .sequential])
        case .random: (.random, .sequential)
        case .sequential: (.sequential, .random)
        case .dontFork: (.notCopied, [])
        case .doFork: ([], .notCopied)
        case .mergeable: (.mergeable, [])
        case .unmergeable: ([], .mergeable)
        case .hugePage: (.hugePages, .noHugePages)
        case .noHugePage: (.noHugePages, .hugePages)
        case .dontDump: (.notDumped, [])
        case .doDump: ([], .notDumped)
        case .wipeOnFork: (.wipedOnFork, [])
        case .keepOnFork: ([], .wipedOnFork)
        case .willNeed, .dontNeed, .free, .remove, .cold, .pageOut, .populateRead, .populateWrite,
            .dontNeedLocked:
            nil
        }
    }

    private var name: String {
        switch self {
        case .normal: "NORMAL"
        case .random: "RANDOM"
        case .sequential: "SEQUENTIAL"
        case .willNeed: "WILLNEED"
        case .dontNeed: "DONTNEED"
        case .free: "FREE"
        case .remove: "REMOVE"
        case .dontFork: "DONTFORK"
        case .doFork: "DOFORK"
        case .mergeable: "MERGEABLE"
        case .unmergeable: "UNMERGEABLE"
        case .hugePage: "HUGEPAGE"
        case .noHugePage: "NOHUGEPAGE"
        case .dontDump: "DONTDUMP"
        case .doDump: "DODUMP"
        case .wipeOnFork: "WIPEONFORK"
        case .keepOnFork: "KEEPONFORK"
        case .cold: "COLD"
        case .pageOut: "PAGEOUT"
        case .populateRead: "POPULATE_READ"
        case .populateWrite: "POPULATE_WRITE"
        case .dontNeedLocked: "DONTNEED_LOCKED"
        }
    }

    static let names = FlagNames(
        "advice",
        allCases.map { FlagName("MADV_" + $0.name, $0.rawValue) }
    )
}

/// `madvise`: `mm/madvise.c`, 6.1.
extension Kernel {
    /// `madvise`.
    ///
    /// - Returns: `EINVAL` for advice that is unknown or not for such memory; `ENOMEM` where a part is
    ///   not mapped, after the rest was done.
    mutating func madvise(
        _ process: Int,
        _ address: UInt64,
        _ length: UInt64,
        _ advice: UInt64,
        cpu: Int = 0
    ) -> Errno? {
        guard let advice = MemoryAdvice(rawValue: advice), address & 4095 == 0 else {
            return .EINVAL
        }
        let (rounded, overflow) = length.addingReportingOverflow(4095)
        let (end, wraps) = address.addingReportingOverflow(rounded & ~4095)
        guard !overflow, !wraps else { return .EINVAL }
        let range = address..<min(max(end, address), max(userEnd, address))
        if range.isEmpty { return end == address ? nil : .ENOMEM }
        let parts = processes[process].space.areas(in: range)
        if advice == .populateRead || advice == .populateWrite {
            return populate(process, range, parts, isStore: advice == .populateWrite, cpu: cpu)
        }
        for part in parts {
            if let errno = advise(process, part, advice, cpu: cpu) { return errno }
        }
        let covered = parts.reduce(UInt64(0)) { $0 + $1.length }
        return covered == end - address ? nil : .ENOMEM
    }

    /// Advice on a part of one area: `madvise_vma_behavior()`.
    private mutating func advise(
        _ process: Int,
        _ area: VMArea,
        _ advice: MemoryAdvice,
        cpu: Int
    ) -> Errno? {
        let isAnonymous = area.file == nil
        let isLocked = area.flags.contains(.locked)
        if let change = advice.change {
            if advice == .wipeOnFork && !isAnonymous { return .EINVAL }
            // ksm_madvise(): pages that others see are not merged.
            if advice == .mergeable && area.isShared { return nil }
            let new = area.flags.union(change.set).subtracting(change.cleared)
            guard new != area.flags else { return nil }
            let range = area.start..<area.end
            guard processes[process].space.maySplit(range) else { return .EAGAIN }
            processes[process].space.change(range) { $0.flags = new }
            return nil
        }
        switch advice {
        case .dontNeed where isLocked, .cold where isLocked, .pageOut where isLocked:
            return .EINVAL
        case .dontNeed, .dontNeedLocked:
            zapUserPages(process, area.start..<area.end, cpu: cpu)
        case .free, .cold, .pageOut:
            guard isAnonymous || advice != .free else { return .EINVAL }
            advisePages(process, area, advice, cpu: cpu)
        case .remove:
            guard !isLocked else { return .EINVAL }
            guard let file = area.file else { return .EINVAL }
            guard area.isShared, area.rights.contains(.write) else { return .EACCES }
            let first = area.pageOffset
            dropFilePages(file, first..<first + area.pageCount, keepingCopies: true, cpu: cpu)
        default: break
        }
        return nil
    }

    /// `madvise_populate()`: unlike other advice, it ends at what is not mapped.
    private mutating func populate(
        _ process: Int,
        _ range: Range<UInt64>,
        _ parts: [VMArea],
        isStore: Bool,
        cpu: Int
    ) -> Errno? {
        var next = range.lowerBound
        var room = Self.populatedPages
        let access: UserAccess = isStore ? .store : .load
        for part in parts {
            guard part.start == next else { return .ENOMEM }
            if isStore && !part.rights.contains(.write) || part.rights.isEmpty { return .EINVAL }
            if let stop = populate(process, part, for: access, &room, cpu: cpu) {
                return stop.reason == .outOfMemory ? .ENOMEM : .EFAULT
            }
            next = part.end
        }
        return next == range.upperBound ? nil : .ENOMEM
    }
}
