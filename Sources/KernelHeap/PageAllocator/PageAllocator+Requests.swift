extension PageAllocator {
    /// Allocates a block of 2^order pages: `__alloc_pages()`, 6.1.
    ///
    /// - Returns: the first frame, its page marked allocated with one reference; nil is NULL.
    ///   The order is at most `Zone.maxOrder`; the caller has refused larger ones.
    mutating func allocate(_ request: AllocationRequest) -> UInt32? {
        if faults.isArmed, injectsFault(request) { return nil }
        if request.order == 0, request.dirtyNodes == 0,
            let pfn = takeSingle(request.flags, cpu: request.cpu)
        {
            return pfn
        }
        return allocateFully(request)
    }

    /// `should_fail_alloc_page()`.
    @inline(never)
    mutating func injectsFault(_ request: AllocationRequest) -> Bool {
        faults.shouldFail(
            FaultRequest(
                site: .pages,
                flags: request.flags,
                size: 1 << UInt64(max(request.order, 0)),
                order: request.order
            )
        )
    }

    /// Takes one page the common way: the CPU has it, and the preferred zone is above its low mark.
    ///
    /// - Returns: nil where the request takes another way; nothing changed then.
    @inline(__always)
    mutating func takeSingle(_ flags: GFPFlags, cpu: Int) -> UInt32? {
        let zone = Int(preferredZones[Int(flags.rawValue & 0xf)])
        guard zone < zones.count, !(isWatched || flags.contains(.cold)) else { return nil }
        let type = flags.migrateType
        let index = perCPUIndex(zone: zone, cpu: cpu)
        let pfn = perCPU[index].lists[Int(type.rawValue)].head
        guard pfn != PageList.none, zones[zone].isAboveLow(gfpZones.index(flags)) else {
            return nil
        }
        let next = map[Int(pfn)].leaveList(for: type, zone: zone, call: call)
        perCPU[index].take(next: next, from: Int(type.rawValue))
        zones[zone].hits &+= 1
        return pfn
    }

    /// Takes a larger block the common way: its order has no per-CPU list, the preferred zone is above
    /// its low mark, and the request's own class has a block.
    ///
    /// - Returns: nil where the request takes another way; nothing changed then.
    @inline(__always)
    mutating func takeListed(order: Int, _ flags: GFPFlags, cpu: Int) -> UInt32? {
        let zone = Int(preferredZones[Int(flags.rawValue & 0xf)])
        let pages = 1 &<< order
        guard !PerCPUPages.allows(order: order, pageblockOrder), zone < zones.count,
            !isWatched,
            zones[zone].unlisted.isEmpty, strayReferences.isEmpty, oddPages.isEmpty,
            zones[zone].isAboveLow(gfpZones.index(flags), besides: pages &- 1)
        else { return nil }
        let type = flags.migrateType
        let found = Self.takeListed(zone, &zones[zone], order: order, type: type, &map)
        guard let pfn = found else { return nil }
        changeFreeCount(zone: zone, cpu: cpu, by: 0 &- pages)
        map[Int(pfn)].handOut(order: order, migrateType: type, zone: zone, call: call)
        if flags.contains(.compound) { map[Int(pfn)].isCompound = true }
        zones[zone].furtherPages &+= UInt64(truncatingIfNeeded: pages &- 1)
        zones[zone].hits &+= 1
        return pfn
    }

    /// Frees a larger block with one reference to the free lists.
    ///
    /// - Returns: false where it takes another way; nothing changed then.
    @inline(__always)
    mutating func releaseListed(_ pfn: UInt32, order: Int, cpu: Int) -> Bool {
        let page = map[Int(pfn)]
        // An order that is none may look like one in the page's four bits.
        guard order <= Zone.maxOrder, page.isBlockInUse(order: order), !isWatched,
            !PerCPUPages.allows(order: order, pageblockOrder),
            strayReferences.isEmpty, oddPages.isEmpty
        else { return false }
        map[Int(pfn)].word = 0
        let type = pageblockType(of: pfn)
        freeBlock(pfn, zone: page.zone, cpu: cpu, order: order, type: type)
        return true
    }

    /// Frees one page with one reference to its CPU's list.
    ///
    /// - Returns: false where it takes another way; nothing changed then.
    @inline(__always)
    mutating func releaseSingle(_ pfn: UInt32, cpu: Int) -> Bool {
        let page = map[Int(pfn)]
        let type = pageblockType(of: pfn)
        guard page.isSinglePageInUse, type.rawValue < 3, !isWatched else { return false }
        let zone = page.zone
        let index = perCPUIndex(zone: zone, cpu: cpu)
        let list = Int(type.rawValue)
        let head = perCPU[index].lists[list].head
        map[Int(pfn)].joinList(before: head, type: type, zone: zone)
        if head != PageList.none { map[Int(head)].prev = pfn }
        if perCPU[index].put(pfn, on: list) {
            trim(zone: zone, cpu: cpu, list: list, giveAll: false)
        }
        return true
    }

    /// The whole path, first attempt included.
    @inline(never)
    private mutating func allocateFully(_ request: AllocationRequest) -> UInt32? {
        let list = zonelist(of: request)
        if decisions.isOn {
            decisions.add(
                .requestClassified(
                    flags: request.flags,
                    highestZone: request.highestZone,
                    migrateType: request.migrateType
                )
            )
        }
        guard list.count > 0 else {
            if decisions.isOn { decisions.add(.gaveUp(reason: "No zone may serve it: NULL.")) }
            return nil
        }
        if let forcedFlags { return attempt(request, list, forcedFlags) }
        let first = request.flags.firstAttempt(
            keepingBlocksWhole: gfpZones.hasDMA32 && zones[list[0]].type == .normal
        )
        if let pfn = attempt(request, list, first) { return pfn }

        if request.flags.contains(.kswapdReclaim) { wakeKswapd(request, list) }
        if decisions.isOn { decisions.add(.slowPath(mark: "min")) }
        let slow = request.flags.slowAttempt(order: request.order)
        if let pfn = attempt(request, list, slow) { return pfn }

        if request.flags.contains(.memAlloc) && !request.flags.contains(.noMemAlloc) {
            if decisions.isOn {
                decisions.add(.slowPath(mark: "zero: __GFP_MEMALLOC ignores the marks"))
            }
            // The high-atomic reserve stays out of reach, as recorded.
            if let pfn = attempt(request, list, .noWatermarks) { return pfn }
        }
        if isReclaimed && request.flags.contains(.directReclaim) { return nil }
        return allocateAtLast(request, list, slow)
    }

    /// The last attempts, where nothing more can be freed.
    private mutating func allocateAtLast(
        _ request: AllocationRequest,
        _ list: Zonelist,
        _ slow: AllocFlags
    ) -> UInt32? {
        if request.flags.exhaustsHighAtomic(order: request.order) {
            while unreserveHighAtomic(request, list) {
                if let pfn = attempt(request, list, slow) { return pfn }
            }
        }
        if let pfn = attemptWithoutFail(request, list) { return pfn }
        if decisions.isOn { decisions.add(.gaveUp(reason: reasonForGivingUp(request))) }
        return nil
    }

    /// The last attempts of a request that must not fail: `__alloc_pages_may_oom()` and the end of
    /// `__alloc_pages_slowpath()`, 6.1.
    ///
    /// Where the OOM killer would be called, all memory is open to it; large orders, low zones and
    /// single nodes never get so far, and go down to half of min.
    private mutating func attemptWithoutFail(
        _ request: AllocationRequest,
        _ list: Zonelist
    ) -> UInt32? {
        guard request.flags.contains([.noFail, .directReclaim]) else { return nil }
        let callsKiller =
            request.order <= GFPFlags.costlyOrder && request.highestZone >= .normal
            && request.flags.isDisjoint(with: [.thisNode, .retryMayFail])
        if callsKiller {
            if decisions.isOn {
                decisions.add(.slowPath(mark: "zero: __GFP_NOFAIL may have all memory"))
            }
            if let pfn = attempt(request, list, .noWatermarks) { return pfn }
        }
        return attempt(request, list, .high)
    }

    /// The zones that a request tries, in order; other nodes' only without `__GFP_THISNODE`.
    func zonelist(of request: AllocationRequest) -> Zonelist {
        let list = zonelists[Zonelist.index(node: request.node, highest: request.highestZone)]
        return request.flags.contains(.thisNode)
            ? list.restricted(to: request.node, of: zones) : list
    }

    private func reasonForGivingUp(_ request: AllocationRequest) -> String {
        if request.flags.contains([.noFail, .directReclaim]) {
            return "6.1 would try for ever, as __GFP_NOFAIL asks; nothing else runs here: NULL."
        }
        if !request.flags.contains(.directReclaim) {
            return "The caller may not sleep, so nothing can be reclaimed for it: NULL."
        }
        return "Direct reclaim finds nothing that could be freed: NULL."
    }

    /// Tries each zone once: `get_page_from_freelist()`, 6.1.
    private mutating func attempt(
        _ request: AllocationRequest,
        _ list: Zonelist,
        _ flags: AllocFlags
    ) -> UInt32? {
        for position in 0..<list.count {
            let zone = list[position]
            // spread_dirty_pages: the node has as many dirty pages as it may.
            if request.dirtyNodes != 0, flags.contains(.low),
                request.dirtyNodes & 1 << UInt8(truncatingIfNeeded: zones[zone].node) != 0
            {
                continue
            }
            let accepted =
                flags.contains(.noWatermarks) || Self.mayServe(zones, zone, request, flags)
            if decisions.isOn {
                decisions.add(
                    accepted
                        ? .zoneAccepted(watermarkTest(zone: zone, request, flags))
                        : .zoneRefused(watermarkTest(zone: zone, request, flags))
                )
            }
            if accepted, let pfn = take(zone: zone, request, flags) {
                if boostedZones != 0 {
                    if flags.contains(.kswapd) { wakeKswapd(boosted: boostedZones) }
                    boostedZones = 0
                }
                defer { if flags.contains(.highAtomic) { reserveHighAtomic(pfn, zone: zone) } }
                return hand(out: pfn, zone: zone, request, preferred: list[0])
            }
        }
        // Nothing without breaking foreign blocks: the same once more, with breaking.
        guard flags.contains(.noFragment) else { return nil }
        return attempt(request, list, flags.subtracting(.noFragment))
    }

    /// Takes a block from one zone: `rmqueue()`, 6.1.
    private mutating func take(
        zone: Int,
        _ request: AllocationRequest,
        _ flags: AllocFlags
    ) -> UInt32? {
        let order = request.order
        if PerCPUPages.allows(order: order, pageblockOrder) {
            let pfn = takePerCPU(
                zone: zone,
                cpu: request.cpu,
                order: order,
                type: request.migrateType,
                flags: flags
            )
            if let pfn { return pfn }
        }
        var pfn: UInt32?
        if flags.contains(.highAtomic) { pfn = takeHighAtomic(zone: zone, order: order) }
        if pfn == nil {
            pfn = takeBlock(zone: zone, order: order, type: request.migrateType, flags: flags)
        }
        // Who cannot wait may empty the reserve: failing now is worse than failing a later request.
        if pfn == nil && flags.contains(.nonBlock) {
            pfn = takeHighAtomic(zone: zone, order: order)
        }
        if pfn != nil { changeFreeCount(zone: zone, cpu: request.cpu, by: -(1 << order)) }
        return pfn
    }

    @inline(__always)
    private mutating func hand(
        out pfn: UInt32,
        zone: Int,
        _ request: AllocationRequest,
        preferred: Int
    ) -> UInt32 {
        map[Int(pfn)].handOut(
            order: request.order,
            migrateType: request.migrateType,
            zone: zone,
            call: call
        )
        zones[zone].furtherPages &+= (1 << UInt64(request.order)) &- 1
        if request.flags.contains(.compound) && request.order > 0 {
            map[Int(pfn)].isCompound = true
        }
        if isAlwaysWatched { noteHandedOut(pfn, order: request.order, request.flags) }
        count(zone: zone, preferred: preferred, node: request.node)
        return pfn
    }

    /// Tells those who follow pages that a block has a new owner.
    @inline(never)
    mutating func noteHandedOut(_ pfn: UInt32, order: Int, _ flags: GFPFlags) {
        if owners.isOn { owners.noteAllocation(of: pfn, order: order, flags) }
        if contents.unwritten.isOn { contents.unwritten.end(pfn, pages: 1 << order) }
    }

    /// Tells those who follow pages that a block has no owner any more.
    @inline(never)
    mutating func noteReleased(_ pfn: UInt32, order: Int) {
        if owners.isOn { owners.noteFree(of: pfn, order: order) }
        if contents.unwritten.isOn { contents.unwritten.end(pfn, pages: 1 << order) }
    }

    /// Counts a page or block served: `zone_statistics()`.
    @inline(__always)
    mutating func count(zone: Int, preferred: Int, node: Int) {
        if zones[zone].node == zones[preferred].node {
            zones[zone].hits &+= 1
        } else {
            zones[zone].misses &+= 1
            zones[preferred].foreign &+= 1
        }
        if zones[zone].node != node { zones[zone].remote &+= 1 }
    }

    /// Returns a block whose last reference is gone: `free_unref_page()` or `__free_pages_ok()`.
    @inline(__always)
    mutating func release(_ pfn: UInt32, order: Int, cpu: Int) {
        let zone = map[Int(pfn)].zone
        let type = pageblockType(of: pfn)
        map[Int(pfn)].word = 0
        if isAlwaysWatched { noteReleased(pfn, order: order) }
        if PerCPUPages.allows(order: order, pageblockOrder) && type != .isolate {
            freePerCPU(pfn, zone: zone, cpu: cpu, order: order, type: type)
        } else {
            freeBlock(pfn, zone: zone, cpu: cpu, order: order, type: type)
        }
    }
}
