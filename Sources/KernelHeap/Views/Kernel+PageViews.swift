/// Page frames as runs of one state, and as a picture of a few columns.
extension Kernel {
    /// Frames that one call of the functions below looks at, but for the last block's rest.
    public static let pageViewFrames: UInt64 = 1 << 20
    /// Runs that one call of `pageRuns` gives.
    public static let pageViewRuns = 10_000
    /// Runs that one picture is made of.
    public static let pageBucketRuns = 1 << 18

    /// The frame behind the last one of the machine.
    public var endPFN: PFN { PFN(rawValue: pages.endPFN) }

    /// The frames of a zone of a node, or nil where the machine has no such zone.
    public func frames(of type: ZoneType, node: Int) -> Range<UInt64>? {
        for place in pages.zones.indices {
            let zone = pages.zones[place]
            if zone.type == type, zone.node == node { return zone.startPFN..<zone.endPFN }
        }
        return nil
    }

    /// The runs that cover a range of frames, in ascending order.
    ///
    /// The first may begin below the range and the last may end beyond it, as blocks are given
    /// whole. Costs the runs given, not the size of the machine.
    ///
    /// - Parameters:
    ///   - range: frame numbers; cut to the machine and to `pageViewFrames`.
    ///   - limit: most runs to give; at most `pageViewRuns`.
    /// - Returns: the runs, and the frame to go on with, nil at the end of the machine.
    public func pageRuns(
        _ range: Range<UInt64>,
        limit: Int = pageViewRuns
    ) -> (runs: [PageRunView], next: PFN?) {
        let end = pages.endPFN
        var pfn = range.lowerBound
        guard pfn < end else { return ([], nil) }
        let stop = min(range.upperBound, end, pfn + Self.pageViewFrames)
        var runs: [PageRunView] = []
        while pfn < stop, runs.count < min(limit, Self.pageViewRuns) {
            let run = frameRun(at: pfn, limit: stop)
            runs.append(view(of: run))
            pfn = max(run.end, pfn + 1)
        }
        return (runs, pfn < end ? PFN(rawValue: pfn) : nil)
    }

    private func view(of run: FrameRun) -> PageRunView {
        let zone = run.zone.map { pages.zones[$0] }
        return PageRunView(
            start: PFN(rawValue: run.start),
            pageCount: run.end - run.start,
            zone: zone?.type,
            node: zone?.node,
            state: state(of: run)
        )
    }

    private func state(of run: FrameRun) -> PageRunView.State {
        switch run.use {
        case .hole: .hole
        case .reserved: .reserved
        case .untouched: .untouched(order: Zone.maxOrder)
        case .slab(let number): .slab(slab.pageView(of: number))
        case .block(let page):
            switch page.kind {
            case .buddy: .free(order: page.order, migrateType: page.migrateType)
            case .perCPU: .perCPU(order: page.order, migrateType: page.migrateType)
            case .inner, .slab: .reserved
            case .allocated:
                .allocated(
                    PageRunView.Block(
                        order: page.order,
                        references: UInt64(page.word),
                        migrateType: page.migrateType,
                        isCompound: page.isCompound,
                        isOnLRU: page.isOnLRU,
                        user: page.isOnLRU ? PageRunView.UserPage(page) : nil
                    )
                )
            }
        }
    }

    /// How a range of frames is used, in equal columns.
    ///
    /// Costs the runs in the range; after `pageBucketRuns` of them the picture ends early.
    ///
    /// - Parameters:
    ///   - range: frame numbers; cut to the machine.
    ///   - count: columns, 1 or more; fewer where the range has fewer frames.
    /// - Returns: the columns, and the frame where an early end lies.
    public func pageBuckets(
        _ range: Range<UInt64>,
        count: Int
    ) -> (buckets: [PageBucketView], next: PFN?) {
        let end = min(range.upperBound, pages.endPFN)
        guard range.lowerBound < end, count > 0 else { return ([], nil) }
        let length = end - range.lowerBound
        let width = (length - 1) / UInt64(count) + 1
        var buckets: [PageBucketView] = []
        for start in stride(from: range.lowerBound, to: end, by: Int(width)) {
            let pages = min(width, end - start)
            buckets.append(PageBucketView(start: PFN(rawValue: start), pageCount: pages))
        }
        var pfn = range.lowerBound
        var runs = 0
        while pfn < end {
            guard runs < Self.pageBucketRuns else { return (buckets, PFN(rawValue: pfn)) }
            runs += 1
            let run = frameRun(at: pfn, limit: end)
            let stop = min(max(run.end, pfn + 1), end)
            while pfn < stop {
                let column = (pfn - range.lowerBound) / width
                let border = min(stop, range.lowerBound + (column + 1) * width)
                buckets[Int(column)].add(border - pfn, of: run.use)
                pfn = border
            }
        }
        return (buckets, nil)
    }
}

extension SlabAllocator {
    /// A slab as a picture of the pages shows it.
    func pageView(of number: UInt32) -> PageRunView.Slab {
        let slab = slabs[Int(number)]
        return PageRunView.Slab(
            cache: catalog.name(CacheID(rawValue: slab.cache)),
            order: Int(slab.order),
            objects: Int(slab.objects),
            objectsInUse: objectsInUse(of: slab),
            isFrozen: slab.isFrozen
        )
    }

    /// Objects handed out to callers.
    ///
    /// A CPU's slab counts all its objects as handed out to the CPU, so there each is looked at.
    func objectsInUse(of slab: Slab) -> Int {
        guard slab.isFrozen else { return Int(slab.inuse) }
        return (0..<Int(slab.objects)).count { states[Int(slab.states) + $0].isAllocated }
    }
}

extension PageRunView.UserPage {
    fileprivate init(_ page: Page) {
        list = page.lruList
        content = page.isOfFile ? page.aging.contains(.onDisk) ? .file : .shmem : .anonymous
    }
}
