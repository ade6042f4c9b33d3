/// An area that a machine starts with.
struct VmallocArea: Sendable {
    /// With its guard page.
    var range: Range<UInt64>
    var use: VmapUse

    init(_ range: Range<UInt64>, _ use: VmapUse) {
        self.range = range
        self.use = use
    }
}

/// The kernel's address space beside the direct map: who has which addresses.
///
///     gaps    [      ]  [  ]      [            ]      lowest that fits is taken
///     busy          [**g]  [*g][*]                    g: guard page, mapped by nothing
///     lazy                        [~]                 freed, and not to be had before a purge
///
/// Every address of the machine's `space` is in exactly one of the three trees. A freed area loses its
/// pages at once, its addresses go to `lazy`; when more than `lazyMaximum` pages wait there, a worker
/// is called that makes gaps of them, in order of address. The worker runs when the CPU is given up:
/// see `Kernel+Vfree.swift`. Follows `mm/vmalloc.c`, 6.1; every operation costs the logarithm of the
/// number of areas, but that `vm_map_ram()` looks through the CPU's blocks with pages left.
struct VmallocArena: ~Copyable {
    let layout: VmallocLayout
    /// Something has looked: until then the trees are empty.
    let isStarted: Bool
    var gaps = VmapTree()
    var busy = VmapTree()
    var lazy = VmapTree()
    /// The frames behind the areas.
    var frames = FramePool()
    /// `vmap_lazy_nr`.
    private(set) var lazyPages: UInt64 = 0
    /// `nr_vmalloc_pages`.
    var usedPages: UInt64 = 0
    /// The worker was called and has not run yet.
    var isDrainPending = false
    /// Areas that interrupts freed, oldest first, until the worker frees them.
    var deferred: [UInt64] = []
    /// Blocks of `vm_map_ram()`.
    var blocks = VmapBlocks()

    /// An arena that nothing has looked at.
    init() {
        layout = VmallocLayout()
        isStarted = false
    }

    /// An arena in which nothing is busy.
    init(_ layout: VmallocLayout) {
        self.layout = layout
        isStarted = true
        gaps.insert(VmapNode(layout.space))
    }

    /// An arena in which areas exist already, such as those of a recorded machine.
    ///
    /// The shape of a tree that grew for long is not known; it is taken to be balanced. With that, the
    /// recorded addresses that depend on the shape come out right.
    ///
    /// - Parameters:
    ///   - layout: of the machine.
    ///   - areas: ascending, without overlap; what overlaps is left out.
    ///   - lazy: which of them are freed and not purged.
    init(_ layout: VmallocLayout, areas: [VmallocArea], lazy: [Range<UInt64>] = []) {
        self.init(layout)
        let all = areas + lazy.map { VmallocArea($0, VmapUse()) }
        takeMiddleFirst(all.sorted { $0.range.lowerBound < $1.range.lowerBound }[...])
        for range in lazy {
            let place = busy.containing(range.lowerBound)
            if place != 0 { release(place) }
        }
        usedPages = areas.reduce(0) { $0 + UInt64($1.use.pageCount) }
    }

    private mutating func takeMiddleFirst(_ areas: ArraySlice<VmallocArea>) {
        guard !areas.isEmpty else { return }
        let middle = (areas.startIndex + areas.endIndex) / 2
        _ = take(areas[middle].range, areas[middle].use)
        takeMiddleFirst(areas[..<middle])
        takeMiddleFirst(areas[(middle + 1)...])
    }

    private init(forkOf other: inout VmallocArena) {
        layout = other.layout
        isStarted = other.isStarted
        gaps = other.gaps.fork()
        busy = other.busy.fork()
        lazy = other.lazy.fork()
        frames = other.frames.fork()
        lazyPages = other.lazyPages
        usedPages = other.usedPages
        isDrainPending = other.isDrainPending
        deferred = other.deferred
        blocks = other.blocks
    }

    mutating func fork() -> VmallocArena { VmallocArena(forkOf: &self) }

    var heldBytes: Int {
        gaps.heldBytes + busy.heldBytes + lazy.heldBytes + frames.heldBytes
            + deferred.count * 8 + blocks.heldBytes
    }

    /// Whether the worker has something to do.
    @inline(__always)
    var hasWork: Bool { isDrainPending || !deferred.isEmpty }

    /// Notes that the area at an address holds the page pointers of another one.
    mutating func markPageArray(_ address: UInt64) {
        let place = busy.containing(address)
        guard place != 0 else { return }
        var use = busy[place].use
        use.isPageArray = true
        busy.setUse(place, use)
    }

    // MARK: Addresses

    /// Takes the lowest addresses that fit: `alloc_vmap_area()`.
    ///
    /// - Parameters:
    ///   - size: bytes, whole pages, the guard page included.
    ///   - alignment: a power of two.
    ///   - use: what for.
    /// - Returns: the area; nil where no gap fits, even after a purge.
    mutating func allocate(size: UInt64, alignment: UInt64, _ use: VmapUse) -> UInt32? {
        let request = VmapTree.Request(size: size, alignment: alignment, range: layout.range)
        if let start = lowestAddress(request) { return take(start..<start + size, use) }
        purge()
        return lowestAddress(request).flatMap { take($0..<$0 + size, use) }
    }

    private func lowestAddress(_ request: VmapTree.Request) -> UInt64? {
        guard request.size > 0 else { return nil }
        let place = gaps.lowestFit(request)
        guard place != 0,
            let start = VmapTree.address(
                of: request,
                from: request.range.lowerBound,
                in: gaps[place]
            ),
            start + request.size <= request.range.upperBound
        else { return nil }
        return start
    }

    /// Takes given addresses; nil where they are not all in one gap.
    mutating func take(_ range: Range<UInt64>, _ use: VmapUse) -> UInt32? {
        let place = gaps.containing(range.lowerBound)
        guard place != 0, !range.isEmpty, range.upperBound <= gaps[place].end else { return nil }
        let gap = gaps[place]
        switch (gap.start == range.lowerBound, gap.end == range.upperBound) {
        case (true, true): gaps.remove(place)
        case (true, false): gaps.resize(place, to: range.upperBound..<gap.end)
        case (false, true): gaps.resize(place, to: gap.start..<range.lowerBound)
        case (false, false):
            // The upper part keeps its node, the lower one is new.
            gaps.resize(place, to: range.upperBound..<gap.end)
            gaps.insert(VmapNode(gap.start..<range.lowerBound))
        }
        return busy.insert(VmapNode(range, use))
    }

    /// Frees an area's addresses: `free_vmap_area_noflush()`.
    mutating func release(_ place: UInt32) {
        let node = busy[place]
        busy.remove(place)
        lazyPages += node.pages
        Self.join(node.start..<node.end, &lazy)
        if layout.purgesAtOnce {
            purge()
        } else if lazyPages > layout.lazyMaximum {
            isDrainPending = true
        }
    }

    /// Makes gaps of all that was freed: `__purge_vmap_area_lazy()`.
    ///
    /// - Returns: whether there was anything.
    @discardableResult
    mutating func purge() -> Bool {
        isDrainPending = false
        guard lazy.count > 0 else { return false }
        var place = lazy.first(endingAfter: 0)
        while place != 0 {
            let node = lazy[place]
            Self.join(node.start..<node.end, &gaps)
            lazy.remove(place)
            place = lazy.first(endingAfter: node.start)
        }
        lazyPages = 0
        return true
    }

    /// Adds a range to a tree and joins it with its neighbours: `merge_or_add_vmap_area()`.
    private static func join(_ range: Range<UInt64>, _ tree: inout VmapTree) {
        let above = tree.first(endingAfter: range.lowerBound)
        let below = above == 0 ? tree.last : tree.previous(above)
        let joinsAbove = above != 0 && tree[above].start == range.upperBound
        if below != 0 && tree[below].end == range.lowerBound {
            var end = range.upperBound
            if joinsAbove {
                end = tree[above].end
                tree.remove(above)
            }
            tree.resize(below, to: tree[below].start..<end)
        } else if joinsAbove {
            tree.resize(above, to: range.lowerBound..<tree[above].end)
        } else {
            tree.insert(VmapNode(range))
        }
    }

    /// The lowest and highest address of an area without its guard page.
    func usable(_ node: VmapNode) -> Range<UInt64> {
        let hasGuard = node.use.kind == .area && !node.use.flags.contains(.noGuard)
        return node.start..<(hasGuard && node.size >= 8192 ? node.end - 4096 : node.end)
    }
}
