/// A cache of a client's that gives memory back when asked: `struct shrinker`, 6.1.
struct Shrinker: Sendable {
    let name: String
    /// The slab cache whose objects it frees.
    let cache: Int
    /// What it costs to make an object anew, against reading a page: `DEFAULT_SEEKS` is 2; 0 means
    /// nothing.
    var seeks: Int
    /// Objects asked for at once: `SHRINK_BATCH`.
    var batch: Int
    /// Whether it calls the filesystem, and so does nothing without `__GFP_FS`.
    var needsFS: Bool
    /// Asked for and not done yet, by node.
    var deferred = 0
    /// Objects that it has freed since it was registered.
    var freedObjects: UInt64 = 0
}

/// Shrinkers: `mm/vmscan.c`, 6.1.
extension Kernel {
    static let maximumShrinkers = 16

    /// Asks every shrinker for its part: `shrink_slab()`.
    ///
    /// - Returns: pages freed by them.
    mutating func shrinkSlabs(node: Int, _ scan: ScanControl) -> Int {
        guard !shrinkers.isEmpty else { return 0 }
        let before = pages.ownPages()
        for place in shrinkers.indices { shrink(place, scan) }
        let after = pages.ownPages()
        return Int(clamping: after - min(before, after))
    }

    /// `do_shrink_slab()`.
    private mutating func shrink(_ place: Int, _ scan: ScanControl) {
        let shrinker = shrinkers[place]
        guard !shrinker.needsFS || scan.flags.contains(.fs) else { return }
        let freeable = Int(clamping: slab.liveObjects(of: shrinker.cache))
        guard freeable > 0 else { return }
        let delta =
            shrinker.seeks > 0
            ? (freeable >> scan.priority) * 4 / shrinker.seeks : freeable / 2
        let total = min((shrinker.deferred >> scan.priority) + delta, 2 * freeable)
        // Whole batches, or all that there is.
        let wanted = total >= freeable ? freeable : total - total % shrinker.batch
        let objects = slab.oldestObjects(of: shrinker.cache, limit: wanted, layout)
        let context = CallContext(cpu: scan.cpu)
        for address in objects { freeObject(at: address, to: shrinker.cache, in: context) }
        shrinkers[place].freedObjects &+= UInt64(objects.count)
        events[.slabsScanned] &+= UInt64(objects.count)
        let rest = max(shrinker.deferred + delta - objects.count, 0)
        shrinkers[place].deferred = min(rest, 2 * freeable)
    }
}

extension SlabAllocator {
    /// Objects of a cache that callers hold, those of the slabs with the lowest numbers first.
    fileprivate func oldestObjects(
        of cache: Int,
        limit: Int,
        _ layout: AddressLayout
    ) -> [UInt64] {
        var found: [UInt64] = []
        for number in 0..<slabLimit where found.count < limit {
            let slab = slabs[number]
            guard slab.isLive, Int(slab.cache) == cache else { continue }
            for index in 0..<Int(slab.objects) where found.count < limit {
                guard states[Int(slab.states) + index].isAllocated else { continue }
                found.append(layout.virtual(slab.pfn) &+ caches[cache].begin(of: index))
            }
        }
        return found
    }
}
