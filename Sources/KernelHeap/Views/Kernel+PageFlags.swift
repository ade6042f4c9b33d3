/// Pages as `/proc/kpageflags` and `/proc/kpagecount` show them.
extension Kernel {
    /// Pages of a memory section: descriptors exist section by section.
    static let sectionPages: UInt64 = 1 << 15

    /// The frame behind the last that the files have an entry for: whole sections.
    public var pageFlagsEnd: PFN {
        let end = pages.endPFN &+ Self.sectionPages &- 1
        return PFN(rawValue: end & ~(Self.sectionPages - 1))
    }

    /// The runs that cover a range of frames, ascending, cut to the range and to the files' end.
    ///
    /// Follows `stable_page_flags()`, `fs/proc/page.c`, 6.1. Costs the runs, not the machine.
    public func pageFlagRuns(_ range: Range<UInt64>) -> [PageFlagRun] {
        let range = range.clamped(to: 0..<pageFlagsEnd.rawValue)
        guard !range.isEmpty else { return [] }
        var runs = PageFlagRuns(oddFrames: pages.oddPages.frames(in: range))
        let memory = bootView().memory.map(\.frames)
        var pfn = range.lowerBound
        while pfn < range.upperBound {
            let run = frameRun(at: pfn, limit: range.upperBound)
            let end = min(max(run.end, pfn + 1), range.upperBound)
            switch run.use {
            case .hole, .reserved: appendReserved(pfn..<end, memory, to: &runs)
            case .untouched: append(pfn..<end, .buddy, 0, to: &runs)
            case .slab(let number):
                let isCompound = slab.slabs[Int(number)].order > 0
                append(run, pfn..<end, .slab, 0, isCompound: isCompound, to: &runs)
            case .block(let page): append(page, run, pfn..<end, to: &runs)
            }
            pfn = end
        }
        return runs.all
    }

    private func append(
        _ page: Page,
        _ run: FrameRun,
        _ range: Range<UInt64>,
        to runs: inout PageFlagRuns
    ) {
        switch page.kind {
        case .buddy: append(range, .buddy, 0, to: &runs)
        case .perCPU: append(range, [], 0, to: &runs)
        case .inner, .slab: append(range, .reserved, 0, to: &runs)
        case .allocated:
            var flags = page.isOnLRU ? PageFlags(page) : []
            if page.isReserved { flags.insert(.reserved) }
            let mapCount = page.isOnLRU ? UInt64(page.mapCount) : 0
            append(run, range, flags, mapCount, isCompound: page.isCompound, to: &runs)
        }
    }

    /// A block's first page, and those behind it.
    private func append(
        _ run: FrameRun,
        _ range: Range<UInt64>,
        _ flags: PageFlags,
        _ mapCount: UInt64,
        isCompound: Bool,
        to runs: inout PageFlagRuns
    ) {
        let border = min(max(run.start + 1, range.lowerBound), range.upperBound)
        let head = isCompound ? flags.union(.compoundHead) : flags
        // Only pages of a compound page share what the first one is.
        let tail: PageFlags = isCompound ? flags.union(.compoundTail) : []
        append(range.lowerBound..<border, head, mapCount, to: &runs)
        append(border..<range.upperBound, tail, 0, to: &runs)
    }

    /// Frames that nobody may use: reserved where their section has memory, elsewhere without a
    /// descriptor.
    private func appendReserved(
        _ range: Range<UInt64>,
        _ memory: [Range<UInt64>],
        to runs: inout PageFlagRuns
    ) {
        var pfn = range.lowerBound
        while pfn < range.upperBound {
            let start = pfn & ~(Self.sectionPages - 1)
            let section = start..<start + Self.sectionPages
            let end = min(section.upperBound, range.upperBound)
            let hasMemory = memory.contains { $0.overlaps(section) }
            append(pfn..<end, hasMemory ? .reserved : .noPage, 0, to: &runs)
            pfn = end
        }
    }

    /// Adds frames that are alike but for the fields that somebody has set.
    private func append(
        _ range: Range<UInt64>,
        _ flags: PageFlags,
        _ mapCount: UInt64,
        to runs: inout PageFlagRuns
    ) {
        var start = range.lowerBound
        while let frame = runs.nextOdd(before: range.upperBound) {
            let pfn = UInt64(frame)
            runs.append(start..<pfn, flags, mapCount)
            let fields = pages.oddPages[frame]
            var own = flags
            if fields.isLocked { own.insert(.locked) }
            if fields.mapping & 1 != 0 { own.insert(.anon) }
            if fields.mapping & 3 == 3 { own.insert(.ksm) }
            let isMapped = fields.mapCount > 0 && !flags.contains(.slab)
            if isMapped { own.insert(.mmap) }
            runs.append(pfn..<pfn + 1, own, isMapped ? UInt64(fields.mapCount) : mapCount)
            start = pfn + 1
        }
        runs.append(start..<range.upperBound, flags, mapCount)
    }
}

/// Runs as they are found; like neighbours become one.
private struct PageFlagRuns {
    private(set) var all: [PageFlagRun] = []
    /// Frames with fields of their own, ascending.
    private let oddFrames: [UInt32]
    private var nextOdd = 0

    init(oddFrames: [UInt32]) { self.oddFrames = oddFrames }

    /// Takes the next such frame if it lies before a frame.
    mutating func nextOdd(before end: UInt64) -> UInt32? {
        guard nextOdd < oddFrames.count, oddFrames[nextOdd] < end else { return nil }
        defer { nextOdd += 1 }
        return oddFrames[nextOdd]
    }

    mutating func append(_ range: Range<UInt64>, _ flags: PageFlags, _ mapCount: UInt64) {
        guard !range.isEmpty else { return }
        let pages = range.upperBound - range.lowerBound
        if let last = all.indices.last, all[last].flags == flags, all[last].mapCount == mapCount {
            all[last].pageCount += pages
            return
        }
        all.append(
            PageFlagRun(
                start: PFN(rawValue: range.lowerBound),
                pageCount: pages,
                flags: flags,
                mapCount: mapCount
            )
        )
    }
}
