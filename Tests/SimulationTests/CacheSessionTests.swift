import KernelHeap
import Testing

/// Caches created, shared, shrunk and destroyed at random, against a dictionary of live objects.
@Suite("Simulation: caches")
struct CacheSessionTests {
    private static let setups: [(seed: UInt64, cpus: Int, options: String)] = [
        (1, 1, ""), (2, 1, "slub_nomerge"), (3, 4, ""), (4, 4, "slub_nomerge"),
        (5, 2, "slab_freelist_random"), (6, 1, "init_on_alloc=1"), (7, 1, "init_on_free=1"),
        (8, 2, "slub_nomerge slub_max_order=0"), (9, 3, "slab_freelist_hardened=0"),
        (10, 1, "slub_nomerge slub_min_order=2"), (11, 2, "slub_debug=FZPU"),
        (12, 1, "slub_nomerge slub_debug=P"), (13, 1, "slub_debug=U init_on_free=1"),
    ]

    @Test("no object is lost or owned twice, and every page comes back", arguments: setups)
    func caches(seed: UInt64, cpus: Int, options: String) throws {
        let run = try CacheRun(seed: seed, cpus: cpus, bootOptions: options)
        let free = Self.freePages(run)
        for step in 0..<600 {
            do {
                try run.step()
            } catch {
                Issue.record("seed \(seed), step \(step): \(error)")
                return
            }
            guard step % 60 == 59 else { continue }
            let violations = run.calls.violations(misuse: false)
            let difference = run.countsDiffer()
            #expect(violations.isEmpty, "seed \(seed), step \(step)")
            #expect(difference == nil, "seed \(seed), step \(step)")
            if !violations.isEmpty || difference != nil { return }
        }

        try run.finish()

        #expect(run.calls.violations(misuse: false) == [])
        // A cache of the boot that was shared keeps the structures that it got with its address.
        let kept = Self.structurePages(run)
        #expect(kept == 0 || !options.contains("slub_nomerge"))
        #expect(Self.slabPages(run) == kept)
        #expect(Self.freePages(run) == free - kept)
    }

    private static func slabPages(_ run: CacheRun) -> UInt64 {
        run.calls.kernel.nodeViews().reduce(0) {
            $0 + $1.stats[.slabReclaimable] + $1.stats[.slabUnreclaimable]
        }
    }

    private static func structurePages(_ run: CacheRun) -> UInt64 {
        run.calls.kernel.cacheViews().reduce(0) {
            let isStructure = ["kmem_cache", "kmem_cache_node"].contains($1.name)
            return isStructure ? $0 + $1.slabs * UInt64($1.pagesPerSlab) : $0
        }
    }

    private static func freePages(_ run: CacheRun) -> UInt64 {
        run.calls.kernel.zoneViews().reduce(0) { sum, zone in
            sum + zone.free + zone.pageSets.reduce(0) { $0 + $1.count }
        }
    }
}
