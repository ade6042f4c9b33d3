/// What is known of vmalloc areas, as facts of calls and as views.
extension Kernel {
    /// Runs of one list of frames that are shown; further ones are counted.
    private static let runLimit = 1_024

    /// The area that holds an address, with the frames behind it; empty where there is none.
    func areaFacts(_ address: UInt64) -> [Fact] {
        let place = vmalloc.busy.containing(address)
        guard place != 0 else { return [] }
        let area = vmallocAreaView(vmalloc.busy[place], in: vmalloc)
        let runs = frameRuns(vmalloc.busy[place])
        let isOneRun = runs.count == 1 && runs[0].step >= 0
        var facts = [
            Fact(
                "area",
                .facts([
                    Fact("start", .address(area.start.rawValue)), Fact("size", .count(area.size)),
                    Fact("guard_bytes", .count(area.guardBytes)),
                ])
            ),
            Fact("flags", .address(UInt64(area.flags))),
            Fact("pages", .count(area.pageCount)),
            Fact("page_order", .count(UInt64(area.pageOrder))),
            Fact("pfns", .list(runs.prefix(Self.runLimit).map { .facts($0.facts) })),
            Fact("omitted_runs", .count(UInt64(max(runs.count - Self.runLimit, 0)))),
            Fact("virtually_contiguous", .boolean(true)),
            Fact("physically_contiguous", .boolean(isOneRun)),
            Fact("dma_without_mapping", .boolean(isOneRun && area.physical == nil)),
        ]
        if let physical = area.physical {
            facts.append(Fact("physical", .address(physical.rawValue)))
        }
        return facts
    }

    /// The frames behind an area, as runs that ascend or descend by one.
    func frameRuns(_ node: VmapNode) -> [PageFrameRun] {
        var runs: [PageFrameRun] = []
        func add(_ frame: UInt64) {
            if runs.isEmpty || !runs[runs.count - 1].extend(by: frame) {
                runs.append(PageFrameRun(first: frame))
            }
        }
        let usable = vmalloc.usable(node)
        if node.use.kind != .area { return [] }
        if node.use.flags.contains(.ioremap) {
            var run = PageFrameRun(first: node.use.address >> 12)
            run.count = (usable.upperBound - usable.lowerBound) >> 12
            return [run]
        }
        if node.use.frames != 0 {
            let count = Int(node.use.pageCount)
            for frame in vmalloc.frames.frames(node.use.frames, count: count) {
                add(UInt64(frame))
            }
        } else if !node.use.isBoot {
            for page in stride(from: usable.lowerBound, to: usable.upperBound, by: 4096) {
                if let frame = frame(behind: page) { add(frame) }
            }
        }
        return runs
    }

    /// The frame that the kernel's tables have behind an address.
    func frame(behind address: UInt64) -> UInt64? {
        guard paging.format.isCanonical(address) else { return nil }
        let boot = bootTables()
        guard paging.format.index(address, 0) >= boot.firstKernelIndex else { return nil }
        let walk = walk(address, root: boot.root, boot)
        return walk.end == .mapped ? walk.frame : nil
    }

    /// The vmalloc area at this moment, a part of its areas at a time.
    ///
    /// - Parameters:
    ///   - start: areas and holes that end behind it are shown.
    ///   - limit: how many of each at most.
    /// - Returns: the areas, the holes among them, and totals.
    public func vmallocView(from start: LinearAddress, limit: Int) -> VmallocView {
        guard vmalloc.isStarted else { return view(of: freshArena(), from: start, limit: limit) }
        return view(of: vmalloc, from: start, limit: limit)
    }

    /// Pages behind areas: `nr_vmalloc_pages`.
    func vmallocUsedPages() -> UInt64 {
        guard vmalloc.isStarted else { return freshArena().usedPages }
        return vmalloc.usedPages
    }

    /// What the classic kernel counts, in pages: addresses of areas, guard pages included, and the
    /// largest hole between them (`get_vmalloc_info()`, 2.6).
    func classicVmallocInfo() -> (used: UInt64, chunk: UInt64) {
        guard vmalloc.isStarted else {
            let arena = freshArena()
            return (0, Self.largestHole(arena) >> 12)
        }
        var used: UInt64 = 0
        var place = vmalloc.busy.first(endingAfter: vmalloc.layout.start)
        while place != 0 && vmalloc.busy[place].start < vmalloc.layout.end {
            used += vmalloc.busy[place].pages
            place = vmalloc.busy.next(place)
        }
        return (used, Self.largestHole(vmalloc) >> 12)
    }

    private func view(
        of arena: borrowing VmallocArena,
        from start: LinearAddress,
        limit: Int
    ) -> VmallocView {
        var view = VmallocView(
            start: LinearAddress(rawValue: arena.layout.start),
            end: LinearAddress(rawValue: arena.layout.end)
        )
        var place = arena.busy.first(endingAfter: start.rawValue)
        while place != 0 && view.areas.count < limit {
            var area = vmallocAreaView(arena.busy[place], in: arena)
            area.nodePages = nodePages(arena.busy[place], in: arena)
            view.areas.append(area)
            place = arena.busy.next(place)
        }
        if place != 0 { view.next = LinearAddress(rawValue: arena.busy[place].start) }
        let end = place == 0 ? UInt64.max : arena.busy[place].start
        view.holes = Self.ranges(arena.gaps, start.rawValue, end, limit)
        view.lazy = Self.ranges(arena.lazy, start.rawValue, end, limit)
        view.physicalDigits = physicalDigits
        view.areaCount = arena.busy.count
        view.lazyCount = arena.lazy.count
        view.lazyPages = arena.lazyPages
        view.lazyMaximum = arena.layout.lazyMaximum
        view.usedPages = arena.usedPages
        view.largestHole = Self.largestHole(arena)
        view.isPurgePending = arena.isDrainPending
        view.deferredFrees = arena.deferred.map { LinearAddress(rawValue: $0) }
        return view
    }

    private static func ranges(
        _ tree: borrowing VmapTree,
        _ start: UInt64,
        _ end: UInt64,
        _ limit: Int
    ) -> [VmallocView.Range] {
        var ranges: [VmallocView.Range] = []
        var place = tree.first(endingAfter: start)
        while place != 0 && ranges.count < limit && tree[place].start < end {
            let node = tree[place]
            ranges.append(
                VmallocView.Range(start: LinearAddress(rawValue: node.start), size: node.size)
            )
            place = tree.next(place)
        }
        return ranges
    }

    /// The largest hole between `VMALLOC_START` and `VMALLOC_END`.
    private static func largestHole(_ arena: borrowing VmallocArena) -> UInt64 {
        var place = arena.gaps.first(endingAfter: arena.layout.start)
        var largest: UInt64 = 0
        while place != 0 && arena.gaps[place].start < arena.layout.end {
            let gap = arena.gaps[place]
            largest = max(
                largest,
                min(gap.end, arena.layout.end) - max(gap.start, arena.layout.start)
            )
            place = arena.gaps.next(place)
        }
        return largest
    }

    func vmallocAreaView(
        _ node: VmapNode,
        in arena: borrowing VmallocArena
    ) -> VmallocAreaView {
        let usable = arena.usable(node)
        var area = VmallocAreaView(
            start: LinearAddress(rawValue: node.start),
            size: node.size,
            guardBytes: node.end - usable.upperBound
        )
        area.flags = node.use.flags.rawValue
        area.use = node.use.kind == .area ? .area : .vmMapRAM
        area.pageCount = UInt64(node.use.pageCount)
        area.pageOrder = Int(node.use.pageOrder)
        if node.use.flags.contains(.ioremap) {
            area.physical = PhysicalAddress(rawValue: node.use.address)
        }
        area.hasMappedPageArray = node.use.flags.contains(.alloc) && node.use.address != 0
        if node.use.isBoot {
            let maker = Int(node.use.maker)
            area.maker = BootAreas.makers.indices.contains(maker) ? BootAreas.makers[maker] : ""
        } else {
            area.call = UInt64(node.use.maker)
            area.maker = "call_\(node.use.maker)"
        }
        return area
    }

    /// How many of an area's pages each node has; costs a copy of its list of frames.
    private func nodePages(_ node: VmapNode, in arena: borrowing VmallocArena) -> [UInt64] {
        // 32-bit kernels are built without nodes.
        guard !layout.is32Bit, node.use.pageCount > 0 else { return [] }
        if node.use.isBoot { return [UInt64(node.use.pageCount)] }
        let frames = arena.frames.frames(node.use.frames, count: Int(node.use.pageCount))
        guard !frames.isEmpty else { return [] }
        guard slab.nodeCount > 1 else { return [UInt64(frames.count)] }
        var counts = [UInt64](repeating: 0, count: slab.nodeCount)
        for frame in frames {
            guard let zone = pages.zoneIndex(of: UInt64(frame)) else { continue }
            let node = pages.zones[zone].node
            if counts.indices.contains(node) { counts[node] += 1 }
        }
        return counts
    }
}

/// Frames one after another, upwards or downwards.
struct PageFrameRun: Hashable, Sendable {
    var first: UInt64
    var count: UInt64 = 1
    /// 1, -1; 0 for a single frame.
    var step: Int64 = 0

    init(first: UInt64) { self.first = first }

    /// Adds a frame where it goes on as the run does.
    mutating func extend(by frame: UInt64) -> Bool {
        let last = count == 1 ? first : step > 0 ? first + count - 1 : first - (count - 1)
        let next: Int64 = frame == last &+ 1 ? 1 : frame &+ 1 == last ? -1 : 0
        guard next != 0, step == 0 || step == next else { return false }
        step = next
        count += 1
        return true
    }

    /// The highest frame of the run.
    var highest: UInt64 { step < 0 ? first : first + (count - 1) }

    var facts: [Fact] {
        [
            Fact("first", .count(first)), Fact("count", .count(count)),
            Fact("step", .number(step == 0 ? 1 : step)),
        ]
    }
}
