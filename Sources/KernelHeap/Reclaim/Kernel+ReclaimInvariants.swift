/// What must hold of the LRU lists, files and swap areas after any call.
extension Kernel {
    func checkReclaim(_ violations: inout Violations) {
        var onLists: Set<UInt32> = []
        for group in cgroups.groups.indices {
            for node in 0..<max(slab.nodeCount, 1) {
                for list in LRUList.allCases {
                    check(list, node: node, group, &onLists, &violations)
                }
            }
        }
        checkCharges(onLists, &violations)
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
        _ group: Int,
        _ onLists: inout Set<UInt32>,
        _ violations: inout Violations
    ) {
        let frames = lru.frames(node: node, group: group, list)
        for pfn in frames {
            let page = pages.map[Int(pfn)]
            violations.check(
                page.kind == .allocated && page.isOnLRU && page.lruList == list,
                "frame \(pfn) on \(list) is \(page.kind), of \(page.lruList)"
            )
            violations.check(
                group == (page.isCharged ? cgroups.charge(of: pfn).group : 0),
                "frame \(pfn) on \(list) of group \(group) is another group's"
            )
            violations.check(onLists.insert(pfn).inserted, "frame \(pfn) is on two lists")
            violations.check(
                page.mapCount > 0 || page.isOfFile || page.aging.contains(.swapCache),
                "frame \(pfn) on \(list) is nobody's"
            )
        }
        let count = lruSize(node: node, list, group: group)
        violations.check(
            count == frames.count,
            "\(list) of node \(node) and group \(group) counts \(count) pages of \(frames.count)"
        )
    }

    /// Every group has what its pages and objects and those of the groups below it are, and a page
    /// of a process or a file is charged while it is on a list.
    private func checkCharges(_ onLists: Set<UInt32>, _ violations: inout Violations) {
        guard cgroups.isOn else { return }
        var kernelPages = Array(repeating: UInt64(0), count: cgroups.groups.count)
        cgroups.forEachCharge { pfn, group, kind in
            let page = pages.map[Int(pfn)]
            violations.check(page.isCharged, "frame \(pfn) is charged and knows nothing of it")
            guard kind != .user else {
                return violations.check(onLists.contains(pfn), "charged frame \(pfn) is nobody's")
            }
            kernelPages[group] &+= UInt64(1) << UInt64(page.order)
        }
        for (place, group) in cgroups.groups.enumerated().dropFirst() {
            let own = group.statistics
            violations.check(
                own.kernelPages == kernelPages[place],
                "\(group.path) counts \(own.kernelPages) pages of \(kernelPages[place])"
            )
            let sum = cgroups.subtree(of: place).reduce(UInt64(0)) { sum, below in
                let part = cgroups[below].statistics
                return sum &+ part.anonymous &+ part.file &+ part.kernelPages
                    &+ CgroupStatistics.pages(ofObjects: part.objectBytes)
            }
            violations.check(
                sum == group.usage,
                "\(group.path) is charged for \(group.usage) pages and has \(sum)"
            )
        }
    }

    private func checkStates(_ onLists: Set<UInt32>, _ violations: inout Violations) {
        var counted = LRUStateCounts()
        for zone in pages.zones.indices { counted.add(lru.states(zone: zone)) }
        var found = LRUStateCounts()
        let waiting = Set(dirtyPages)
        for pfn in onLists {
            let aging = pages.map[Int(pfn)].aging
            let isOnDisk = aging.contains(.onDisk)
            if isOnDisk { found.onDisk += 1 }
            if isOnDisk, aging.contains(.dirty) { found.dirty += 1 }
            if isOnDisk, aging.contains(.writeback) { found.writeback += 1 }
            if aging.contains(.swapCache) { found.swapCache += 1 }
            violations.check(
                !isOnDisk || !aging.contains(.dirty) || waiting.contains(pfn),
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
