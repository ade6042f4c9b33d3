extension Kernel {
    /// Which access a fault wants to make.
    enum UserAccess { case load, store, fetch }

    /// Makes one page of user memory accessible, as the processor and its fault handler do.
    ///
    /// - Parameters:
    ///   - process: as an index.
    ///   - address: any.
    ///   - access: what is wanted.
    ///   - isCopy: by the kernel, in a user copy; otherwise by the process itself.
    ///   - mayFault: whether the fault handler may help; false where the kernel must not sleep.
    ///   - cpu: where memory is asked for.
    /// - Returns: the frame, nil where no memory is behind it; or why the access is refused.
    mutating func userPage(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess,
        isCopy: Bool = false,
        mayFault: Bool = true,
        cpu: Int
    ) -> Result<UInt32?, UserFault.Stop> {
        let kind: PageAccess =
            switch access {
            case .load: isCopy ? .copyLoad : .userLoad
            case .store: isCopy ? .copyStore : .userStore
            case .fetch: .userFetch
            }
        // One fault brings the page, another one makes it the process's own; reclaim may take it in
        // between. Where more follow, a client has changed the tables: a real machine would fault
        // for ever.
        var code: UInt32 = 0
        for _ in 0..<4 {
            switch translate(address, for: kind, process: process) {
            case .success(let frame): return .success(memoryFrame(frame))
            case .failure(let fault):
                if fault.isGeneralProtection { return .failure(UserFault.Stop(.nonCanonical)) }
                code = fault.code
            }
            guard mayFault else {
                let refusal = refusal(process, at: address, for: access)
                var stop = refusal ?? UserFault.Stop(.faultsDisabled)
                stop.code = code
                return .failure(stop)
            }
            if var stop = handleUserFault(
                process,
                at: address,
                for: access,
                code: code,
                cpu: cpu
            ) {
                stop.code = code
                return .failure(stop)
            }
        }
        var stop = UserFault.Stop(.badPageTable)
        stop.code = code
        return .failure(stop)
    }

    /// Brings the page of an address, or finds out why not: `handle_mm_fault()`, 6.1.
    ///
    /// - Parameters:
    ///   - process: as an index.
    ///   - address: any.
    ///   - access: what is wanted.
    ///   - code: what the processor pushed.
    ///   - cpu: where memory is asked for.
    /// - Returns: nil where the access can be made now.
    mutating func handleUserFault(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess,
        code: UInt32 = 0,
        cpu: Int
    ) -> UserFault.Stop? {
        let caller = runningProcess
        runningProcess = processes[process].pid
        defer { runningProcess = caller }
        if processes[process].space.area(at: address) == nil { growStack(process, to: address) }
        guard let area = processes[process].space.area(at: address) else {
            return UserFault.Stop(.notMapped)
        }
        if let refusal = refusal(process, at: address, for: access) { return refusal }
        // access_error(): a page that is there and may not be read or run stays so.
        if access != .store, code & 9 == 1 {
            return UserFault.Stop(access == .fetch ? .notExecutable : .noAccess)
        }
        // A fault that ends in SIGBUS is counted, too: handle_mm_fault() counts first.
        pageFaults &+= 1
        if endsBefore(area, address) { return UserFault.Stop(.beyondFile) }
        let leaf: UserLeaf
        switch makeLeaf(process, at: address & ~4095, cpu: cpu) {
        case .success(let place): leaf = place
        case .failure(let stop): return stop
        }
        if leaf.entry.rawValue == 0 {
            if area.file != nil { return mapFile(process, leaf, area, for: access, cpu: cpu) }
            guard access == .store else {
                mapZeroPage(leaf, area)
                return nil
            }
            return mapNewPage(process, leaf, area, cpu: cpu)
        }
        if paging.format.isSwapEntry(leaf.entry) {
            return swapIn(process, leaf, area, for: access, cpu: cpu)
        }
        guard leaf.entry.flags.contains(.present) else { return UserFault.Stop(.badPageTable) }
        guard access == .store, !leaf.entry.flags.contains(.writable) else { return nil }
        return writeProtected(process, leaf, area, cpu: cpu)
    }

    /// A store to a page that is mapped read-only though its area may be written: `do_wp_page()`.
    private mutating func writeProtected(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        cpu: Int
    ) -> UserFault.Stop? {
        let flags = leaf.entry.flags
        let frame = paging.format.frame(of: leaf.entry)
        if flags.contains(.special) {
            guard area.flags.contains(.pfnMapped), let old = memoryFrame(frame) else {
                return mapNewPage(process, leaf, area, cpu: cpu)
            }
            return copyFrame(process, leaf, area, of: old, cpu: cpu)
        }
        if !area.isShared, let old = memoryFrame(frame), pages.map[Int(old)].isOnLRU {
            if pages.map[Int(old)].mapCount == 1 { freeFromSwapCache(old, cpu: cpu) }
            let page = pages.map[Int(old)]
            // The last owner keeps the page: wp_page_reuse().
            guard !page.isOfFile, page.isExclusive || page.word == 1 else {
                return copyPage(process, leaf, area, from: old, cpu: cpu)
            }
            pages.map[Int(old)].isExclusive = true
        }
        // A page of a disk's file is written back one day: page_mkwrite().
        if area.isShared, let page = memoryFrame(frame),
            pages.map[Int(page)].aging.contains(.onDisk)
        {
            markDirty(page)
        }
        let bits = flags.union([.writable, .accessed, .dirty])
        setTableEntry(leaf.table, leaf.index, paging.format.entry(leaf.entry, with: bits))
        paging.buffer.flush(page: leaf.address)
        return nil
    }

    /// The process gets a copy of a page that others see: `wp_page_copy()`.
    private mutating func copyPage(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        from old: UInt32,
        cpu: Int
    ) -> UserFault.Stop? {
        processes[process].space.preparePageOwner(at: leaf.address)
        // Held while memory is made, for reclaim may take it out of the process meanwhile.
        pages.map[Int(old)].word &+= 1
        let made = allocateUserPage(cpu: cpu)
        let isSame = isUnchanged(leaf)
        if pages.map[Int(old)].word > 1 { pages.map[Int(old)].word -= 1 }
        guard let new = made else { return UserFault.Stop(.outOfMemory) }
        guard isSame else {
            freePages(PFN(rawValue: UInt64(new)), order: 0, in: CallContext(cpu: cpu))
            return nil
        }
        copyFrame(old, 0, to: new, 0, count: 4096)
        mapAnonymous(process, leaf, area, new)
        countResident(process, isOfFile: pages.map[Int(old)].isOfFile, by: -1)
        dropUserPage(old, cpu: cpu)
        unlockPage(old)
        return nil
    }

    /// Whether an entry is as it was found: `pte_same()`.
    mutating func isUnchanged(_ leaf: UserLeaf) -> Bool {
        tableEntry(leaf.table, leaf.index, keptBootTables()) == leaf.entry
    }

    /// The process gets a copy of a frame that nobody counts: `wp_page_copy()` without a page.
    private mutating func copyFrame(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        of old: UInt32,
        cpu: Int
    ) -> UserFault.Stop? {
        processes[process].space.preparePageOwner(at: leaf.address)
        guard let new = allocateUserPage(cpu: cpu) else { return UserFault.Stop(.outOfMemory) }
        copyFrame(old, 0, to: new, 0, count: 4096)
        mapAnonymous(process, leaf, area, new)
        return nil
    }

    /// Takes a page of user memory; its bytes are the last owner's.
    ///
    /// Folios are asked for as compound, whatever their order: `__folio_alloc()`.
    ///
    /// - Parameters:
    ///   - isZeroed: whether the request says that the caller wants zeros, which it stores itself.
    ///   - toWrite: whether it becomes a page of a disk's file and is written to at once.
    ///   - owner: the memory cgroup that had it when it was swapped out; nil for the process's.
    ///   - cpu: where it is asked for.
    /// - Returns: the frame; nil where there is no memory.
    mutating func allocateUserPage(
        isZeroed: Bool = false,
        toWrite: Bool = false,
        owner: Int? = nil,
        cpu: Int
    ) -> UInt32? {
        var flags: GFPFlags = .highUserMovable
        if !highMemory.isClassic { flags.insert(.compound) }
        if isZeroed { flags.insert(.zero) }
        if toWrite { flags.insert(.write) }
        var request = AllocationRequest(order: 0, flags: flags, cpu: cpu, zones: pages.gfpZones)
        spreadDirtyPages(&request)
        let served =
            pages.allocate(request)
            ?? allocateUnderPressure(request, in: CallContext(cpu: cpu, pid: runningProcess)) {
                [request] in
                $0.pages.allocate(request)
            }
        guard let pfn = served, !chargeUserPage(pfn, to: owner, cpu: cpu) else { return served }
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
        return nil
    }

    /// Maps a fresh page as a process's own, as after a store.
    mutating func mapAnonymous(_ process: Int, _ leaf: UserLeaf, _ area: VMArea, _ pfn: UInt32) {
        let isLocked = area.flags.contains(.locked)
        becomeAnonymous(pfn, index: area.filePage(leaf.address), isLocked: isLocked)
        countResident(process, isOfFile: false, by: 1)
        var flags = protection(area).union(.dirty)
        if area.rights.contains(.write) { flags.insert(.writable) }
        setTableEntry(leaf.table, leaf.index, paging.format.entry(frame: UInt64(pfn), flags))
        paging.buffer.flush(page: leaf.address)
        notePage(leaf.address, UInt64(pfn))
    }

    /// Why the process's areas do not allow an access.
    private func refusal(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess
    ) -> UserFault.Stop? {
        guard let area = processes[process].space.area(at: address) else {
            return UserFault.Stop(.notMapped)
        }
        if area.rights.isEmpty { return UserFault.Stop(.noAccess) }
        if access == .store && !area.rights.contains(.write) { return UserFault.Stop(.readOnly) }
        return nil
    }

    /// A read of memory that nobody has written: `do_anonymous_page()` maps the shared zero page.
    private mutating func mapZeroPage(_ leaf: UserLeaf, _ area: VMArea) {
        let frame = keptBootTables().zeroFrame
        let flags = protection(area).union(.special)
        setTableEntry(leaf.table, leaf.index, paging.format.entry(frame: frame, flags))
        notePage(leaf.address, frame)
    }

    /// A write finds nothing, or the zero page: the process gets a page of zeros.
    private mutating func mapNewPage(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        cpu: Int
    ) -> UserFault.Stop? {
        processes[process].space.preparePageOwner(at: leaf.address)
        guard let pfn = allocateUserPage(isZeroed: true, cpu: cpu) else {
            return UserFault.Stop(.outOfMemory)
        }
        pages.contents.clear(pfn, pages: 1)
        mapAnonymous(process, leaf, area, pfn)
        return nil
    }

    mutating func notePage(_ address: UInt64, _ frame: UInt64) {
        guard pages.decisions.isOn else { return }
        pages.decisions.add(
            .pageFaulted(address: LinearAddress(rawValue: address), pfn: PFN(rawValue: frame))
        )
    }

    /// Walks a user range page by page until it ends or an access is refused.
    ///
    /// The body gets the frame (nil where no memory is behind it, which reads as zeros), the offset
    /// in it, and a count of bytes. The result is the bytes walked, and the fault that stopped the
    /// walk.
    mutating func walkUser(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        for access: UserAccess,
        isCopy: Bool = false,
        mayFault: Bool = true,
        cpu: Int,
        _ body: (inout Kernel, UInt32?, Int, Int) -> Void
    ) -> (done: UInt64, fault: UserFault?) {
        var done: UInt64 = 0
        var retries = 0
        while done < count {
            let place = address &+ done
            let offset = place % AddressSpace.pageBytes
            let length = min(count - done, AddressSpace.pageBytes - offset)
            let page = userPage(
                process,
                at: place,
                for: access,
                isCopy: isCopy,
                mayFault: mayFault,
                cpu: cpu
            )
            switch page {
            case .success(let pfn):
                body(&self, pfn, Int(offset), Int(length))
                done += length
            case .failure(let stop):
                if !isCopy, retriesFault(stop, &retries) { continue }
                var fault = UserFault(address: LinearAddress(rawValue: place), reason: stop.reason)
                fault.code = stop.code
                return (done, fault)
            }
        }
        return (done, nil)
    }
}

extension Kernel {
    /// Retries of one access that finds no memory; a program does nothing else for ever.
    private static let faultRetryLimit = 64
    /// What the log takes of them in a row: the default rate limit's burst.
    private static let faultNoteLimit = 10

    /// Whether a program comes back to an access that found no memory: `pagefault_out_of_memory()`.
    ///
    /// 6.1 leaves the killing to whoever asked for the memory, and lets the program fault again;
    /// 2.6 kills it.
    private mutating func retriesFault(_ stop: UserFault.Stop, _ retries: inout Int) -> Bool {
        guard stop.reason == .outOfMemory, dyingProcess == nil, !isPanicked,
            profile.platform != .classicI386, retries < Self.faultRetryLimit
        else { return false }
        retries += 1
        if retries <= Self.faultNoteLimit {
            log.append("Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF")
        }
        return true
    }
}

extension UserFault {
    /// A refusal on its way to becoming a fault with an address.
    struct Stop: Error {
        let reason: Reason
        /// What the processor pushed.
        var code: UInt32 = 0

        init(_ reason: Reason) { self.reason = reason }
    }
}
