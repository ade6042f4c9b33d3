/// What must hold of the LRU lists, files and swap areas after any call.
extension Kernel {
    func checkReclaim(_ violations: inout Violations) {
        var onLists: Set<UInt32> = []
        for node in 0..<max(slab.nodeCount, 1) {
            for list in LRUList.allCases { check(list, node: node, &onLists, &violations) }
        }
        for file in files.all {
            for (number, pfn) in file.frames.sorted(by: { $0.key < $1.key }) {
                violations.check(onLists.contains(pfn), "frame \(pfn) of a file is on no list")
                violations.check(
                    lru.links[Int(pfn)].index == number,
                    "frame \(pfn) is page \(lru.links[Int(pfn)].index) of its file, not \(number)"
                )
            }
        }
        checkStates(onLists, &violations)
        checkSwap(onLists, &violations)
    }

    private func check(
        _ list: LRUList,
        node: Int,
        _ onLists: inout Set<UInt32>,
        _ violations: inout Violations
    ) {
        let frames = lru.frames(node: node, list)
        for pfn in frames {
            let page = pages.map[Int(pfn)]
            violations.check(
                page.kind == .allocated && page.isOnLRU && page.lruList == list,
                "frame \(pfn) on \(list) is \(page.kind), of \(page.lruList)"
            )
            violations.check(onLists.insert(pfn).inserted, "frame \(pfn) is on two lists")
            violations.check(
                page.mapCount > 0 || page.isOfFile || page.aging.contains(.swapCache),
                "frame \(pfn) on \(list) is nobody's"
            )
        }
        violations.check(
            lruSize(node: node, list) == frames.count,
            "\(list) of node \(node) counts \(lruSize(node: node, list)) pages of \(frames.count)"
        )
    }

    private func checkStates(_ onLists: Set<UInt32>, _ violations: inout Violations) {
        var counted = LRUStateCounts()
        for zone in pages.zones.indices { counted.add(lru.states(zone: zone)) }
        var found = LRUStateCounts()
        for pfn in onLists {
            let aging = pages.map[Int(pfn)].aging
            let isOnDisk = aging.contains(.onDisk)
            if isOnDisk { found.onDisk += 1 }
            if isOnDisk, aging.contains(.dirty) { found.dirty += 1 }
            if isOnDisk, aging.contains(.writeback) { found.writeback += 1 }
            if aging.contains(.swapCache) { found.swapCache += 1 }
            violations.check(
                !isOnDisk || !aging.contains(.dirty) || dirtyPages.contains(pfn),
                "dirty frame \(pfn) waits for nobody"
            )
        }
        violations.check(counted == found, "counted \(counted), found \(found)")
    }

    /// Every use of a slot is an entry's or a file's.
    private func checkSwap(_ onLists: Set<UInt32>, _ violations: inout Violations) {
        var uses: UInt64 = 0
        for (place, area) in swap.areas.enumerated() {
            for offset in area.usedOffsets {
                uses &+= UInt64(area.uses(offset))
                guard let pfn = area.cachedPage(offset) else { continue }
                let slot = SwapSlot(area: place, offset: offset)
                violations.check(
                    onLists.contains(pfn) && swapSlot(of: pfn) == slot,
                    "slot \(offset) names frame \(pfn), which is not its page"
                )
            }
        }
        let entries = processes.reduce(UInt64(0)) { $0 &+ $1.space.swapEntries }
        let ofFiles = files.all.reduce(UInt64(0)) { $0 &+ UInt64($1.swapped.count) }
        violations.check(
            uses == entries &+ ofFiles,
            "\(uses) uses of slots, \(entries) entries and \(ofFiles) pages of files"
        )
    }
}
