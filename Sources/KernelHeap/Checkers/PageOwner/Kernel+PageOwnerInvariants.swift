extension Kernel {
    /// The owners of pages agree with the page map: what is in use has one, what is free has none.
    func checkPageOwners(_ violations: inout Violations) {
        guard pages.owners.isOn else { return }
        let end = Int(clamping: pages.endPFN)
        var next = 0
        while let place = pages.owners.firstKnown(from: next, before: end) {
            let frame = UInt32(truncatingIfNeeded: place)
            let isAllocated = pages.owners[frame].isAllocated
            switch frameRun(at: UInt64(place), limit: UInt64(end)).use {
            case .slab:
                violations.check(isAllocated, "frame \(frame) of a slab has no owner")
            case .block(let page) where page.kind == .allocated:
                violations.check(isAllocated, "frame \(frame) is in use and has no owner")
            case .block, .untouched:
                violations.check(!isAllocated, "frame \(frame) is free and has an owner")
            // Pages that were found bad belong to nobody, whoever had them.
            case .reserved, .hole: break
            }
            next = place + 1
        }
    }
}
