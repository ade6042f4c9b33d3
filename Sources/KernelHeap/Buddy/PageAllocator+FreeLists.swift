extension PageAllocator {
    /// Puts a block on its zone's list and counts it.
    @inline(__always)
    mutating func addToFreeList(
        _ pfn: UInt32,
        zone: Int,
        order: Int,
        type: MigrateType,
        atTail: Bool
    ) {
        map[Int(pfn)].set(.buddy, order: order, migrateType: type, zone: zone)
        let list = Zone.list(order, type)
        if atTail {
            if list == Zone.runList && !zones[zone].run.isEmpty {
                map.pushTail(pfn, on: &zones[zone].behindRun)
            } else {
                map.pushTail(pfn, on: &zones[zone].lists[list])
            }
        } else {
            map.pushHead(pfn, on: &zones[zone].lists[list])
        }
        zones[zone].blockCounts[order] += 1
    }

    /// Takes a free block, wherever it stands, off its list.
    @inline(__always)
    mutating func removeFromFreeList(_ pfn: UInt32, zone: Int, order: Int) {
        unlink(pfn, zone: zone, order: order)
        map[Int(pfn)].clear()
        zones[zone].blockCounts[order] -= 1
    }

    /// Moves a free block to the tail of another class's list; counts stay as they are.
    mutating func moveToFreeList(_ pfn: UInt32, zone: Int, order: Int, type: MigrateType) {
        unlink(pfn, zone: zone, order: order)
        zones[zone].blockCounts[order] -= 1
        addToFreeList(pfn, zone: zone, order: order, type: type, atTail: true)
    }

    @inline(__always)
    private mutating func unlink(_ pfn: UInt32, zone: Int, order: Int) {
        let list = Zone.list(order, map[Int(pfn)].migrateType)
        let behind = zones[zone].behindRun
        if list == Zone.runList && (behind.head == pfn || behind.tail == pfn) {
            map.remove(pfn, from: &zones[zone].behindRun)
        } else {
            map.remove(pfn, from: &zones[zone].lists[list])
        }
    }

    /// The first block of a list, made real if it is the first of the run; nil when empty.
    @inline(__always)
    mutating func firstFree(zone: Int, order: Int, type: MigrateType) -> UInt32? {
        let list = Zone.list(order, type)
        let head = zones[zone].lists[list].head
        if head != PageList.none { return head }
        return list == Zone.runList ? firstOfRun(zone: zone) : nil
    }

    /// Links the run's first block; behind the last one follows what stood behind the run.
    private mutating func firstOfRun(zone: Int) -> UInt32? {
        let run = zones[zone].run
        guard let pfn = run.first else { return nil }
        zones[zone].run = pfn + UInt32(1 << Zone.maxOrder)..<run.upperBound
        map[Int(pfn)].set(.buddy, order: Zone.maxOrder, migrateType: .movable, zone: zone)
        if zones[zone].run.isEmpty {
            zones[zone].lists[Zone.runList] = zones[zone].behindRun
            zones[zone].behindRun = PageList()
        }
        map.pushHead(pfn, on: &zones[zone].lists[Zone.runList])
        return pfn
    }

    /// The blocks of a list, head to tail.
    func freeBlocks(zone: Int, order: Int, type: MigrateType) -> [UInt64] {
        if !zones[zone].unlisted.isEmpty {
            return unlistedBlocks(zone: zone, order: order, type: type)
        }
        let list = Zone.list(order, type)
        var frames = map.frames(of: zones[zone].lists[list])
        guard list == Zone.runList else { return frames }
        let run = zones[zone].run
        frames += stride(from: run.lowerBound, to: run.upperBound, by: 1 << Zone.maxOrder)
            .map(UInt64.init)
        return frames + map.frames(of: zones[zone].behindRun)
    }

    /// How many blocks a list has, without walking the run.
    func freeBlockCount(zone: Int, order: Int, type: MigrateType) -> Int {
        if !zones[zone].unlisted.isEmpty {
            // Blocks of one order are movable but for the first pageblock's.
            if order == Zone.maxOrder {
                return type == .movable ? zones[zone].blockCounts[order] : 0
            }
            return unlistedBlocks(zone: zone, order: order, type: type).count
        }
        let list = Zone.list(order, type)
        var count = map.length(of: zones[zone].lists[list])
        if list == Zone.runList {
            count += zones[zone].run.count >> Zone.maxOrder
            count += map.length(of: zones[zone].behindRun)
        }
        return count
    }
}

extension ChunkedColumn where Element == Page {
    func length(of list: PageList) -> Int {
        var count = 0
        var pfn = list.head
        while pfn != PageList.none {
            count += 1
            pfn = self[Int(pfn)].next
        }
        return count
    }
}
