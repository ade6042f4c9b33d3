/// What a check of a machine's own structures found.
public struct ValidationReport: Hashable, Sendable {
    /// One kind of thing that was looked at, and how many there are.
    public struct Part: Hashable, Sendable {
        public var what: String
        public var count: UInt64
    }

    public var checked: [Part]
    /// What does not hold and should, whatever clients did: an error of the simulator.
    public var violations: [String]
    /// What a client's double or invalid frees have done to objects' free lists, as on a real
    /// machine: circles, objects with two owners.
    public var misuse: [String]

    public var isSound: Bool { violations.isEmpty }
}

extension Kernel {
    /// Checks everything that must hold of the machine.
    ///
    /// Costs the touched memory, in time and, while it runs, in space; the machine is not changed.
    /// Of each list at most 32 findings of every part are given.
    public func validate() -> ValidationReport {
        let violations = checkInvariants(misuse: true)
        let known = Set(violations)
        let strict = slab.checkInvariants(pages, misuse: false)
        return ValidationReport(
            checked: checkedParts(),
            violations: violations,
            misuse: strict.filter { !known.contains($0) }
        )
    }

    private func checkedParts() -> [ValidationReport.Part] {
        var counts: [Page.Kind: UInt64] = [:]
        for block in pages.headedBlocks() { counts[block.page.kind, default: 0] += 1 }
        var lists = UInt64(pages.zones.count * Zone.orderCount * MigrateType.allCases.count)
        lists += UInt64(pages.zones.count * pages.cpuCount * PerCPUPages.listCount)
        var objects: UInt64 = 0
        var slabs: UInt64 = 0
        for number in 0..<slab.slabLimit where slab.slabs[number].isLive {
            slabs += 1
            objects += UInt64(slab.slabs[number].objects)
        }
        let parts: [(String, UInt64)] = [
            ("zones", UInt64(pages.zones.count)), ("page_lists", lists),
            ("free_blocks", counts[.buddy] ?? 0), ("per_cpu_blocks", counts[.perCPU] ?? 0),
            ("allocated_blocks", counts[.allocated] ?? 0), ("slab_pages", counts[.slab] ?? 0),
            ("caches", UInt64(slab.catalog.count)), ("slabs", slabs), ("objects", objects),
            ("processes", UInt64(pids.count)),
            ("areas", processes.reduce(0) { $0 + UInt64($1.space.areas.count) }),
            ("user_pages", processes.reduce(0) { $0 + $1.space.residentPages }),
        ]
        return parts.map { ValidationReport.Part(what: $0.0, count: $0.1) }
    }
}
