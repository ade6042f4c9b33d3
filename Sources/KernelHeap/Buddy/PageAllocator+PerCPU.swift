extension PageAllocator {
    /// Takes a block from the CPU's lists, filling them from the buddy lists when empty.
    ///
    /// Follows `rmqueue_pcplist()` and `__rmqueue_pcplist()`, 6.1. A refill takes `batch >> order`
    /// blocks, at least two when the batch exceeds one.
    @inline(__always)
    mutating func takePerCPU(
        zone: Int,
        cpu: Int,
        order: Int,
        type: MigrateType,
        flags: AllocFlags
    ) -> UInt32? {
        perCPU[perCPUIndex(zone: zone, cpu: cpu)].freeFactor >>= 1
        return takeFromList(zone: zone, cpu: cpu, order: order, type: type, flags: flags)
    }

    /// The same without the decay of the free factor: bulk requests call it many times.
    @inline(__always)
    mutating func takeFromList(
        zone: Int,
        cpu: Int,
        order: Int,
        type: MigrateType,
        flags: AllocFlags
    ) -> UInt32? {
        let index = perCPUIndex(zone: zone, cpu: cpu)
        let list = PerCPUPages.list(order: order, type: type)
        if perCPU[index].lists[list].isEmpty {
            refill(zone: zone, cpu: cpu, list: list, order: order, type: type, flags: flags)
            if perCPU[index].lists[list].isEmpty { return nil }
        }
        let pfn: UInt32
        if flags.contains(.cold) {
            pfn = perCPU[index].lists[list].tail
            map.remove(pfn, from: &perCPU[index].lists[list])
        } else {
            pfn = map.popHead(of: &perCPU[index].lists[list])
        }
        perCPU[index].count -= 1 << order
        if decisions.isOn {
            decisions.add(
                .perCPUListServed(
                    zone: zones[zone].type,
                    list: list,
                    pfn: PFN(rawValue: UInt64(pfn)),
                    count: perCPU[index].count
                )
            )
        }
        return pfn
    }

    @inline(never)
    private mutating func refill(
        zone: Int,
        cpu: Int,
        list: Int,
        order: Int,
        type: MigrateType,
        flags: AllocFlags
    ) {
        let index = perCPUIndex(zone: zone, cpu: cpu)
        let batch = perCPU[index].batch
        let wanted = batch > 1 ? max(batch >> order, 2) : batch
        var blocks = 0
        // The first block of a refill is explained, the others only counted.
        var isExplaining = decisions.isOn
        while blocks < wanted {
            guard let pfn = takeBlock(zone: zone, order: order, type: type, flags: flags) else {
                break
            }
            map[Int(pfn)].set(.perCPU, order: order, migrateType: type, zone: zone)
            map[Int(pfn)].word = 0
            map.pushTail(pfn, on: &perCPU[index].lists[list])
            blocks += 1
            if decisions.isOn { isExplaining = decisions.pause() }
        }
        decisions.resume(isExplaining)
        perCPU[index].count += blocks << order
        changeFreeCount(zone: zone, cpu: cpu, by: -(blocks << order))
        if decisions.isOn {
            decisions.add(.perCPUListRefilled(zone: zones[zone].type, list: list, blocks: blocks))
        }
    }

    /// Puts a block at the head of the CPU's list, and gives pages back when there are too many.
    ///
    /// Follows `free_unref_page_commit()`, 6.1.
    @inline(__always)
    mutating func freePerCPU(_ pfn: UInt32, zone: Int, cpu: Int, order: Int, type: MigrateType) {
        let index = perCPUIndex(zone: zone, cpu: cpu)
        // Classes without a list of their own wait with the movable ones.
        let list = PerCPUPages.list(order: order, type: type.rawValue < 3 ? type : .movable)
        map[Int(pfn)].set(.perCPU, order: order, migrateType: type, zone: zone)
        map.pushHead(pfn, on: &perCPU[index].lists[list])
        perCPU[index].count += 1 << order
        let giveAll = perCPU[index].freeFactor != 0 && order > 0 && order <= 3
        let high = giveAll ? 0 : perCPU[index].high
        if perCPU[index].count >= high {
            trim(zone: zone, cpu: cpu, list: list, giveAll: giveAll)
        }
    }

    @inline(never)
    mutating func trim(zone: Int, cpu: Int, list: Int, giveAll: Bool) {
        let index = perCPUIndex(zone: zone, cpu: cpu)
        let pages = giveAll ? perCPU[index].count : pagesToTrim(index: index)
        giveBack(pages, zone: zone, cpu: cpu, startingAt: list)
        if decisions.isOn {
            decisions.add(.perCPUListsTrimmed(zone: zones[zone].type, pages: pages))
        }
    }

    /// `nr_pcp_free()`, with the cap of five doublings that 6.1 stable has.
    private mutating func pagesToTrim(index: Int) -> Int {
        let lists = perCPU[index]
        guard lists.high >= lists.batch else { return 1 }
        let most = lists.high - lists.batch
        let wanted = lists.batch << min(lists.freeFactor, 32)
        if wanted < most && lists.freeFactor < 5 { perCPU[index].freeFactor += 1 }
        return max(lists.batch, min(wanted, most))
    }

    /// Returns pages to the buddy lists, going round the lists from the tail of each.
    ///
    /// Follows `free_pcppages_bulk()`, 6.1: the list just used is emptied first, and each list as
    /// long as pages are owed.
    private mutating func giveBack(_ pages: Int, zone: Int, cpu: Int, startingAt first: Int) {
        let index = perCPUIndex(zone: zone, cpu: cpu)
        var owed = min(perCPU[index].count, pages)
        var lowest = 0
        var highest = PerCPUPages.listCount - 1
        var list = first - 1
        let mayBeOdd = !oddPages.isEmpty
        while owed > 0 {
            repeat {
                list += 1
                if list > highest { list = lowest }
                if !perCPU[index].lists[list].isEmpty { break }
                if list == highest { highest -= 1 }
                if list == lowest { lowest += 1 }
            } while lowest <= highest
            guard lowest <= highest else { return }
            let order = PerCPUPages.order(list: list, pageblockOrder)
            repeat {
                let pfn = perCPU[index].lists[list].tail
                let type = map[Int(pfn)].migrateType
                map.remove(pfn, from: &perCPU[index].lists[list])
                owed -= 1 << order
                perCPU[index].count -= 1 << order
                if map[Int(pfn)].word != 0 || (mayBeOdd && isOdd(pfn)) {
                    keepOff(pfn, order: order)
                    continue
                }
                freeBlock(pfn, zone: zone, cpu: cpu, order: order, type: type)
            } while owed > 0 && !perCPU[index].lists[list].isEmpty
        }
    }

    /// Empties all per-CPU lists of a zone: `drain_zone_pages()`.
    mutating func drainPerCPU(zone: Int) {
        for cpu in 0..<cpuCount { drainPerCPU(zone: zone, cpu: cpu) }
    }

    /// Empties one CPU's lists of a zone.
    mutating func drainPerCPU(zone: Int, cpu: Int) {
        let count = perCPU[perCPUIndex(zone: zone, cpu: cpu)].count
        giveBack(count, zone: zone, cpu: cpu, startingAt: 0)
    }
}
