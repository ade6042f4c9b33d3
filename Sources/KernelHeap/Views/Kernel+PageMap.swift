/// Memory as a picture: cells of equal size, in runs.
///
/// A cell of 4ⁿ frames is a square when frames are laid out along a Z-order curve, and so is a free
/// block of an even order; one of an odd order is two squares side by side.
extension Kernel {
    /// Cells of one picture at most.
    public static let pageMapCells: UInt64 = 1 << 16
    /// Frames behind vmalloc areas that are told apart from the kernel's other frames.
    private static let pageMapAreaFrames: UInt64 = 1 << 18

    /// The cells of a range of frames.
    ///
    /// Costs the blocks in the range, not its size; after `pageBucketRuns` of them it ends early.
    ///
    /// - Parameters:
    ///   - range: frame numbers; cut to the machine and to `pageMapCells`.
    ///   - pagesPerCell: frames of a cell, 1 or more.
    /// - Returns: the cells in runs, and the frame where an early end lies; nil where the range is
    ///   covered.
    public func pageMap(
        _ range: Range<UInt64>,
        pagesPerCell: UInt64
    ) -> (runs: [PageMapRun], next: PFN?) {
        let width = max(pagesPerCell, 1)
        let (span, overflow) = width.multipliedReportingOverflow(by: Self.pageMapCells)
        let last = range.lowerBound.addingReportingOverflow(overflow ? UInt64.max : span)
        var end = min(range.upperBound, pages.endPFN)
        if !last.overflow { end = min(end, last.partialValue) }
        guard range.lowerBound < end else { return ([], nil) }
        let areas = vmallocFrames(in: range.lowerBound..<end)
        var picture = PageMapPicture(width: width)
        var pfn = range.lowerBound
        var steps = 0
        while pfn < end {
            guard steps < Self.pageBucketRuns else {
                picture.close()
                return (picture.runs, PFN(rawValue: pfn))
            }
            steps += 1
            let run = frameRun(at: pfn, limit: end)
            // A run of many pageblocks was never touched: all have the class of the boot.
            let stop = min(max(run.end, pfn + 1), end)
            picture.add(stop - pfn, cell(of: run, at: pfn, areas))
            pfn = stop
        }
        picture.close()
        return (picture.runs, nil)
    }

    private func cell(of run: FrameRun, at pfn: UInt64, _ areas: [UInt32]) -> PageMapCell {
        var cell = PageMapCell(state: .hole)
        guard run.zone != nil else { return cell }
        cell.migrateType = pages.pageblockType(of: UInt32(truncatingIfNeeded: pfn))
        switch run.use {
        case .hole: break
        case .reserved: cell.state = .reserved
        case .untouched:
            cell.state = .free
            cell.order = UInt8(clamping: Zone.maxOrder)
        case .slab(let number):
            cell.state = .slab
            cell.order = slab.slabs[Int(number)].order
        case .block(let page):
            cell.order = UInt8(clamping: page.order)
            switch page.kind {
            case .buddy: cell.state = .free
            case .perCPU: cell.state = .perCPU
            case .inner, .slab: cell.state = .reserved
            case .allocated: cell.state = use(of: page, at: run.start, areas)
            }
        }
        cell.used = cell.state.isUse ? 255 : 0
        return cell
    }

    private func use(
        of page: Page,
        at pfn: UInt64,
        _ areas: [UInt32]
    ) -> PageMapCell.State {
        if page.isPageTable { return .pageTable }
        if page.isOnLRU { return page.isOfFile ? .file : .anonymous }
        if page.isReserved { return .reserved }
        return areas.containsSorted(UInt32(truncatingIfNeeded: pfn)) ? .vmalloc : .kernel
    }

    /// The frames behind vmalloc areas in a range, ascending.
    private func vmallocFrames(in range: Range<UInt64>) -> [UInt32] {
        guard vmalloc.isStarted else { return [] }
        var found: [UInt32] = []
        var budget = Self.pageMapAreaFrames
        var place = vmalloc.busy.first(endingAfter: vmalloc.layout.start)
        while place != 0, budget > 0 {
            let use = vmalloc.busy[place].use
            if use.kind == .area, use.frames != 0 {
                let count = min(UInt64(use.pageCount), budget)
                budget -= count
                for frame in vmalloc.frames.frames(use.frames, count: Int(count))
                where range.contains(UInt64(frame)) {
                    found.append(frame)
                }
            }
            place = vmalloc.busy.next(place)
        }
        found.sort()
        return found
    }
}

extension [UInt32] {
    /// Whether an ascending array has an element.
    fileprivate func containsSorted(_ value: UInt32) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}

/// Collects frames into cells, and like cells into runs.
private struct PageMapPicture {
    let width: UInt64
    private(set) var runs: [PageMapRun] = []
    private var counter = PageMapCounter()

    init(width: UInt64) { self.width = width }

    mutating func add(_ pages: UInt64, _ cell: PageMapCell) {
        var left = pages
        if counter.total > 0 {
            let part = min(left, width - counter.total)
            counter.add(part, cell)
            left -= part
            if counter.total == width { append(1, counter.take()) }
        }
        if left >= width {
            append(Int(left / width), cell)
            left %= width
        }
        if left > 0 { counter.add(left, cell) }
    }

    /// Ends a last cell that the range does not fill.
    mutating func close() {
        if counter.total > 0 { append(1, counter.take()) }
    }

    private mutating func append(_ count: Int, _ cell: PageMapCell) {
        if let last = runs.indices.last, runs[last].cell == cell {
            runs[last].count += count
        } else {
            runs.append(PageMapRun(count: count, cell: cell))
        }
    }
}
