extension PageAllocator {
    /// The buddy lists of a zone against the frames: each free block on one list, once.
    func checkFreeLists(
        zone: Int,
        _ blocks: [FrameBlock],
        _ violations: inout Violations
    ) {
        let free = blocks.count { $0.page.kind == .buddy && $0.page.zone == zone }
        var listed: Set<UInt32> = []
        for order in 0...Zone.maxOrder {
            var count = 0
            for type in MigrateType.allCases {
                let list = Zone.list(order, type)
                let name = "zone \(zone), order \(order), \(type.name)"
                var frames = walk(zones[zone].lists[list], atMost: free, name, &violations)
                if list == Zone.runList {
                    frames += walk(zones[zone].behindRun, atMost: free, name, &violations)
                    count += zones[zone].run.count >> Zone.maxOrder
                }
                if !zones[zone].unlisted.isEmpty {
                    violations.check(frames.isEmpty, "\(name): blocks beside an unlisted range")
                    count += freeBlockCount(zone: zone, order: order, type: type)
                }
                for frame in frames {
                    violations.check(
                        map[Int(frame)].isBuddy(order: order, zone: zone)
                            && map[Int(frame)].migrateType == type,
                        "\(name): \(frame) is \(map[Int(frame)].kind)"
                    )
                    violations.check(listed.insert(frame).inserted, "\(name): \(frame) is twice")
                }
                count += frames.count
            }
            violations.check(
                count == zones[zone].blockCounts[order],
                "zone \(zone), order \(order): \(count) blocks, nr_free \(zones[zone].blockCounts[order])"
            )
        }
        violations.check(listed.count == free, "zone \(zone): \(free) free, \(listed.count) listed")
        violations.check(
            zones[zone].run.isEmpty == false || zones[zone].behindRun.isEmpty,
            "zone \(zone): blocks stand behind an empty run"
        )
    }

    /// The per-CPU lists of a zone against the frames and against their counts.
    func checkPerCPULists(
        zone: Int,
        _ blocks: [FrameBlock],
        _ violations: inout Violations
    ) {
        let kept = blocks.count { $0.page.kind == .perCPU && $0.page.zone == zone }
        var listed: Set<UInt32> = []
        for cpu in 0..<cpuCount {
            let pages = perCPU[perCPUIndex(zone: zone, cpu: cpu)]
            var count = 0
            for list in 0..<PerCPUPages.listCount {
                let order = PerCPUPages.order(list: list, pageblockOrder)
                let name = "zone \(zone), CPU \(cpu), list \(list)"
                let frames = walk(pages.lists[list], atMost: kept, name, &violations)
                for frame in frames {
                    let page = map[Int(frame)]
                    violations.check(
                        page.kind == .perCPU && page.zone == zone && page.order == order,
                        "\(name): \(frame) is \(page.kind) of order \(page.order)"
                    )
                    violations.check(listed.insert(frame).inserted, "\(name): \(frame) is twice")
                }
                count += frames.count << order
            }
            violations.check(
                count == pages.count,
                "zone \(zone), CPU \(cpu): \(count) pages, count \(pages.count)"
            )
        }
        violations.check(listed.count == kept, "zone \(zone): \(kept) kept, \(listed.count) listed")
    }

    /// The frames of a list, following `next`, with the way back checked.
    ///
    /// The list alone knows its head, so the head's `prev` says nothing. The walk ends where the
    /// list is longer than it can be, which a cycle is.
    private func walk(
        _ list: PageList,
        atMost limit: Int,
        _ name: String,
        _ violations: inout Violations
    ) -> [UInt32] {
        guard !list.isEmpty else { return [] }
        var frames: [UInt32] = []
        var frame = list.head
        var previous = PageList.none
        while frame != PageList.none {
            guard Int(frame) < map.capacity, frames.count < limit else {
                violations.check(false, "\(name): the list leaves memory or does not end")
                return frames
            }
            if previous != PageList.none {
                violations.check(
                    map[Int(frame)].prev == previous,
                    "\(name): \(frame) does not point back to \(previous)"
                )
            }
            frames.append(frame)
            previous = frame
            frame = map[Int(frame)].next
        }
        violations.check(list.tail == previous, "\(name): the tail is not the last block")
        return frames
    }
}
