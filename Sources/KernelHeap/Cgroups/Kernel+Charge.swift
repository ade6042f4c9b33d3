/// Pages and objects are charged to the group of who asks: `mm/memcontrol.c`, 6.1.
///
/// The kernel charges 64 pages ahead to each CPU; here a group has what it uses.
extension Kernel {
    /// `MAX_RECLAIM_RETRIES`.
    private static let mostRetries = 16

    /// The group of the process that a call is made by; the root in handlers and without a process.
    func cgroup(of context: CallContext) -> Int {
        guard context.kind == .process else { return 0 }
        return process(context.pid).map { processes[$0].cgroup } ?? 0
    }

    /// Charges pages to a group and all above it: `try_charge_memcg()`.
    ///
    /// - Parameters:
    ///   - count: pages.
    ///   - group: whom.
    ///   - flags: what may be done to stay below the limits.
    ///   - context: who waits meanwhile.
    /// - Returns: false where a limit stands in the way; nothing is charged then.
    mutating func charge(
        _ count: UInt64,
        to group: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> Bool {
        guard group > 0, count > 0 else { return true }
        var retries = Self.mostRetries
        while let over = cgroups.groupOverLimit(group, adding: count) {
            cgroups[over].failures &+= 1
            let mayExceed = !flags.isDisjoint(with: [.noFail, .high])
            if isMemAlloc(in: context) { break }
            // Who is being ended waits for nothing any more.
            if dyingProcess != nil {
                if mayExceed { break }
                return refuseCharge(over)
            }
            guard flags.contains(.directReclaim) else {
                if mayExceed { break }
                return refuseCharge(over)
            }
            cgroups.count(\.max, in: over)
            let freed = reclaim(in: over, wanted: count, flags, cpu: context.cpu)
            if cgroups.margin(over) >= count { continue }
            if flags.contains(.noRetry) {
                if mayExceed { break }
                return refuseCharge(over)
            }
            if freed > 0, count <= 8 { continue }
            if retries > 0 {
                retries -= 1
                continue
            }
            let isCostly = count > 1 << UInt64(GFPFlags.costlyOrder)
            let kills = !isCostly && !flags.contains(.retryMayFail)
            guard kills, killInCgroup(over, flags, in: context) else {
                if mayExceed { break }
                return refuseCharge(over)
            }
            retries = Self.mostRetries
        }
        cgroups.add(count, to: group)
        noteOverHigh(group, count)
        let isMuch = cgroups.pagesOverHigh > Self.mostOverHigh
        if isMuch, flags.contains(.directReclaim) { keepBelowHigh(in: context) }
        return true
    }

    /// `MEMCG_CHARGE_BATCH`: with more above `memory.high` the charge itself reclaims.
    private static let mostOverHigh: UInt64 = 64

    private mutating func noteOverHigh(_ group: Int, _ count: UInt64) {
        let isOver = cgroups.lineage(of: group).contains { place in
            cgroups[place].usage > cgroups[place].limits.high
        }
        guard isOver else { return }
        cgroups.pagesOverHigh &+= count
        cgroups.groupOverHigh = group
    }

    private mutating func refuseCharge(_ group: Int) -> Bool {
        if pages.decisions.isOn {
            let (usage, most) = (cgroups[group].usage, cgroups[group].limits.max)
            pages.decisions.add(
                .gaveUp(
                    reason: "The memory cgroup \(cgroups[group].path) has \(usage) of the \(most) "
                        + "pages that memory.max allows, and may not free enough: NULL."
                )
            )
        }
        return false
    }

    /// Groups above their `memory.high` give back what was charged, on the way back to user space:
    /// `mem_cgroup_handle_over_high()`.
    mutating func keepBelowHigh(in context: CallContext) {
        let count = cgroups.pagesOverHigh
        cgroups.pagesOverHigh = 0
        guard !isPanicked else { return }
        for place in cgroups.lineage(of: cgroups.groupOverHigh)
        where cgroups[place].usage > cgroups[place].limits.high {
            cgroups.count(\.high, in: place)
            _ = reclaim(in: place, wanted: count, .kernel, cpu: context.cpu)
        }
    }

    /// Charges a block of the kernel's that was asked for with `__GFP_ACCOUNT`:
    /// `__memcg_kmem_charge_page()`.
    ///
    /// - Returns: false where it is too much for the group; the block is the caller's to free.
    mutating func chargeBlock(
        _ frame: UInt32,
        order: Int,
        _ flags: GFPFlags,
        in context: CallContext,
        isTable: Bool = false
    ) -> Bool {
        guard cgroups.isOn, flags.contains(.account) else { return true }
        let group = cgroup(of: context)
        let count = UInt64(1) << UInt64(order)
        guard group > 0 else { return true }
        guard charge(count, to: group, flags, in: context) else { return false }
        mark(frame, group, isTable ? .table : .kernel)
        cgroups[group].statistics.kernelPages &+= count
        if isTable { cgroups[group].statistics.tables &+= count }
        return true
    }

    /// Charges a page that becomes a process's or a file's: `mem_cgroup_charge()`.
    ///
    /// - Parameters:
    ///   - frame: of the page.
    ///   - owner: whose page it was when it was swapped out; nil for the running process's group.
    ///   - cpu: where it is asked for.
    /// - Returns: false where it is too much for the group.
    mutating func chargeUserPage(_ frame: UInt32, to owner: Int? = nil, cpu: Int) -> Bool {
        guard cgroups.isOn else { return true }
        let group = owner ?? process(runningProcess).map { processes[$0].cgroup } ?? 0
        guard group > 0 else { return true }
        let context = CallContext(cpu: cpu, pid: runningProcess)
        guard charge(1, to: group, .kernel, in: context) else { return false }
        mark(frame, group, .user)
        return true
    }

    private mutating func mark(_ frame: UInt32, _ group: Int, _ kind: MemoryCgroups.PageKind) {
        pages.map[Int(frame)].isCharged = true
        cgroups.setOwner(of: frame, group, kind)
    }

    /// Pages of a charged block are free again: `uncharge_folio()`.
    ///
    /// - Parameters:
    ///   - frame: its first.
    ///   - count: pages that go.
    ///   - isWhole: whether none stays; else the first one does.
    mutating func uncharge(_ frame: UInt32, pages count: UInt64, isWhole: Bool = true) {
        guard pages.map[Int(frame)].isCharged else { return }
        cgroups.uncharge(frame, pages: count, isWhole: isWhole)
        if isWhole { pages.map[Int(frame)].isCharged = false }
    }

    /// The pages of a charged block are blocks of their own from now on: `split_page_memcg()`.
    mutating func splitCharge(_ frame: UInt32, order: Int) {
        guard cgroups.isOn else { return }
        let (group, kind) = cgroups.charge(of: frame)
        guard group > 0 else { return }
        for offset in 0..<UInt32(1 << order) { mark(frame + offset, group, kind) }
    }

    /// A page takes another's place: `mem_cgroup_migrate()`.
    mutating func moveCharge(from old: UInt32, to new: UInt32) {
        guard pages.map[Int(old)].isCharged else { return }
        let (group, kind) = cgroups.charge(of: old)
        mark(new, group, kind)
        pages.map[Int(old)].isCharged = false
        cgroups.setOwner(of: old, 0, .user)
    }

    /// The object that was charged was made, or was not.
    mutating func finishCharge(
        _ charge: MemoryCgroups.ObjectCharge,
        of object: SlabAllocator.Object?
    ) {
        if let object, object.slab != Slab.none {
            return cgroups.note(object.address, charge)
        }
        cgroups.remove(charge.pages, from: charge.group)
    }

    /// Charges an object before it is made: `memcg_slab_pre_alloc_hook()`.
    ///
    /// - Returns: what it will be charged for, or that the group may not have it.
    mutating func chargeObject(
        of cache: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> Result<MemoryCgroups.ObjectCharge?, Errno> {
        let shape = slab.catalog.geometries[cache]
        guard flags.contains(.account) || shape.flags.contains(.account) else {
            return .success(nil)
        }
        let group = cgroup(of: context)
        guard group > 0 else { return .success(nil) }
        let bytes = UInt64(clamping: shape.size) &+ layout.wordBytes
        let before = cgroups[group].statistics.objectBytes
        let more =
            CgroupStatistics.pages(ofObjects: before &+ bytes)
            - CgroupStatistics.pages(ofObjects: before)
        guard charge(more, to: group, flags, in: context) else { return .failure(.ENOMEM) }
        return .success(
            MemoryCgroups.ObjectCharge(
                group: group,
                bytes: bytes,
                pages: more,
                isReclaimable: shape.flags.contains(.reclaimAccount)
            )
        )
    }
}
