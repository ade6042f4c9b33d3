/// Owners of pages as views; blocks stand where their first page is, as in the kernel's file.
extension Kernel {
    /// Frames that one list of owners looks at before it gives what it found.
    static let pageOwnerSteps = 1 << 18

    /// All that is known of the owners of a page.
    public func pageOwners(of pfn: PFN) -> PageOwnerHistory {
        guard let frame = UInt32(exactly: pfn.rawValue) else {
            return PageOwnerHistory(owner: nil, earlier: [])
        }
        let owner = pages.owners[frame]
        var history = PageOwnerHistory(
            owner: owner.isKnown ? view(of: owner, frame) : nil,
            earlier: pages.owners.earlierOwners(of: frame).map { view(of: $0, frame) }
        )
        for index in history.earlier.indices {
            let later = UInt64(history.earlier.count - index)
            let count = UInt64(owner.earlierCount)
            history.earlier[index].earlierCount = count - min(later, count)
        }
        return history
    }

    /// Blocks of pages with their owners, by frame.
    ///
    /// Costs what was ever allocated on the way, with an upper limit: an answer may have fewer
    /// blocks than asked for, even none, and still name a next one.
    ///
    /// - Parameters:
    ///   - filter: which.
    ///   - cursor: the frame to begin at.
    ///   - limit: most blocks to give.
    /// - Returns: the owners, and the frame to go on with, nil at the end.
    public func pageOwners(
        matching filter: PageOwnerFilter,
        from cursor: UInt64,
        limit: Int
    ) -> (found: [PageOwnerView], next: UInt64?) {
        var found: [PageOwnerView] = []
        let next = forEachOwnedBlock(from: cursor, steps: Self.pageOwnerSteps) { frame, owner in
            guard passes(owner, frame, filter) else { return true }
            guard found.count < limit else { return false }
            found.append(view(of: owner, frame))
            return true
        }
        return (found, next)
    }

    /// The largest or oldest blocks of all.
    ///
    /// - Parameters:
    ///   - filter: which.
    ///   - order: what comes first; equal ones come by frame.
    ///   - limit: most blocks to give.
    /// - Returns: their owners, and how many blocks there are with how many bytes.
    public func topPageOwners(
        matching filter: PageOwnerFilter,
        by order: PageOwnerOrder,
        limit: Int
    ) -> (found: [PageOwnerView], blocks: UInt64, bytes: UInt64) {
        var best: [(rank: UInt64, frame: UInt32)] = []
        var (blocks, bytes): (UInt64, UInt64) = (0, 0)
        let most = max(limit, 0)
        _ = forEachOwnedBlock(from: 0, steps: Int.max) { frame, owner in
            guard passes(owner, frame, filter) else { return true }
            blocks &+= 1
            bytes &+= 4096 << UInt64(owner.order)
            let rank = order == .size ? UInt64(owner.order) : age(of: owner)
            best.append((rank, frame))
            // Never more than twice what is wanted.
            if best.count >= most * 2 + 64 { Self.keepBest(&best, most) }
            return true
        }
        Self.keepBest(&best, most)
        return (best.map { view(of: pages.owners[$0.frame], $0.frame) }, blocks, bytes)
    }

    private static func keepBest(_ best: inout [(rank: UInt64, frame: UInt32)], _ limit: Int) {
        best.sort { $0.rank == $1.rank ? $0.frame < $1.frame : $0.rank > $1.rank }
        if best.count > limit { best.removeLast(best.count - limit) }
    }

    /// The blocks in use as `/sys/kernel/debug/page_owner` shows them.
    ///
    /// - Parameters:
    ///   - cursor: the frame to begin at.
    ///   - limit: most blocks to give.
    /// - Returns: the blocks by frame; fewer than asked for where there are no more.
    public func pageOwnerEntries(from cursor: UInt64, limit: Int) -> [PageOwnerEntry] {
        var found: [PageOwnerEntry] = []
        _ = forEachOwnedBlock(from: cursor, steps: Int.max) { frame, owner in
            guard found.count < limit else { return false }
            guard owner.isAllocated else { return true }
            found.append(
                PageOwnerEntry(
                    owner: view(of: owner, frame),
                    freedAt: owner.freedAt,
                    pageblockOrder: layout.pageblockOrder,
                    pageFlags: pageFlagsText(of: frame),
                    stack: stackLines(owner.allocatingFunction, owner.allocatingCall),
                    charge: chargeLines(of: frame)
                )
            )
            return true
        }
        return found
    }

    /// Tells the blocks that have an owner, in use or not, until `body` says no or `steps` are gone.
    ///
    /// What lies behind the first page of a block is not told: a page that is not aligned to its
    /// own order, as in the kernel's file.
    ///
    /// - Returns: the frame to go on with; nil at the end.
    private func forEachOwnedBlock(
        from cursor: UInt64,
        steps: Int,
        _ body: (UInt32, PageOwner) -> Bool
    ) -> UInt64? {
        let end = Int(clamping: pages.endPFN)
        var next = Int(clamping: cursor)
        var steps = steps
        while let place = pages.owners.firstKnown(from: next, before: end) {
            guard steps > 0 else { return UInt64(place) }
            steps -= 1
            let frame = UInt32(truncatingIfNeeded: place)
            let owner = pages.owners[frame]
            next = place + 1
            guard frame & (1 << UInt32(owner.order) - 1) == 0 else { continue }
            guard body(frame, owner) else { return UInt64(place) }
        }
        return nil
    }

    private func passes(_ owner: PageOwner, _ frame: UInt32, _ filter: PageOwnerFilter) -> Bool {
        guard owner.isAllocated == filter.isAllocated,
            filter.sizes.contains(4096 << UInt64(owner.order)),
            filter.migrateType.map({ $0 == owner.flags.migrateType }) ?? true,
            filter.function.map({ $0 == owner.allocatingFunction }) ?? true,
            filter.call.map({ $0 == call(owner.allocatingCall) }) ?? true,
            filter.pid.map({ $0 == UInt64(clamping: owner.pid) }) ?? true,
            filter.ages.contains(age(of: owner))
        else { return false }
        guard let wanted = filter.zone else { return true }
        return pages.zoneIndex(of: UInt64(frame)).map { pages.zones[$0].type == wanted } ?? false
    }

    private func age(of owner: PageOwner) -> UInt64 {
        sequence - min(call(owner.allocatingCall) ?? 0, sequence)
    }

    private func view(of owner: PageOwner, _ frame: UInt32) -> PageOwnerView {
        let zone = pages.zoneIndex(of: UInt64(frame)).map { pages.zones[$0] }
        return PageOwnerView(
            pfn: PFN(rawValue: UInt64(frame)),
            order: owner.order,
            zone: zone?.type ?? .dma,
            node: zone?.node ?? 0,
            migrateType: owner.flags.migrateType,
            blockType: pages.pageblockType(of: frame),
            flags: owner.flags,
            pid: Int(owner.pid),
            command: owner.command.text,
            allocation: PageMoment(
                call: call(owner.allocatingCall),
                function: owner.allocatingFunction,
                nanoseconds: owner.allocatedAt
            ),
            release: owner.isAllocated
                ? nil
                : PageMoment(
                    call: call(owner.freeingCall),
                    function: owner.freeingFunction,
                    nanoseconds: owner.freedAt
                ),
            isMigrated: owner.isMigrated,
            earlierCount: UInt64(owner.earlierCount)
        )
    }

    /// Whom a page is charged to: `print_page_owner_memcg()`.
    private func chargeLines(of frame: UInt32) -> [String] {
        let page = pages.map.elementOrZero(Int(frame))
        if page.kind == .slab { return hasChargedObject(page) ? ["Slab cache page"] : [] }
        guard page.kind == .allocated, page.isCharged else { return [] }
        let (group, kind) = cgroups.charge(of: frame)
        let name = cgroups[group].path.split(separator: "/").last ?? "/"
        let way = kind == .user ? "" : "(via objcg) "
        let state = cgroups[group].isRemoved ? "offline " : ""
        return ["Charged \(way)to \(state)memcg \(name)"]
    }

    private func hasChargedObject(_ page: Page) -> Bool {
        guard !cgroups.objects.isEmpty else { return false }
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let start = layout.virtual(owner.pfn)
        return (0..<Int(owner.objects)).contains { index in
            cgroups.objects[start &+ shape.begin(of: index)] != nil
        }
    }
}
