/// What the caller could free: the fewest allocations that a bounded, fixed search finds.
///
/// First comes what completes an aligned block of the wanted order. Where the watermarks ask for
/// more, the largest others follow, as few as a bisection finds. A freed block may wait on a per-CPU
/// list, where it counts for nothing; so each set is tried with those lists emptied, too.
extension AlternativeSearch {
    /// Allocations that are named at most; more is no advice.
    static let freedLimit = 1_024
    /// Runs of frames that are looked at for blocks to free.
    private static let runLimit = 1 << 16

    mutating func tryFreeing(on kernel: inout Kernel) {
        let rest = max(forksLeft - Self.freeingForkLimit, 0)
        forksLeft = min(forksLeft, Self.freeingForkLimit)
        defer { forksLeft += rest }
        if let object = liveObject(in: kernel), tryFreeing([object], drains: false, on: &kernel) {
            return
        }
        if drainablePages(of: kernel) > 0, tryFreeing([], drains: true, on: &kernel) { return }
        let candidates = FreeingCandidates(
            of: kernel,
            zones: kernel.pages.reachableZones(request.flags, cpu: context.cpu),
            order: neededOrder(on: kernel),
            runLimit: Self.runLimit
        )
        guard !candidates.first.isEmpty else { return }
        for drains in [false, true] {
            if tryFreeing(candidates.first, drains: drains, on: &kernel) { return }
            if tryMore(candidates, drains: drains, on: &kernel) { return }
        }
    }

    /// The least order that serves the request: a cache's slabs may be smaller than wished.
    private func neededOrder(on kernel: borrowing Kernel) -> Int {
        cache.map { Int(kernel.slab.caches[$0].minOrder) } ?? order
    }

    /// An object of the cache that the request asks, with a place for the next owner.
    private func liveObject(in kernel: borrowing Kernel) -> FreedAllocation? {
        guard let cache else { return nil }
        let id = CacheID(rawValue: UInt16(truncatingIfNeeded: cache))
        return kernel.allocations(from: 0, limit: 1, cache: id).found.first.map {
            FreedAllocation(pfn: $0.pfn, address: $0.address, order: nil)
        }
    }

    private func drainablePages(of kernel: borrowing Kernel) -> Int {
        var pages = 0
        for zone in kernel.pages.reachableZones(request.flags, cpu: context.cpu) {
            for cpu in 0..<kernel.pages.cpuCount {
                pages += kernel.pages.perCPU[kernel.pages.perCPUIndex(zone: zone, cpu: cpu)].count
            }
        }
        return pages
    }

    /// Tries further allocations beside the first: all there are, then as few as are enough.
    private mutating func tryMore(
        _ candidates: FreeingCandidates,
        drains: Bool,
        on kernel: inout Kernel
    ) -> Bool {
        let most = min(candidates.others.count, Self.freedLimit - candidates.first.count)
        guard most > 0,
            var enough = freed(candidates.set(most), drains: drains, on: &kernel)
        else { return false }
        var tooFew = 0
        var count = most
        while count - tooFew > 1, forksLeft > 0 {
            let middle = (tooFew + count) / 2
            if let fewer = freed(candidates.set(middle), drains: drains, on: &kernel) {
                enough = fewer
                count = middle
            } else {
                tooFew = middle
            }
        }
        add(.free(enough))
        return true
    }

    private mutating func tryFreeing(
        _ allocations: [FreedAllocation],
        drains: Bool,
        on kernel: inout Kernel
    ) -> Bool {
        guard let enough = freed(allocations, drains: drains, on: &kernel) else { return false }
        add(.free(enough))
        return true
    }

    /// Frees a set on a fork.
    ///
    /// - Returns: what was given back; nil where it is not enough.
    private mutating func freed(
        _ allocations: [FreedAllocation],
        drains: Bool,
        on kernel: inout Kernel
    ) -> FreedMemory? {
        let zones = drains ? kernel.pages.reachableZones(request.flags, cpu: context.cpu) : []
        var memory = FreedMemory(allocations: allocations, drainedPages: 0)
        let context = context
        let isGranted = isGranted(request, on: &kernel) { probe in
            probe.free(allocations, in: context)
            memory.drainedPages = probe.drain(zones)
        }
        return isGranted ? memory : nil
    }
}

/// Blocks of pages that a caller could give back, and which of them to give back first.
struct FreeingCandidates {
    /// The fewest blocks that complete an aligned block of the wanted order; empty where none do.
    private(set) var first: [FreedAllocation] = []
    /// All others, the largest first, then by zone as the request tries them, then by frame.
    private(set) var others: [FreedAllocation] = []

    init(of kernel: borrowing Kernel, zones: [Int], order: Int, runLimit: Int) {
        var blocks: [FreedAllocation] = []
        var windows = WindowTally(order: order)
        var runs = runLimit
        for zone in zones {
            let end = kernel.pages.zones[zone].endPFN
            var pfn = kernel.pages.zones[zone].startPFN
            while pfn < end, runs > 0 {
                runs -= 1
                let run = kernel.frameRun(at: pfn, limit: end)
                if case .block(let page) = run.use {
                    if page.isFreedByCaller {
                        windows.add(block: blocks.count, run)
                        blocks.append(
                            FreedAllocation(
                                pfn: PFN(rawValue: run.start),
                                address: LinearAddress(
                                    rawValue: kernel.layout.virtual(
                                        UInt32(truncatingIfNeeded: run.start)
                                    )
                                ),
                                order: page.order
                            )
                        )
                    } else if page.kind == .buddy || page.kind == .perCPU {
                        windows.add(free: run)
                    }
                }
                pfn = max(run.end, pfn + 1)
            }
            windows.finish()
        }
        guard let chosen = windows.best else { return }
        first = Array(blocks[chosen])
        blocks.removeSubrange(chosen)
        others = blocks.enumerated()
            .sorted { ($1.element.pageOrder, $0.offset) < ($0.element.pageOrder, $1.offset) }
            .map(\.element)
    }

    /// The first blocks with so many of the others, ascending.
    func set(_ count: Int) -> [FreedAllocation] {
        (first + others.prefix(count)).sorted { $0.pfn.rawValue < $1.pfn.rawValue }
    }
}

/// Adds up aligned windows of 2^order frames during an ascending walk.
///
/// A window that free pages and the caller's blocks fill completely becomes one free block when
/// those are freed.
private struct WindowTally {
    let order: Int
    private var start: UInt64?
    private var filled: UInt64 = 0
    private var blocks = 0..<0
    private var pages: UInt64 = 0
    private var bestCost: (Int, UInt64) = (Int.max, 0)
    /// The blocks of the best window, by number.
    private(set) var best: Range<Int>?

    init(order: Int) { self.order = order }

    mutating func add(block number: Int, _ run: FrameRun) {
        enter(run.start)
        if blocks.isEmpty { blocks = number..<number }
        blocks = blocks.lowerBound..<number + 1
        filled += run.end - run.start
        pages += run.end - run.start
    }

    mutating func add(free run: FrameRun) {
        enter(run.start)
        filled += run.end - run.start
    }

    mutating func finish() {
        if filled >= 1 << UInt64(order), !blocks.isEmpty, (blocks.count, pages) < bestCost {
            bestCost = (blocks.count, pages)
            best = blocks
        }
        start = nil
    }

    private mutating func enter(_ pfn: UInt64) {
        let window = pfn & ~((1 << UInt64(order)) - 1)
        guard window != start else { return }
        finish()
        start = window
        filled = 0
        pages = 0
        blocks = 0..<0
    }
}

extension FreedAllocation {
    fileprivate var pageOrder: Int { order ?? 0 }
}

extension Page {
    /// Whether a caller holds the block alone, and may free it.
    fileprivate var isFreedByCaller: Bool {
        kind == .allocated && word == 1 && !isReserved && !isOnLRU
    }
}

extension Kernel {
    fileprivate mutating func free(_ allocations: [FreedAllocation], in context: CallContext) {
        for allocation in allocations {
            if let order = allocation.order {
                freePages(allocation.pfn, order: order, in: context)
            } else {
                kfree(allocation.address, in: context)
            }
        }
    }

    /// Empties the per-CPU lists of zones.
    ///
    /// - Returns: the pages that were on them.
    fileprivate mutating func drain(_ zones: [Int]) -> Int {
        var drained = 0
        for zone in zones {
            for cpu in 0..<pages.cpuCount {
                drained += pages.perCPU[pages.perCPUIndex(zone: zone, cpu: cpu)].count
            }
            pages.drainPerCPU(zone: zone)
        }
        return drained
    }
}
