extension Kernel {
    /// The sanitizer's states of objects agree with the slabs', and the quarantine with both.
    func checkSanitizer(_ violations: inout Violations) {
        guard isSanitized else { return }
        var waiting = 0
        for number in 0..<slab.slabLimit where slab.slabs[number].isLive {
            let owner = slab.slabs[number]
            let isTypesafe = slab.caches[Int(owner.cache)].isTypesafe
            for index in 0..<Int(owner.objects) {
                let place = Int(owner.states) + index
                let state = slab.sanitized[place].state
                let isTaken = state == .allocated || state == .quarantined
                if state == .quarantined { waiting += 1 }
                violations.check(
                    isTaken == slab.states[place].isAllocated || isTypesafe,
                    "slab \(number): object \(index) is \(state), and the slab says otherwise"
                )
            }
        }
        violations.check(
            waiting == sanitizer.quarantine.count,
            "\(waiting) objects are in quarantine, which has \(sanitizer.quarantine.count)"
        )
        for start in sanitizer.areas.keys {
            let place = vmalloc.busy.containing(start)
            violations.check(
                place != 0 && vmalloc.busy[place].start == start,
                "no area begins at \(String(start, radix: 16))"
            )
        }
    }
}
