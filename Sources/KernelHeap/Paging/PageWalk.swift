/// What a walk of the page tables found: an entry at each level until one ends it.
struct PageWalk {
    /// One level of the walk.
    struct Step: BitwiseCopyable {
        var level = 0
        /// The frame that the table is in.
        var table: UInt64 = 0
        var index = 0
        var entry = PageTableEntry(rawValue: 0)
    }

    enum End {
        /// The last entry maps a page.
        case mapped
        /// The last entry is not present.
        case absent
        /// The last entry has bits that no entry of its level may have, or points out of memory.
        case reservedBits
    }

    private(set) var steps: InlineArray<4, Step> = InlineArray(repeating: Step())
    private(set) var count = 0
    var end = End.absent
    /// What all levels together say.
    var isWritable = true
    var isUser = true
    var isExecutable = true
    /// The frame of the page of 4 KiB that holds the address, where `end` is `mapped`.
    var frame: UInt64 = 0

    var last: Step { steps[max(count - 1, 0)] }

    mutating func append(_ step: Step, _ format: PagingFormat) {
        guard count < 4 else { return }
        steps[count] = step
        count += 1
        let flags = step.entry.flags
        if step.level > 0 || format.rootHasRights {
            isWritable = isWritable && flags.contains(.writable)
            isUser = isUser && flags.contains(.user)
        }
        if format.hasNoExecute && flags.contains(.noExecute) { isExecutable = false }
    }
}

extension Kernel {
    /// Reads the tables below a root as the processor does; nothing is changed.
    ///
    /// - Parameters:
    ///   - address: canonical in the machine's format.
    ///   - root: the frame of the PGD.
    ///   - boot: the tables that are not written out.
    /// - Returns: the entries on the way, and what ended it.
    func walk(_ address: UInt64, root: UInt64, _ boot: BootTables) -> PageWalk {
        let format = paging.format
        var walk = PageWalk()
        var table = root
        for level in 0..<format.levelCount {
            let index = format.index(address, level)
            guard let entry = tableEntry(table, index, boot) else {
                walk.end = .reservedBits
                return walk
            }
            let step = PageWalk.Step(level: level, table: table, index: index, entry: entry)
            walk.append(step, format)
            guard entry.isPresent else { return walk }
            let isPage = level == format.leafLevel || entry.flags.contains(.large)
            guard isPage else {
                table = format.frame(of: entry)
                continue
            }
            let inside = (address & (format.span(level) - 1)) >> 12
            let start = format.frame(of: entry)
            // Bit 12 of a large page's entry is its PAT bit, and no part of the frame.
            let low = (format.span(level) >> 12 - 1) & ~(level < format.leafLevel ? 1 : 0)
            guard format.mapsPages(level), start & low == 0 else {
                walk.end = .reservedBits
                return walk
            }
            walk.frame = start & ~(format.span(level) >> 12 - 1) | inside
            walk.end = .mapped
            return walk
        }
        return walk
    }
}
