/// The page tables that the kernel made at boot, by rule: no byte of them exists.
///
/// An entry follows from the layout: a page where one of its size fits an extent, else a table where
/// there is one below, else nothing. Tables are numbered root first, then level by level, ascending by
/// address, and the number is the place among the layout's frames. When something changes a
/// table, the machine writes all its entries into its frame, and the frame counts from then on.
///
///     number   0       1           2 …
///              root    init's PGD  PUDs | PMDs | PTE tables
///
/// The first process's PGD is one of them: its upper half equals the root's, its lower half is empty.
/// Where processes have tables of their own for the kernel's half, number 2 is the first one's.
struct BootTables: Sendable {
    /// A table: its level, and the first address that it is for.
    struct Table {
        var level: Int
        var start: UInt64
        /// The first process's root, whose entries of user space are empty.
        var isProcessRoot = false
        /// The first process's own table of the kernel's half.
        var isProcessCopy = false
    }

    /// Tables of one level, one behind another.
    private struct Run {
        var level: Int
        /// Addresses divided by what a table spans.
        var first: UInt64
        var last: UInt64
        /// The number of the first.
        var number: UInt64
    }

    private struct Contents {
        let format: PagingFormat
        let layout: BootLayout
        let runs: [Run]
        let count: UInt64
    }

    /// One element: walks hand the tables on, and copy a reference.
    private let contents: [Contents]
    var format: PagingFormat { _read { yield contents[0].format } }
    var layout: BootLayout { _read { yield contents[0].layout } }
    private var runs: [Run] { _read { yield contents[0].runs } }
    /// How many tables there are.
    var count: UInt64 { contents[0].count }

    init(_ layout: BootLayout) {
        var layout = layout
        layout.extents.sort { $0.start < $1.start }
        var runs: [Run] = []
        var number: UInt64 = layout.format.sharesKernelTables ? 2 : 3
        for level in 1..<layout.format.levelCount {
            for range in Self.keys(of: layout, level) {
                let run = Run(
                    level: level,
                    first: range.lowerBound,
                    last: range.upperBound,
                    number: number
                )
                runs.append(run)
                number += range.upperBound - range.lowerBound + 1
            }
        }
        contents = [
            Contents(format: layout.format, layout: layout, runs: runs, count: number)
        ]
    }

    var root: UInt64 { frame(ofNumber: 0) ?? 0 }
    /// The PGD of the first process.
    var processRoot: UInt64 { frame(ofNumber: 1) ?? 0 }
    /// The first process's own table of the kernel's half; nil where that is shared.
    var processCopy: UInt64? { format.sharesKernelTables ? nil : frame(ofNumber: 2) }
    var zeroFrame: UInt64 { layout.zeroFrame }
    var firstKernelIndex: Int { layout.firstKernelIndex }
    var extents: [BootExtent] { layout.extents }

    /// The tables of a level, ascending and joined, as addresses divided by a table's span.
    private static func keys(of layout: BootLayout, _ level: Int) -> [ClosedRange<UInt64>] {
        let shift = layout.format.shift(level - 1)
        var found: [ClosedRange<UInt64>] = []
        for extent in layout.extents {
            let first = extent.start >> shift
            let last = (extent.end - 1) >> shift
            guard layout.format.mapsPages(level - 1), shift <= extent.largestShift,
                (extent.start &- extent.physical) & (1 << shift - 1) == 0
            else {
                found.append(first...last)
                continue
            }
            if !extent.allowsPage(at: first << shift, shift: shift) { found.append(first...first) }
            if !extent.allowsPage(at: last << shift, shift: shift) { found.append(last...last) }
        }
        for empty in layout.emptyTables where empty.level == level {
            found.append(empty.addresses.lowerBound >> shift...empty.addresses.upperBound >> shift)
        }
        return join(found)
    }

    private static func join(_ ranges: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
        var joined: [ClosedRange<UInt64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, range.lowerBound <= last.upperBound &+ 1 {
                let end = max(last.upperBound, range.upperBound)
                joined[joined.count - 1] = last.lowerBound...end
            } else {
                joined.append(range)
            }
        }
        return joined
    }

    private func frame(ofNumber number: UInt64) -> UInt64? {
        var rest = number
        for range in layout.tableFrames {
            let count = UInt64(range.count)
            if rest < count { return range.lowerBound + rest }
            rest -= count
        }
        return nil
    }

    /// The frame of the table of a level that an address needs, or nil where there is none.
    private func frame(_ level: Int, _ address: UInt64) -> UInt64? {
        let key = address >> format.shift(level - 1)
        for run in runs where run.level == level && run.first <= key && key <= run.last {
            return frame(ofNumber: run.number + key - run.first)
        }
        return nil
    }

    /// The table that a frame holds, or nil where it holds none.
    func table(at frame: UInt64) -> Table? {
        var number: UInt64 = 0
        for range in layout.tableFrames {
            guard range.contains(frame) else {
                number += UInt64(range.count)
                continue
            }
            number += frame - range.lowerBound
            guard number < count else { return nil }
            return table(number)
        }
        return nil
    }

    private func table(_ number: UInt64) -> Table? {
        if number < 2 { return Table(level: 0, start: 0, isProcessRoot: number == 1) }
        if number == 2, !format.sharesKernelTables {
            let start = format.rootAddress(firstKernelIndex)
            return Table(level: 1, start: start, isProcessCopy: true)
        }
        for run in runs where run.number <= number && number - run.number <= run.last - run.first {
            let key = run.first + (number - run.number)
            return Table(level: run.level, start: key << format.shift(run.level - 1))
        }
        return nil
    }

    /// An entry of a table as the boot made it.
    func entry(_ table: Table, _ index: Int) -> PageTableEntry {
        let level = table.level
        if table.isProcessRoot && index < firstKernelIndex { return PageTableEntry(rawValue: 0) }
        let address =
            level == 0
            ? format.rootAddress(index)
            : table.start + UInt64(index) << format.shift(level)
        let extent = firstExtent(endingAfter: address)
        let shift = format.shift(level)
        if let extent, format.mapsPages(level), extent.allowsPage(at: address, shift: shift) {
            let frame = (address - extent.start + extent.physical) >> 12
            let flags = level < format.leafLevel ? extent.flags.union(.large) : extent.flags
            return format.entry(frame: frame, format.hasGlobal ? flags : strip(flags))
        }
        guard level < format.leafLevel, let frame = frame(level + 1, address) else {
            return PageTableEntry(rawValue: 0)
        }
        guard level > 0 || format.rootHasRights else {
            let own = table.isProcessRoot && index == firstKernelIndex ? processCopy : nil
            return format.entry(frame: own ?? frame, .present)
        }
        let covers = extent.map { $0.start >> shift == address >> shift || $0.start <= address }
        // The upper levels of four are open to all; the entry below decides.
        let isUpper = format.levelCount > 2 && level == 0
        let flags = covers == true && !isUpper ? extent?.tableFlags ?? .table : .table
        return format.entry(frame: frame, flags)
    }

    private func strip(_ flags: PageTableEntry.Flags) -> PageTableEntry.Flags {
        flags.contains(.present) && flags.contains(.writable) ? flags.subtracting(.global) : flags
    }

    /// The first extent that ends behind an address, by bisection.
    private func firstExtent(endingAfter address: UInt64) -> BootExtent? {
        var low = 0
        var high = layout.extents.count
        while low < high {
            let middle = (low + high) / 2
            if layout.extents[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low < layout.extents.count ? layout.extents[low] : nil
    }
}
